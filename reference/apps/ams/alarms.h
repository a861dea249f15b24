// What a domain's binding log gave away, as the user is told of it: a changed key, a lie with the
// file that shows it to others (spec BLG-15, BLG-18, BLG-19).
#pragma once

#include <string>

#include "ams_cli/home.h"
#include "client/client.h"

namespace ams::cli {

std::string text_of(const client::KeyChanged& change);

inline constexpr std::size_t alarm_files_max = 256;  // in an account's folder, of either kind

/// The warning. What convicts the domain, or else what its server showed, is in the file that it
/// names, in the account's folder: `alarm-….json` or `alarm-…-answer.json`, one for each address
/// and code, always the newest. So a domain that varies its answers adds none, and none of them
/// takes the place of what convicts it. What would make more of a kind than alarm_files_max is not
/// kept, and the warning says so.
std::string warn_of(const Home& home, const client::Alarm& alarm);

/// `ams keys evidence FILE`: whether the file shows anyone that its domain lied, judged by what is
/// known here of that domain. Exit code 1 when it shows nothing.
int keys_evidence(const std::string& home, const std::string& file);

}  // namespace ams::cli
