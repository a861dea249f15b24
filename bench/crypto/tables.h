// The tables of `ams-bench crypto`: algorithm × operation × size × recipients × threads, each
// beside the primitives' own limit and what a user would pick instead.
#pragma once

#include <string>
#include <vector>

#include "crypto_bench/peers.h"
#include "paired/measure.h"

namespace ams::crypto_bench {

std::vector<paired::Table> algorithm_tables();  // sign, verify, make keys, wrap, unwrap
std::vector<paired::Table> stream_tables();     // sealed streams, attachments, containers
std::vector<paired::Table> letter_tables();     // by size, recipients, threads
std::vector<paired::Table> command_tables(const Commands& commands, const std::string& folder);

}  // namespace ams::crypto_bench
