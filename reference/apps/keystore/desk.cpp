#include "keystore_cli/desk.h"

#include "net/entropy.h"

namespace ams::keystore_cli {
namespace {

class LocalDesk final : public Desk {
 public:
  explicit LocalDesk(std::unique_ptr<keystore_net::LocalStore> store) : store_(std::move(store)) {}
  Result<keystore::Ok> ask(const keystore::Args& args) override { return store_->act(args); }
  Result<std::vector<keystore::MemberRow>> members() override { return store_->store().members(); }

 private:
  std::unique_ptr<keystore_net::LocalStore> store_;
};

class RemoteDesk final : public Desk {
 public:
  RemoteDesk(cli::Home home, std::unique_ptr<net::Loop> loop,
             std::unique_ptr<keystore_net::Link> link)
      : home_(std::move(home)), loop_(std::move(loop)), link_(std::move(link)) {}

  Result<keystore::Ok> ask(const keystore::Args& args) override {
    keystore::Request request;
    request.addr = home_.settings().addr;
    request.args = args;
    request.device = *to_array<32>(home_.device().public_raw());
    request.id = *to_array<16>(net::entropy_seed().view().first(16));
    request.ts = to_unix_ms(loop_->now());
    AMS_TRY(Bytes bytes, keystore::sign_request(request, home_.device()));
    Result<keystore::Ok> out = fail(Code::keystore_unreachable, "key store");
    link_->ask(std::move(bytes), [&](Result<Bytes> answer) {
      out = answer ? keystore::judge_answer(request, *answer, nullptr)
                   : Result<keystore::Ok>(fail(answer.error().code, answer.error().where));
      loop_->stop();
    });
    loop_->run();
    return out;
  }
  Result<std::vector<keystore::MemberRow>> members() override {
    return fail(Code::unsupported, "members are listed where the store's folder is: --dir");
  }

 private:
  cli::Home home_;
  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<keystore_net::Link> link_;
};

}  // namespace

tl::expected<std::unique_ptr<Desk>, std::string> Desk::open(const keystore_net::Place& place,
                                                            const std::string& home) {
  if (const std::string what = keystore_net::misfit(place); !what.empty())
    return tl::unexpected(what);
  if (place.local()) {
    auto unlock = keystore_net::unlock_of(place);
    if (!unlock) return tl::unexpected(unlock.error());
    auto store = keystore_net::LocalStore::open({place.folder, place.pin_file, {}}, *unlock);
    if (!store) return tl::unexpected(store.error());
    return std::make_unique<LocalDesk>(std::move(*store));
  }
  auto own = cli::Home::open(home);
  if (!own) return tl::unexpected(own.error());
  auto loop = std::make_unique<net::Loop>();
  auto link = keystore_net::open_place(*loop, place);
  if (!link) return tl::unexpected(link.error());
  return std::make_unique<RemoteDesk>(std::move(*own), std::move(loop), std::move(*link));
}

}  // namespace ams::keystore_cli
