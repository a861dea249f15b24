// The tables of `ams-bench directory`: what a peer of the key directory does in a second, beside
// the signatures that nobody can save, and how all of it grows with the keys held.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "paired/measure.h"

namespace ams::directory_bench {

/// Publications: `seconds` of each contestant are measured, so many fresh records are made.
std::vector<paired::Table> publish_tables(double seconds, const std::string& folder);
std::vector<paired::Table> look_up_tables();  // proofs, and what a client does with one
std::vector<paired::Table> state_tables(const std::string& folder);  // restart, repair

/// What this process grows by when it starts a peer over that file.
std::int64_t resident_bytes(const std::string& path);
/// What is no time: name and text. Counts of messages and bytes, and the memory of peers that were
/// started for it, each in a process `ams-bench resident FILE`.
std::vector<std::pair<std::string, std::string>> counted(const std::string& folder);

}  // namespace ams::directory_bench
