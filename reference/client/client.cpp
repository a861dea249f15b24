#include "client/client.h"

#include "client/adopt.h"
#include "client/bind_watch.h"
#include "client/connection.h"
#include "client/core.h"
#include "client/enrol.h"
#include "client/lookup.h"
#include "client/outbox.h"
#include "client/redirect.h"
#include "client/rewrap.h"
#include "client/rotate.h"
#include "client/sync.h"
#include "client/trace.h"
#include "wire/address.h"

namespace ams::client {
namespace {

constexpr Duration leave_again = std::chrono::minutes{10};  // after a refusal to take our key back

}  // namespace

struct Client::Impl {
  Impl(Options options, const crypto::SigningKey& device, const storage::Reader& reader,
       ByteView seed32, Instant now)
      : core(std::move(options), reader, seed32, now),
        link(core, device),
        account(core, link),
        lookup(core, link),
        key_store(core, device),
        outbox(core, link, lookup, account, key_store),
        inbox(core, link, lookup, account, key_store),
        publisher(core, link),
        rotation(core, link, account, lookup, outbox, publisher),
        adoption(core, link, account, key_store, lookup, outbox),
        rewrapper(core, link, account, key_store),
        bind_watch(core, link, account, lookup),
        redirector(core, link, account, bind_watch),
        tracer(core, link, lookup) {
    link.on_event = [this](const std::string& event, const wire::Value& data) {
      if (event == "mail.changed") inbox.handle_changed(data);
    };
    run();
  }

  bool has_work() const {
    if (account.has_work()) return true;
    return account.ready() &&
           (core.options.stay_connected || outbox.has_work() || inbox.has_work() ||
            rotation.has_work() || adoption.has_work() || publisher.has_work() ||
            rewrapper.has_work() || redirector.has_work() || !inquiries.empty() || looking > 0 ||
            bind_watch.wanted() || (link.up() && bind_watch.asked()));
  }

  /// Lets every part act on what changed, until nothing does.
  void run() {
    do {
      core.again = false;
      link.want(has_work());
      link.run();
      if (link.up() && learnt != link.epoch()) {
        learnt = link.epoch();
        lookup.learn_own(link.chain());
        if (account.pair())
          lookup.learn_record(std::make_shared<const keys::KeyRecord>(account.record()));
      }
      key_store.run();
      account.run();
      adoption.run();
      leave_store();
      rotation.run();
      publisher.run();
      lookup.run();
      if (link.up()) inquire();
      redirector.run();
      bind_watch.run();
      outbox.run();
      inbox.run();
      rewrapper.run();
    } while (core.again);
  }

  /// Our domain gave the keys back: a pair of our own takes the place of the store's (POL-2).
  bool leaves_store() const {
    return link.up() && account.ready() && account.stored() && !adoption.is_due_here() &&
           !rotation.has_work();
  }
  void leave_store() {
    if (!leaves_store() || core.now < leave_at) return;
    leave_at = core.now + leave_again;
    rotation.rotate(std::nullopt);
  }

  struct Inquiry {
    std::string addr;
    bool traced = false;
  };
  struct Judged {  // what a traced look-up is shown from
    BindingRow row;
    keys::Chain chain;
  };
  void inquire() {
    for (const Inquiry& inquiry : std::exchange(inquiries, {})) {
      ++looking;
      lookup.recipient_anew(inquiry.addr, [this, inquiry](const Result<Recipient>& found,
                                                          const Lookup::Answered* answer) {
        std::optional<Judged> judged;
        if (inquiry.traced && answer) judged = Judged{answer->row, answer->chain};
        answered(inquiry.addr, found, std::move(judged));
      });
    }
  }
  void answered(const std::string& addr, const Result<Recipient>& found,
                std::optional<Judged> judged) {
    if (found && !found->to.empty())  // it has no key: whom it leads to has
      return inquired(addr, fail(Code::not_found, "bound to others"), judged);
    if (!found) return inquired(addr, tl::unexpected(found.error()), judged);
    const auto address = wire::parse_address(addr);
    lookup.chain(
        address->domain, Lookup::Ask::cached_will_do,
        [this, addr, record = found->record, judged = std::move(judged)](const auto& chain) {
          if (!chain) return inquired(addr, tl::unexpected(chain.error()), judged);
          inquired(addr, Correspondent{record, *chain, lookup.binding_of(addr)}, judged);
        });
  }
  void inquired(const std::string& addr, Result<Correspondent> found,
                const std::optional<Judged>& judged) {
    const auto tell = [this, addr, found = std::move(found)](Tracer::Traced traced) {
      --looking;
      core.again = true;
      const bool refused = found && !traced.usable;
      core.tell(LookedUp{addr, refused ? tl::unexpected(traced.usable.error()) : found,
                         std::move(traced.steps), std::move(traced.card)});
    };
    if (!judged) return tell({});
    tracer.run(addr, judged->row, judged->chain, tell);
  }

