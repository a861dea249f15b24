#include "client/rewrap.h"

#include "client/sync.h"
#include "mail/objects.h"

namespace ams::client {

// What a page of mail.sync has goes to the key store and back to the server in one request.
static_assert(sync_page_max <= keystore::rewrap_max);

void Rewrapper::request() {
  core_.again = true;
  if (!store_.is_there())
    return core_.tell(CommandFailed{"rewrap", Error{Code::keystore_unreachable, "no key store"}});
  if (has_work()) return;
  stage_ = Stage::wanted;
}

void Rewrapper::run() {
  if (asked_ || !link_.up() || !account_.ready()) return;
  if (stage_ == Stage::wanted) return list_keys();
  if (stage_ == Stage::wrapping) return wrap_next();
  if (stage_ == Stage::reading) return more_ ? ask_page() : end();
}

/// What we asked for came; false: an error, which ends this.
template <class T>
bool Rewrapper::took(const Result<T>& answer) {
  asked_ = false;
  core_.again = true;
  if (!answer) failed(answer.error());
  return answer.has_value();
}

void Rewrapper::list_keys() {
  asked_ = true;
  store_.refresh([this](const Result<>& outcome) {
    if (!took(outcome)) return;
    stage_ = Stage::reading;
    since_ = 0;
    more_ = true;
    done_ = {};
  });
}

void Rewrapper::ask_page() {
  asked_ = true;
  link_.request("mail.sync", wire::Object{{"since", since_}},
                [this](const Result<wire::Value>& answer) {
                  if (took(answer)) take_page(*answer);
                });
}

void Rewrapper::take_page(const wire::Value& answer) {
  wire::ObjectReader in(answer, "mail.sync", wire::ObjectReader::Unknown::ignore_x);
  const std::int64_t state = in.integer("state");
  more_ = in.boolean("more");
  const wire::Array& changes = in.array("changes", sync_page_max);
  if (auto read = in.finish(); !read) return failed(read.error());
  if (more_ && state <= since_) return failed(Error{Code::schema, "mail.sync.state"});
  since_ = state;
  found_.clear();
  for (const wire::Value& change : changes)
    if (auto read = look_at(change); !read) return failed(read.error());
  if (!found_.empty()) stage_ = Stage::wrapping;
}

/// Takes up a message whose stanza is to a key of the store's that another has followed.
Result<> Rewrapper::look_at(const wire::Value& change) {
  const wire::Value* uid = change.find("uid");
  const wire::Value* message = change.find("message");
  const wire::Value* env = message ? message->find("env") : nullptr;
  if (!uid || !uid->is_integer() || !env) return {};  // deleted, or a notice
  const wire::Value* rewrapped = message->find("rewrapped");
  const wire::Value* stanza = rewrapped ? rewrapped : message->find("stanza");
  if (!stanza) return fail(Code::schema, "message.stanza");
  AMS_TRY(const mail::Stanza held, mail::parse_stanza(*stanza));
  AMS_TRY(const mail::Header header, mail::parse_header(*env));
  const HeldKey* from = store_.find(held.to);
  const HeldKey* to = from ? store_.successor(*from) : nullptr;
  if (!to) return {};
  const std::vector<mail::Stanza> stanzas{held};
  auto enc = mail::encapsulated_key(*env, stanzas, from->record, rewrapped != nullptr);
  if (!enc) {
    ++done_.failed;
    return {};
  }
  Batch& batch = found_[{from->record.id(), to->record.id()}];
  batch.uids.push_back(uid->as_integer());
  batch.items.push_back({header.aead, std::move(*enc), mail::h0(*env), held.wk});
  return {};
}

void Rewrapper::wrap_next() {
  if (found_.empty()) {
    stage_ = Stage::reading;
    core_.again = true;
    return;
  }
  auto node = found_.extract(found_.begin());
  asked_ = true;
  store_.rewrap(node.key().first, node.key().second, node.mapped().items,
                [this, way = node.key(), batch = node.mapped()](Result<keystore::Rewrapped> got) {
                  if (took(got)) put_back(way, batch, *got);
                });
}

void Rewrapper::put_back(const Way& way, const Batch& batch, const keystore::Rewrapped& wrapped) {
  wire::Array items;
  for (std::size_t i = 0; i < batch.uids.size(); ++i) {
    const auto* fresh = std::get_if<keystore::Rewrapped::Stanza>(&wrapped.items[i]);
    if (!fresh) {  // not the content key that the old stanza had: it stays as it is
      ++done_.failed;
      continue;
    }
    const mail::Stanza stanza{way.second, fresh->wk, fresh->enc};
    items.push_back(wire::Object{{"stanza", mail::to_value(stanza)}, {"uid", batch.uids[i]}});
  }
  if (items.empty()) return;
  asked_ = true;
  link_.request("mail.rewrap", wire::Object{{"items", std::move(items)}},
                [this](const Result<wire::Value>& answer) {
                  if (took(answer)) count(*answer);
                });
}

void Rewrapper::count(const wire::Value& answer) {
  const wire::Value* results = answer.find("results");
  if (!results || !results->is_array()) return failed(Error{Code::schema, "mail.rewrap.results"});
  for (const wire::Value& result : results->as_array())
    ++(result.find("code") ? done_.failed : done_.count);
}

void Rewrapper::failed(const Error& why) {
  stage_ = Stage::idle;
  found_.clear();
  core_.again = true;
  core_.tell(CommandFailed{"rewrap", why});
}

void Rewrapper::end() {
  stage_ = Stage::idle;
  core_.again = true;
  core_.tell(done_);
}

}  // namespace ams::client
