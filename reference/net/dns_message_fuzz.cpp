// Property: whatever a name server sends gives an answer within bounds; one that was found has
// records of the kind asked for and of no other.
#include "net/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ams;
  using discovery::Answer;
  for (const auto kind : {discovery::Kind::service, discovery::Kind::text}) {
    const Answer answer = net::read_dns_answer(ByteView(data, size), kind, "_ams.a.example");
    const bool text = kind == discovery::Kind::text;
    const std::size_t mine = text ? answer.texts.size() : answer.services.size();
    const std::size_t other = text ? answer.services.size() : answer.texts.size();
    AMS_ASSERT(mine <= net::dns_records_max && other == 0);
    AMS_ASSERT((answer.status == Answer::Status::found) == (mine > 0));
    for (const auto& record : answer.texts)
      AMS_ASSERT(record.size() <= discovery::record_size_max + 1);
    for (const auto& service : answer.services) AMS_ASSERT(!service.target.empty());
  }
  return 0;
}
