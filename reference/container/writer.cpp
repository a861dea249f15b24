#include <algorithm>

#include "container/form.h"
#include "keys/profiles.h"

namespace ams::container {
namespace {

/// All randomness of one container, drawn in one fixed order so that a seed gives the container.
struct Entropy {
  explicit Entropy(crypto::Drbg& drbg) {
    id = drbg.array<16>();
    drbg.fill({content_key.data(), content_key.size()});
    salt = drbg.array<24>();
    drbg.fill({ephemeral_seed.data(), ephemeral_seed.size()});
  }
  Id16 id{};
  crypto::Secret content_key{32};
  std::array<std::uint8_t, 24> salt{};
  crypto::Secret ephemeral_seed{32};
};

void append_object(Bytes& out, const wire::Value& value) {
  const Bytes encoded = wire::encode(value);
  append_u32(out, static_cast<std::uint32_t>(encoded.size()));
  append(out, encoded);
}

Result<> check_keys(const keys::KeyPair& sender, std::span<const keys::KeyRecord* const> recipients,
                    const SealOptions& options) {
  if (recipients.empty()) return fail(Code::schema, "recipients");
  if (recipients.size() > mail::stanzas_max) return fail(Code::too_many_stanzas, "recipients");
  if (options.ts < 0 || options.ts > wire::integer_max) return fail(Code::schema, "ts");
  const Instant now = from_unix_ms(options.ts);
  AMS_CHECK(sender.record.valid_at(now));
  for (auto each = recipients.begin(); each != recipients.end(); ++each) {
    AMS_CHECK((*each)->valid_at(now));
    if (!(*each)->takes(options.aead)) return fail(Code::unknown_algorithm, "recipient's aeads");
    const auto same = [&](const keys::KeyRecord* other) { return other->id() == (*each)->id(); };
    if (std::any_of(recipients.begin(), each, same)) return fail(Code::schema, "recipient twice");
  }
  std::vector<std::string_view> kems;
  for (const keys::KeyRecord* each : recipients)
    kems.push_back(crypto::name(each->encryption().kem()));
  return keys::check_kems(kems);
}

}  // namespace

struct Writer::Impl {
  Impl(const keys::KeyPair& s, wire::Value h, crypto::StreamSealer stream_sealer)
      : sender(s), header(std::move(h)), sealer(std::move(stream_sealer)) {}

  /// Sealed stream from `scratch` to `out`, each chunk under its length (CON-8).
  void emit(Bytes& out) {
    ByteView rest(scratch);
    hash.update(rest);
    len += rest.size();
    if (!header_out) {
      append(out, rest.first(crypto::stream_header_size));
      rest = rest.subspan(crypto::stream_header_size);
      header_out = true;
    }
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), sealed_chunk_size);
      out.push_back(static_cast<std::uint8_t>(size >> 8));
      out.push_back(static_cast<std::uint8_t>(size & 0xff));
      append(out, rest.first(size));
      rest = rest.subspan(size);
    }
    scratch.clear();
  }

  const keys::KeyPair& sender;
  wire::Value header;
  crypto::StreamSealer sealer;
  crypto::Sha256 hash;
  std::uint64_t len = 0;
  Bytes scratch;
  bool header_out = false;
};

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::~Writer() = default;
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;

Result<Writer> Writer::begin(const keys::KeyPair& sender,
                             std::span<const keys::KeyRecord* const> recipients,
                             const SealOptions& options, crypto::Drbg& drbg, Bytes& out) {
  AMS_CHECK(check_keys(sender, recipients, options));
  const Entropy entropy(drbg);
  Header header{entropy.id, options.aead, sender.record.id(), options.ts, {}, std::nullopt};
  for (const keys::KeyRecord* recipient : recipients) header.to.push_back(recipient->id().fp);
  std::optional<crypto::Ephemeral> ephemeral;
  if (mail::any_x25519(recipients)) {
    ephemeral = crypto::Ephemeral::from_seed(entropy.ephemeral_seed.view());
    header.epk = to_array<32>(ephemeral->key.public_raw());
  }
  wire::Value header_value = to_value(header);
  const Hash h0 = crypto::sha256(wire::encode(header_value));
  const ByteView key = entropy.content_key.view();
  AMS_TRY(const std::vector<mail::Stanza> stanzas,
          mail::wrap_key(recipients, options.aead, h0, key, ephemeral ? &*ephemeral : nullptr));
  wire::Array stanza_values;
  for (const mail::Stanza& stanza : stanzas) stanza_values.push_back(mail::to_value(stanza));
  append(out, magic);
  append_object(out, header_value);
  append_object(out, stanza_values);
  crypto::StreamSealer sealer(options.aead, key, stream_context(h0), entropy.salt);
  return Writer(std::make_unique<Impl>(sender, std::move(header_value), std::move(sealer)));
}

void Writer::push(ByteView plaintext, Bytes& out) {
  impl_->sealer.push(plaintext, impl_->scratch);
  impl_->emit(out);
}

Result<> Writer::finish(Bytes& out) {
  impl_->sealer.finish(impl_->scratch);
  impl_->emit(out);
  Trailer trailer{impl_->len, impl_->hash.finish(), {}};
  AMS_TRY(trailer.asig,
          keys::sign_beside(signed_form(impl_->header, trailer), impl_->sender.signing));
  append_object(out, to_value(trailer));
  return {};
}

}  // namespace ams::container
