// The probes of the mutants of bindlog_witness.cpp: whether each rule of BLG-35 to BLG-38 holds.
#pragma once

#include "directory/bindlog_test.h"

namespace ams::directory::testing {

inline Code code_of(const Result<wire::Value>& outcome) {
  return outcome ? Code::bom : outcome.error().code;
}

inline bool limits_epochs_shown_at_once() {
  WitnessHost host;
  while (host.home.epochs.size() <= shown_epochs_max) host.home.grow(0);
  return code_of(host.show(0, shown_epochs_max + 1)) == Code::batch_too_large;
}

inline Code shown_added(const Bytes& added) {
  WitnessHost host;
  wire::Value args = host.home.args(0, 1);
  args.as_object()["epochs"].as_array()[0].as_object()["added"] = to_base64url(added);
  return code_of(host.show(args));
}
inline bool limits_versions_shown_at_once() {
  return shown_added(Bytes(48 * (shown_added_max + 1), 1)) == Code::batch_too_large;
}

inline bool demands_labels_in_order() {
  WitnessHost host;
  auto& added = host.home.epochs[1].added;
  std::swap(added[0], added[1]);
  return code_of(host.show(0, 2)) == Code::proof_form;
}

inline bool convicts_two_faces() {
  WitnessHost host;
  const auto honest = host.show(0, 2);
  return honest && code_of(host.show(fork_of(host).args(0, 2))) == Code::log_rewritten;
}

inline bool witnesses_who_keeps_a_log() {
  WitnessHost host;
  keys::DomainRecord record = host.home.record();
  record.log.reset();
  return code_of(host.peer.take(host.peer.peer.bindlog(host.home.args(0, 2), record, host.now))) ==
         Code::not_found;
}

inline bool knows_one_key_of_a_log() {
  WitnessHost host;
  if (!host.show(0, 2)) return false;
  ShownLog other("other.example");
  other.grow();
  keys::DomainRecord record = other.record();
  record.domain = host.home.domain;
  return code_of(host.peer.take(host.peer.peer.bindlog(other.args(0, 1), record, host.now))) ==
         Code::log_replaced;
}

inline bool compares_sizes() {
  WitnessHost host;
  wire::Value args = host.home.args(2, 2);
  args.as_object()["from"] = 5;
  return code_of(host.show(args)) == Code::proof;
}

inline bool says_from_where() {
  WitnessHost host;
  if (!host.show(0, 2)) return false;
  const auto behind = host.show(0, 1);
  return behind && *behind->find("size") == wire::Value(2) &&
         behind->find("cosignature") == nullptr;
}

inline bool keeps_a_budget_for_logs() {
  MapStore store;
  const keys::KeyPair op = make_key(1);
  BindlogWitness witness("p.example", &op.signing, store, {.per_day = 1});
  ShownLog home;
  home.grow();
  storage::WriteBatch writes;
  return !witness.show(home.args(0, 1), home.record(), from_unix_ms(bt::now_ms), writes);
}

inline bool gives_its_cosignature() {
  WitnessHost host;
  const auto answer = host.show(0, 2);
  return answer && host.cosigned(*answer, 2);
}

}  // namespace ams::directory::testing