  template <class F>
  void at(Instant now, F&& input) {
    core.now = now;
    input();
    run();
  }

  Core core;
  Link link;
  Account account;
  Lookup lookup;
  KeyStoreLink key_store;
  Outbox outbox;
  Inbox inbox;
  Publisher publisher;
  Rotation rotation;
  Adoption adoption;
  Rewrapper rewrapper;
  BindWatch bind_watch;
  Redirector redirector;
  Tracer tracer;
  Instant leave_at;
  std::vector<Inquiry> inquiries;  // not asked yet
  int looking = 0;                 // asked, not answered
  std::uint64_t learnt = 0;
};

Client::Client(Options options, const crypto::SigningKey& device, const storage::Reader& reader,
               ByteView seed32, Instant now)
    : impl_(std::make_unique<Impl>(std::move(options), device, reader, seed32, now)) {}

Client::~Client() = default;

void Client::enrol(const Hash& token, std::optional<keys::KeyPair> pair, Instant now) {
  impl_->at(now, [&] { impl_->account.enrol(token, std::move(pair)); });
}

void Client::rotate(std::optional<keys::KeyPair> pair, Instant now) {
  impl_->at(now, [&] {
    if (impl_->account.ready() && impl_->adoption.is_due_here()) return impl_->adoption.request();
    impl_->rotation.rotate(std::move(pair));
  });
}

void Client::redirect(bindlog::Type type, std::vector<std::string> to, Instant now) {
  impl_->at(now, [&] { impl_->redirector.request(type, std::move(to)); });
}

std::optional<KeyStoreAsk> Client::poll_key_store() { return impl_->key_store.poll(); }

void Client::handle_key_store(std::uint64_t ticket, const Result<Bytes>& answer, Instant now) {
  impl_->at(now, [&] { impl_->key_store.handle(ticket, answer); });
}

void Client::publish(const wire::Value& object, Instant now) {
  impl_->at(now, [&] { impl_->publisher.publish(object, Publisher::Row::to_be_written); });
}

void Client::look_up(const std::string& addr, Instant now, bool traced) {
  impl_->at(now, [&] {
    if (!impl_->account.ready())
      return impl_->core.tell(LookedUp{addr, fail(Code::not_found, "no account key"), {}});
    impl_->inquiries.push_back({addr, traced});
  });
}

std::uint64_t Client::submit(mail::Draft draft, Instant now) {
  std::uint64_t ticket = 0;
  impl_->at(now, [&] { ticket = impl_->outbox.submit(std::move(draft)); });
  return ticket;
}

void Client::sync(Instant now) {
  impl_->at(now, [&] { impl_->inbox.sync(); });
}

std::uint64_t Client::check_bindings(Instant now) {
  std::uint64_t number = 0;
  impl_->at(now, [&] { number = impl_->bind_watch.check_now(); });
  return number;
}

void Client::rewrap(Instant now) {
  impl_->at(now, [&] { impl_->rewrapper.request(); });
}

void Client::handle_accepted(machine::ConnId conn, const Hash&, Instant now) {
  impl_->at(now, [&] { impl_->core.emit(machine::CloseConn{conn}); });
}

void Client::handle_connected(machine::Token token, machine::ConnId conn, const Hash& exporter,
                              Instant now) {
  impl_->at(now, [&] { impl_->link.handle_connected(token, conn, exporter); });
}

void Client::handle_connect_failed(machine::Token token, Instant now) {
  impl_->at(now, [&] { impl_->link.handle_connect_failed(token); });
}

void Client::handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found,
                             Instant now) {
  impl_->at(now, [&] {
    impl_->link.handle_resolved(domain, found);
    impl_->lookup.handle_resolved(domain, found);
  });
}

