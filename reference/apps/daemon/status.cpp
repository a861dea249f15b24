#include "daemon/status.h"

#include <algorithm>

#include "daemon/accounts.h"
#include "net/control.h"

namespace ams::daemon {
namespace {

std::int64_t count(std::uint64_t value) { return static_cast<std::int64_t>(value); }

std::int64_t seconds(Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

/// The counts of the server, for every form of the status: name, Prometheus type, help, value.
struct Row {
  const char* name;
  bool counter;
  const char* help;
  std::uint64_t value;
};

std::vector<Row> mail_rows(const server::Stats& s) {
  return {{"submitted", true, "messages taken from this domain's clients", s.submitted},
          {"delivered_in", true, "messages that other domains delivered here", s.delivered_in},
          {"delivered_out", true, "messages that other domains took", s.delivered_out},
          {"refused_in", true, "deliveries refused", s.refused_in},
          {"notices", true, "notices of failure or doubt", s.notices},
          {"retries", true, "attempts that will be made again", s.retries},
          {"queue", false, "messages waiting for other domains", s.queue_depth}};
}

std::vector<Row> server_rows(const Status& status) {
  return {
      {"connections", false, "open connections", status.server.connections},
      {"accepted", true, "connections accepted", status.driver.accepted},
      {"connected", true, "connections opened to others", status.driver.connected},
      {"auth_failures", true, "peers that did not prove who they are", status.server.auth_failures},
      {"commits", true, "commits of the store", status.driver.commits},
      {"batches", true, "write batches in them", status.driver.batches}};
}

std::vector<Row> directory_rows(const directory::Stats& s) {
  return {
      {"keys", false, "key records held", s.keys},
      {"peers", false, "full peers in use, configured or learned", s.peers},
      {"peers_learned", false, "of them learned from others", s.peers_learned},
      {"peers_waiting", false, "names of peers that wait for a try", s.peers_waiting},
      {"peers_agreeing", false, "peers with this peer's root at the last gossip", s.peers_agreeing},
      {"peers_evicted", false, "peers that were shown to lie", s.peers_evicted},
      {"epochs", true, "roots put into the log", s.epochs},
      {"cosignatures", true, "cosignatures of witnesses", s.cosignatures},
      {"witnessed", true, "checkpoints of binding logs that were cosigned", s.witnessed},
      {"published", true, "objects taken at publication", s.published},
      {"pulled", true, "entries merged from peers", s.pulled},
      {"pushed", true, "objects sent to peers", s.pushed}};
}

std::int64_t member(const wire::Value& value, const char* name) {
  const wire::Value* found = value.find(name);
  return found != nullptr && found->is_integer() ? found->as_integer() : 0;
}

void metric(std::string& out, const std::string& name, bool counter, const char* help) {
  out += "# HELP " + name + ' ' + help + "\n# TYPE " + name + (counter ? " counter\n" : " gauge\n");
}

void metrics(std::string& out, const std::string& prefix, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const std::string name = prefix + row.name + (row.counter ? "_total" : "");
    metric(out, name, row.counter, row.help);
    out += name + ' ' + std::to_string(row.value) + '\n';
  }
}

void members(wire::Object& out, const std::vector<Row>& rows) {
  for (const Row& row : rows) out[row.name] = wire::Value(count(row.value));
}

}  // namespace

std::optional<Duration> gossip_lag(const Status& status) {
  if (!status.directory.agreed_at) return std::nullopt;
  return std::max(status.now - *status.directory.agreed_at, Duration{0});
}

wire::Value status_value(const Status& status) {
  wire::Object directory, refused;
  members(directory, directory_rows(status.directory));
  directory["full"] = wire::Value(status.full);
  directory["root"] = wire::Value(to_hex(status.directory.root));
  if (const auto lag = gossip_lag(status)) directory["lag_s"] = wire::Value(seconds(*lag));
  for (const auto& [code, times] : status.directory.refused)
    refused[std::string(code_info(code).name)] = wire::Value(count(times));
  directory["refused"] = wire::Value(std::move(refused));
  wire::Array in_use;
  for (const directory::PeerInUse& peer : status.directory.in_use)
    in_use.push_back(wire::Object{{"domain", peer.domain},
                                  {"block", peer.block},
                                  {"learned", peer.learned},
                                  {"agreeing", peer.agreeing},
                                  {"evicted", peer.evicted}});
  directory["in_use"] = wire::Value(std::move(in_use));
  wire::Object out{{"ams", "status/1"},
                   {"program", status.program},
                   {"domain", status.domain},
                   {"up_s", seconds(status.now - status.started)},
                   {"directory", std::move(directory)}};
  members(out, server_rows(status));
  if (status.mail) {
    wire::Object mail;
    members(mail, mail_rows(status.server));
    out["mail"] = wire::Value(std::move(mail));
  }
  return out;
}

namespace {

/// A line each: where peers stand matters where some of them were learned (DIR-66).
template <class Line>
void peer_lines(const wire::Value& directory, const Line& line) {
  const wire::Value* in_use = directory.find("in_use");
  if (in_use == nullptr || !in_use->is_array() || member(directory, "peers_learned") == 0) return;
  const auto says = [](const wire::Value& peer, const char* name) {
    const wire::Value* found = peer.find(name);
    return found != nullptr && found->is_bool() && found->as_bool();
  };
  const auto text = [](const wire::Value& peer, const char* name) {
    const wire::Value* found = peer.find(name);
    return found != nullptr && found->is_string() ? found->as_string() : std::string();
  };
  for (const wire::Value& peer : in_use->as_array())
    line(says(peer, "learned") ? "  learned" : "  configured",
         text(peer, "domain") + " in " + (text(peer, "block").empty() ? "-" : text(peer, "block")) +
             (says(peer, "evicted")    ? ", evicted"
              : says(peer, "agreeing") ? ", with this root"
                                       : ""));
}

}  // namespace

tl::expected<std::string, std::string> status_text(const wire::Value& value) {
  wire::ObjectReader in(value, "status", wire::ObjectReader::Unknown::ignore_x);
  const std::string program = in.string("program"), domain = in.string("domain");
  const std::int64_t up_s = in.integer("up_s", 0);
  const wire::Value& directory = in.any("directory");
  const wire::Value* root = directory.find("root");
  const wire::Value* refused = directory.find("refused");
  if (program.empty() || root == nullptr || !root->is_string() || refused == nullptr)
    return tl::unexpected<std::string>("an answer that is not understood");
  std::string out = program + ' ' + domain + ", up " + text_of(std::chrono::seconds(up_s)) + '\n';
  const auto line = [&out](std::string name, const std::string& text) {
    name.resize(14, ' ');
    out += name + text + '\n';
  };
  const auto number = [](const wire::Value& of, const char* name) {
    return std::to_string(member(of, name));
  };
  const wire::Value* full = directory.find("full");
  const bool is_full = full != nullptr && full->is_bool() && full->as_bool();
  line("keys", number(directory, "keys") + (is_full ? "" : " (a light peer)"));
  line("root", root->as_string());
  if (is_full) {
    line("peers", number(directory, "peers") + ", " + number(directory, "peers_agreeing") +
                      " with this root at the last gossip");
    peer_lines(directory, line);
    const wire::Value* lag = directory.find("lag_s");
    line("gossip lag", lag == nullptr ? "all peers were never seen to agree"
                                      : text_of(std::chrono::seconds(lag->as_integer())));
  } else {
    line("peers", number(directory, "peers") + " that hold all keys");
  }
  line("objects", number(directory, "published") + " published, " + number(directory, "pulled") +
                      " pulled, " + number(directory, "pushed") + " pushed");
  std::string reasons;
  if (refused->is_object()) {
    for (const auto& [code, times] : refused->as_object())
      reasons += (reasons.empty() ? "" : ", ") + std::to_string(times.as_integer()) + ' ' + code;
  }
  line("refused", reasons.empty() ? "none" : reasons);
  line("connections", number(value, "connections"));
  if (const wire::Value* mail = value.find("mail")) {
    line("mail", number(*mail, "submitted") + " submitted, " + number(*mail, "delivered_in") +
                     " delivered here, " + number(*mail, "delivered_out") + " elsewhere, " +
                     number(*mail, "queue") + " waiting");
  }
  out.pop_back();
  return out;
}

tl::expected<std::string, Failure> ask_status(const apps::ServerConfig& config, bool json) {
  const std::string path = control_path(config);
  const auto answer = net::ask_control(path, status_request);
  if (!answer) {
    return tl::unexpected(Failure{
        exit_failure, answer.error().empty() ? path + ": no daemon runs here" : answer.error()});
  }
  if (json) return *answer;
  const auto value = wire::decode(as_bytes(*answer));
  if (!value) return tl::unexpected(Failure{exit_failure, path + ": answer not understood"});
  auto text = status_text(*value);
  if (!text) return tl::unexpected(Failure{exit_failure, path + ": " + text.error()});
  return *text;
}

std::string metrics_text(const Status& status) {
  std::string out;
  metric(out, "ams_info", false, "the program and its domain");
  out += "ams_info{program=\"" + status.program + "\",domain=\"" + status.domain + "\"} 1\n";
  metric(out, "ams_up_seconds", false, "time since the start");
  out += "ams_up_seconds " + std::to_string(seconds(status.now - status.started)) + '\n';
  metrics(out, "ams_", server_rows(status));
  if (status.mail) metrics(out, "ams_mail_", mail_rows(status.server));
  metrics(out, "ams_directory_", directory_rows(status.directory));
  if (const auto lag = gossip_lag(status)) {
    metric(out, "ams_directory_lag_seconds", false, "time since all peers agreed with this one");
    out += "ams_directory_lag_seconds " + std::to_string(seconds(*lag)) + '\n';
  }
  metric(out, "ams_directory_refused_total", true, "objects and requests refused, by reason");
  for (const auto& [code, times] : status.directory.refused) {
    out += "ams_directory_refused_total{code=\"" + std::string(code_info(code).name) + "\"} " +
           std::to_string(times) + '\n';
  }
  return out;
}

void History::add(const Status& status) {
  if (samples_.size() >= samples_max) samples_.pop_front();
  samples_.push_back({status.now, status.directory.keys, status.directory.peers_agreeing,
                      status.server.queue_depth, gossip_lag(status)});
}

std::string text_of(Duration time) {
  struct Unit {
    const char* name;
    std::int64_t size_s;
  };
  constexpr Unit units[] = {{"d", 86'400}, {"h", 3'600}, {"min", 60}, {"s", 1}};
  std::int64_t left = std::max<std::int64_t>(seconds(time), 0);
  std::string out;
  int shown = 0;
  for (const Unit& unit : units) {
    const std::int64_t value = left / unit.size_s;
    left %= unit.size_s;
    if (value == 0 && (shown == 0 ? unit.size_s != 1 : true)) {
      if (shown > 0) ++shown;
      continue;
    }
    if (shown >= 2) break;
    out += (out.empty() ? "" : " ") + std::to_string(value) + ' ' + unit.name;
    ++shown;
  }
  return out;
}

}  // namespace ams::daemon
