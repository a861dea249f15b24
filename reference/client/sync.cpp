#include "client/sync.h"

#include "policy/mutant.h"

namespace ams::client {
namespace {

Bytes mailbox_key(std::int64_t uid) { return key_of(static_cast<std::uint64_t>(uid)); }

}  // namespace

Inbox::Inbox(Core& core, Link& link, Lookup& lookup, const Account& account,
             KeyStoreLink& key_store)
    : core_(core),
      link_(link),
      lookup_(lookup),
      account_(account),
      key_store_(key_store),
      retry_at_(core.now) {
  load();
}

void Inbox::load() {
  if (const auto row = core_.row(table_account, row_state); row && row->size() == 8)
    state_ = static_cast<std::int64_t>(read_u64(*row));
  const auto visit = [&](ByteView key, ByteView value) {
    auto row = parse_mailbox_row(value);
    if (key.size() != 8 || !row || row->told) return true;
    Message& message = waiting_[static_cast<std::int64_t>(read_u64(key))];
    message.folder = std::move(row->folder);
    message.value = std::move(row->message);
    message.first_seen = message.retry_at = core_.now;
    return true;
  };
  if (auto scanned = core_.reader.scan(table_mailbox, {}, {}, visit); !scanned)
    core_.tell(CommandFailed{"load", scanned.error()});
  done_due_ = !waiting_.empty();
}

void Inbox::handle_changed(const wire::Value& data) {
  if (!core_.options.stay_connected) return;  // the owner asks when it wants to know
  const wire::Value* state = data.find("state");
  if (state && state->is_integer() && state->as_integer() <= state_ && !busy_) return;
  wanted_ = true;
  core_.again = true;
}

// --- pages of changes
// --------------------------------------------------------------------------------------

void Inbox::ask_page() {
  busy_ = true;
  wanted_ = false;
  link_.request("mail.sync", wire::Object{{"since", state_}},
                [this](const Result<wire::Value>& answer) {
                  if (!answer) return sync_failed(answer.error());
                  take_page(*answer);
                });
}

void Inbox::take_page(const wire::Value& answer) {
  wire::ObjectReader in(answer, "mail.sync", wire::ObjectReader::Unknown::ignore_x);
  const std::int64_t state = in.integer("state");
  const bool more = in.boolean("more");
  const wire::Array& changes = in.array("changes", sync_page_max);
  storage::WriteBatch batch;
  auto fresh = std::make_shared<std::map<std::int64_t, Message>>();
  if (auto read = in.finish(); !read) return sync_failed(read.error());
  if (state < state_ || (more && state == state_))  // the server would have us turn in circles
    return sync_failed(Error{Code::schema, "mail.sync.state"});
  const std::size_t count =
      mutant("client.sync_skips_last") && changes.size() > 1 ? changes.size() - 1 : changes.size();
  for (std::size_t i = 0; i < count; ++i)
    if (auto read = read_change(changes[i], batch, *fresh); !read) return sync_failed(read.error());
  const auto stored = [this, state, more, fresh](const Result<>& outcome) {
    core_.again = true;
    if (!outcome) return sync_failed(outcome.error());
    busy_ = false;
    attempt_ = 0;
    complained_ = false;
    state_ = state;
    waiting_.merge(*fresh);
    done_due_ = true;
    if (more) wanted_ = true;
  };
  if (state == state_ && batch.empty()) return stored({});
  batch.puts.push_back(
      put_row(table_account, row_state, key_of(static_cast<std::uint64_t>(state))));
  if (mutant("client.report_before_durable")) {
    stored({});
    return core_.commit(std::move(batch), [](const Result<>&) {});
  }
  core_.commit(std::move(batch), stored);
}

Result<> Inbox::read_change(const wire::Value& change, storage::WriteBatch& batch,
                            std::map<std::int64_t, Message>& fresh) {
  wire::ObjectReader in(change, "change", wire::ObjectReader::Unknown::ignore_x);
  const std::int64_t uid = in.integer("uid");
  in.integer("state");
  const bool gone = in.optional_boolean("gone", false);
  if (gone) {
    AMS_CHECK(in.finish());
    fresh.erase(uid);
    waiting_.erase(uid);
    batch.erases.push_back(erase_row(table_mailbox, mailbox_key(uid)));
    return {};
  }
  std::string folder = in.string("folder", 64);
  in.array("flags", 16);
  const wire::Value* message = in.optional("message");
  AMS_CHECK(in.finish());
  const auto held = core_.row(table_mailbox, mailbox_key(uid));
  if (held) {  // flags, folder or stanza changed
    AMS_TRY(MailboxRow row, parse_mailbox_row(*held));
    const bool rewrapped = !row.told && message && message->find("rewrapped");
    if (row.folder == folder && !rewrapped) return {};
    row.folder = folder;
    if (rewrapped) row.message = *message;
    if (const auto at = waiting_.find(uid); at != waiting_.end()) {
      at->second.folder = folder;
      if (rewrapped) at->second.value = *message;
    }
    batch.puts.push_back(put_row(table_mailbox, mailbox_key(uid), to_row(row)));
    return {};
  }
  if (!message) return {};  // flags of what we never had: nothing to tell
  MailboxRow row{folder, *message, false};
  batch.puts.push_back(put_row(table_mailbox, mailbox_key(uid), to_row(row)));
  Message& added = fresh[uid];
  added.folder = std::move(folder);
  added.value = *message;
  added.first_seen = added.retry_at = core_.now;
  return {};
}

void Inbox::sync_failed(const Error& why) {
  busy_ = false;
  core_.again = true;
  if (why.code == Code::sync_token && state_ > 0) {
    // The server's mailbox is younger than ours: all of it again. What we hold is not told again.
    core_.log(machine::Log::Level::warning, "client.sync_token");
    state_ = 0;
    wanted_ = true;
    return;
  }
  if (is_temporary(why)) {
    wanted_ = true;
    const bool lost = !link_.up();
    if (!lost) retry_at_ = core_.now + core_.backoff(attempt_++);
    if (lost || complained_) return;
    complained_ = true;
  }
  core_.tell(CommandFailed{"sync", why});
}

// --- telling
// ---------------------------------------------------------------------------------------------

void Inbox::report(std::int64_t uid, Report report) {
  const auto at = waiting_.find(uid);
  if (at == waiting_.end()) return;  // gone meanwhile
  at->second.reported = true;
  at->second.active = false;
  core_.tell(std::move(report), uid);
  core_.again = true;
}

void Inbox::told(std::int64_t uid) {
  told_.push_back(uid);
  core_.again = true;
}

/// What is told shrinks to what a later change of it needs.
void Inbox::flush_told() {
  if (told_.empty() || marking_) return;
  marking_ = true;
  storage::WriteBatch batch;
  for (const std::int64_t uid : told_) {
    const auto at = waiting_.find(uid);
    if (at == waiting_.end()) continue;
    MailboxRow row{at->second.folder, wire::Value(), true};
    batch.puts.push_back(put_row(table_mailbox, mailbox_key(uid), to_row(row)));
    waiting_.erase(at);
  }
  told_.clear();
  core_.commit(std::move(batch), [this](const Result<>&) {  // undone: told again after a restart
    marking_ = false;
    core_.again = true;
  });
}

void Inbox::finish_sync() {
  if (!done_due_ || wanted_ || busy_) return;
  for (const auto& [uid, message] : waiting_)
    if (!message.reported) return;
  done_due_ = false;
  core_.tell(SyncDone{state_});
}

void Inbox::run() {
  flush_told();
  if (!account_.ready()) return;
  if (link_.up() && link_.epoch() != epoch_) {
    epoch_ = link_.epoch();
    if (core_.options.stay_connected) wanted_ = true;  // events we may have missed
    retry_at_ = core_.now;
    for (auto& [uid, message] : waiting_) message.retry_at = core_.now;
  }
  active_ = 0;
  std::size_t unopened = 0;
  for (const auto& [uid, message] : waiting_) {
    active_ += message.active ? 1 : 0;
    unopened += message.reported ? 0 : 1;
  }
  if (link_.up() && wanted_ && !busy_ && core_.now >= retry_at_ && unopened < sync_page_max)
    ask_page();
  std::vector<std::int64_t> due_now;
  for (const auto& [uid, message] : waiting_)
    if (!message.active && !message.reported && core_.now >= message.retry_at)
      due_now.push_back(uid);
  for (const std::int64_t uid : due_now) {
    const auto at = waiting_.find(uid);
    if (at == waiting_.end() || !link_.up() || active_ >= opened_at_once_max) break;
    ++active_;
    open(uid, at->second);
  }
  finish_sync();
}

std::optional<Instant> Inbox::due() const {
  std::optional<Instant> out;
  if (!link_.up() || !account_.ready()) return out;
  if (wanted_ && !busy_ && retry_at_ > core_.now) out = retry_at_;
  for (const auto& [uid, message] : waiting_)
    if (!message.active && !message.reported && message.retry_at > core_.now)
      out = earlier(out, message.retry_at);
  return out;
}

}  // namespace ams::client