void Client::handle_bytes(machine::ConnId conn, ByteView bytes, Instant now) {
  impl_->at(now, [&] { impl_->link.handle_bytes(conn, bytes); });
}

void Client::handle_closed(machine::ConnId conn, Instant now) {
  impl_->at(now, [&] { impl_->link.handle_closed(conn); });
}

void Client::handle_durable(machine::BatchId batch, const Result<>& outcome, Instant now) {
  impl_->at(now, [&] {
    const auto found = impl_->core.commits.find(batch);
    if (found == impl_->core.commits.end()) return;
    const Core::Durable then = std::move(found->second);
    impl_->core.commits.erase(found);
    then(outcome);
  });
}

void Client::handle_timeout(Instant now) {
  impl_->at(now, [] {});
}

std::optional<machine::Effect> Client::poll() {
  auto& effects = impl_->core.effects;
  if (effects.empty()) return std::nullopt;
  machine::Effect effect = std::move(effects.front());
  effects.pop_front();
  return effect;
}

std::optional<Instant> Client::timeout() const {
  std::optional<Instant> out = impl_->link.due();
  out = earlier(out, impl_->account.due());
  out = earlier(out, impl_->rotation.due());
  out = earlier(out, impl_->publisher.due());
  out = earlier(out, impl_->adoption.due());
  out = earlier(out, impl_->key_store.due());
  if (impl_->leaves_store()) out = earlier(out, impl_->leave_at);
  out = earlier(out, impl_->bind_watch.due());
  out = earlier(out, impl_->redirector.due());
  out = earlier(out, impl_->lookup.due());
  out = earlier(out, impl_->outbox.due());
  return earlier(out, impl_->inbox.due());
}

std::optional<Report> Client::poll_report() {
  auto& reports = impl_->core.reports;
  if (reports.empty()) return std::nullopt;
  OwnedReport next = std::move(reports.front());
  reports.pop_front();
  if (next.uid) impl_->inbox.told(*next.uid);
  if (reports.empty()) impl_->run();  // one commit marks all that were taken
  return std::move(next.report);
}

bool Client::ready() const { return impl_->account.ready(); }

std::uint64_t Client::bindings_checked() const { return impl_->bind_watch.checked(); }

std::size_t Client::unsent() const { return impl_->outbox.size(); }

bool Client::changing_keys() const {
  return impl_->rotation.has_work() || impl_->publisher.has_work();
}

const keys::KeyPair* Client::account_key() const { return impl_->account.pair(); }

const keys::KeyRecord* Client::key_record() const {
  return impl_->account.pair() ? &impl_->account.record() : nullptr;
}

std::optional<keys::KeyId> Client::sealed_to() const {
  if (const StoredKeys* stored = impl_->account.stored()) return stored->shared.id();
  if (!impl_->account.pair()) return std::nullopt;
  return impl_->account.pair()->record.id();
}

std::vector<crypto::Secret> Client::private_bytes() const {
  std::vector<crypto::Secret> out;
  const auto add = [&](const keys::KeyPair& pair) {
    out.push_back(pair.signing.private_raw());
    out.push_back(pair.encryption.private_raw());
  };
  if (const keys::KeyPair* pair = impl_->account.pair()) add(*pair);
  for (const OtherPair& other : impl_->account.others()) add(other.pair);
  return out;
}

}  // namespace ams::client
