// Accounts and devices (ACC).
#include "policy/mutant.h"
#include "server/core.h"
#include "wire/address.h"

namespace ams::server {

Result<storage::WriteBatch> account_rows(const Options& options, const storage::Reader& reader,
                                         const NewAccount& account) {
  AMS_TRY(const wire::Address address, wire::parse_address(account.addr));
  if (address.domain != options.domain) return fail(Code::not_local, "account.addr");
  Txn txn(reader);
  const bool taken = txn.get(table_account, as_bytes(account.addr)).has_value();
  AMS_CHECK(txn.status());
  if (account.further && !taken) return fail(Code::no_such_address, "account.addr");
  if (!account.further && !taken && names_group(options, address.local) &&
      !mutant("server.account_over_group"))
    return fail(Code::address_taken, "account.addr");  // GRP-1
  if (!account.further && taken && !mutant("server.skip_address_taken"))
    return fail(Code::address_taken, "account.addr");  // ACC-3
  if (!account.further)
    txn.put_value(table_account, to_bytes(account.addr),
                  wire::Object{{"acct", to_base64url(account.acct)}, {"created", account.created}});
  const Hash token = crypto::sha256(account.token);
  const std::int64_t exp = account.created + token_life_ms;
  txn.put_value(table_token, to_bytes(ByteView(token)),
                wire::Object{{"addr", account.addr}, {"exp", exp}});
  txn.put(table_expiry, key_of({be64(exp), key_char(static_cast<char>(table_token)), token}), {});
  return txn.take();
}

std::optional<Core::Account> Core::account(Txn& txn, std::string_view addr) {
  const auto row = txn.get_value(table_account, as_bytes(addr));
  if (!row) return std::nullopt;
  wire::ObjectReader in(*row, "account");
  Account out;
  out.acct = in.bytes<16>("acct");
  out.created = in.integer("created");
  if (!in.finish()) return std::nullopt;
  return out;
}

Result<> Core::op_enrol(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "account.enrol", wire::ObjectReader::Unknown::ignore_x);
  const Hash token = in.bytes<32>("token");
  AMS_CHECK(in.finish());
  const std::string device = to_base64url(conn.session.hello().device);
  Txn txn(reader_);
  const Bytes key = to_bytes(ByteView(crypto::sha256(token)));
  const auto row = txn.get_value(table_token, key);
  AMS_CHECK(txn.status());
  const wire::Value* addr = row ? row->find("addr") : nullptr;
  const wire::Value* exp = row ? row->find("exp") : nullptr;
  const wire::Value* used = row ? row->find("device") : nullptr;
  const bool known = addr && exp && *addr == wire::Value(conn.addr) && exp->as_integer() > now_ms();
  const bool free = !used || *used == wire::Value(device) || mutant("server.reuse_enrol_token");
  if ((!known || !free) && !mutant("server.skip_enrol_token"))
    return fail(Code::enrol_token, "account.enrol.token");  // ACC-2
  if (known)
    txn.put_value(table_token, key,
                  wire::Object{{"addr", conn.addr}, {"device", device}, {"exp", *exp}});
  txn.put(table_device, key_of({as_bytes(conn.addr), key_zero, conn.session.hello().device}), {});
  commit(txn, [this, to](const Result<>& outcome) {
    if (!outcome) return refuse(to, outcome.error());
    Conn* enrolled = find_conn(to.conn);
    if (!enrolled) return;
    if (!enrolled->enrolled) online_.emplace(enrolled->addr, to.conn);
    if (!mutant("server.enrol_without_effect")) {
      enrolled->enrolled = true;
      enrolled->session.restrict_to_enrolment(false);
    }
    ok(to, wire::Object{});
  });
  return {};
}

}  // namespace ams::server
