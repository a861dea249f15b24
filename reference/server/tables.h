// What the server keeps (STO). Integers in keys are big-endian, so that they sort as numbers;
// `addr` and `rdom` are text. A value in braces is AMS-CJ.
//
// table        key                              value
// meta         name                             counters: "queue_seq" u64; "dseq" day u64 -> u64
// account      addr                             {"acct","created"}
// token        SHA-256(token)                   {"addr","exp","device"?} (ACC-2): device once it
//                                               is used
// device       addr 0 device(32)                empty
// binding      HMAC(K_idx, addr)                version u64, nonce(12), sealed row (BND-2)
// aseq         acct day u64                     u64, the last number given (VCH-3)
// box          acct                             state u64, next uid u64, bytes u64, put bytes u64
// mail         acct uid u64                     {"flags","folder","message","size","state"}; once
//                                               deleted {"gone","state"}
// change       acct state u64                   uid u64: the newest change of each message (SYN-1)
// blob         hash                             the bytes
// blob_len     hash                             u64
// blob_owner   hash 'a' acct                    put by this account, not yet sent: time u64
//              hash 'm' acct uid u64            named by a message in this mailbox
//              hash 'q' rdom 0 seq u64          named by a queue entry for this domain
//              hash 'r' sdom                    pulled for a delivery that is not accepted yet:
//                                               time u64
// submitted    acct ehash                       exp u64 (SUB-3)
// delivered    ehash SHA-256(addr)              exp u64, sdom (REL-11, REL-13)
// queue        rdom 0 seq u64                   {"acct","delivery","from"} (STO-3)
// queue_state  rdom 0 seq u64                   {"attempts","done","exp","next","refused","sent"}
// chain        domain                           {"chain","seen"}: the newest verified chain (DOM-6)
// log_leaf     epoch u64, label(16)             value(32): an entry of the binding log (BLG-7) and
//                                               the index of the epoch that added it
// log_epoch    index u64                        60 bytes (BLG-8); meta "binding_log_note" has the
//                                               newest checkpoint
// log_entry    HMAC(K_idx, addr) version u64    nonce(12), sealed entry
// log_vrf      HMAC(K_idx, addr) 0 u64          nonce(12), sealed VRF proofs that were made for the
//                                               address, each version u64, proof(81)
// expiry       time u64, table u8, key          empty: what the sweep removes and when
// group        group 0 addr                     empty: a member (GRP-3)
// group_copy   ehash SHA-256(acct)              empty: the account has a copy through a group
// 0x40         see directory/peer.h
#pragma once

#include <array>
#include <initializer_list>

#include "base/bytes.h"
#include "storage/storage.h"

namespace ams::server {

using storage::Table;

inline constexpr Table table_meta{0x01};
inline constexpr Table table_account{0x02};
inline constexpr Table table_token{0x03};
inline constexpr Table table_device{0x04};
inline constexpr Table table_binding{0x05};
inline constexpr Table table_aseq{0x06};
inline constexpr Table table_box{0x07};
inline constexpr Table table_mail{0x08};
inline constexpr Table table_change{0x09};
inline constexpr Table table_blob{0x0a};
inline constexpr Table table_blob_len{0x0b};
inline constexpr Table table_blob_owner{0x0c};
inline constexpr Table table_submitted{0x0d};
inline constexpr Table table_delivered{0x0e};
inline constexpr Table table_queue{0x0f};
inline constexpr Table table_queue_state{0x10};
inline constexpr Table table_chain{0x11};
inline constexpr Table table_expiry{0x12};
inline constexpr Table table_group{0x1c};
inline constexpr Table table_group_copy{0x1d};
inline constexpr Table table_log_leaf{0x18};
inline constexpr Table table_log_epoch{0x19};
inline constexpr Table table_log_entry{0x1a};
inline constexpr Table table_log_vrf{0x1b};

inline std::array<std::uint8_t, 8> be64(std::uint64_t value) {
  std::array<std::uint8_t, 8> out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  return out;
}
inline std::array<std::uint8_t, 8> be64(std::int64_t value) {
  return be64(static_cast<std::uint64_t>(value < 0 ? 0 : value));
}

/// A key of its parts, in order.
inline Bytes key_of(std::initializer_list<ByteView> parts) {
  Bytes out;
  for (const ByteView part : parts) append(out, part);
  return out;
}
inline constexpr std::array<std::uint8_t, 1> key_zero{0};
/// A part that is one character.
inline std::array<std::uint8_t, 1> key_char(char c) { return {static_cast<std::uint8_t>(c)}; }

}  // namespace ams::server
