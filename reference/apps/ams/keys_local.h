// `ams keys …` as far as it asks nobody: make, list, show, compare, put away and bring back.
#pragma once

#include <string>
#include <vector>

#include "ams_cli/commands.h"

namespace ams::cli {

struct KeysCreate {
  std::string profile = "modern";
  int days = 398;      // of life
  std::string output;  // the key file
  std::string addr;    // whose keys; may be empty
  std::string passphrase_file;
  bool force = false;
};
/// A pair that no account has, in a key file.
int keys_create(const Common& common, const KeysCreate& args);

int keys_list(const Common& common, bool json);

struct KeysShow {
  std::string who;  // address, file with a key record, id of a key; empty: the account's own
  bool json = false;
  bool qr = false;
};
int keys_show(const Common& common, const KeysShow& args);

struct KeysVerify {
  std::string who;                  // as of KeysShow
  std::vector<std::string> theirs;  // the fingerprint as it was read out, or a file with a record
};
/// Says whether the two are one key; of an address it is remembered.
int keys_verify(const Common& common, const KeysVerify& args);

struct KeysExport {
  std::string output;
  std::string passphrase_file;
  bool force = false;
};
int keys_export(const Common& common, const KeysExport& args);

struct KeysImport {
  std::string file;
  std::string passphrase_file;
};
int keys_import(const Common& common, const KeysImport& args);

struct ExportRecord {
  std::string keys;  // a key file instead of the account
  std::string passphrase_file;
};
/// Prints the key record in use, for others' --to and --from.
int export_record(const Common& common, const ExportRecord& args);

}  // namespace ams::cli
