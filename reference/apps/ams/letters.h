// What `ams list` and `ams read` show: the mailbox as it was opened and verified by `ams sync`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::cli {

/// The rows of a report; empty for reports that are not of the mailbox. Writing them again is
/// harmless.
storage::WriteBatch letter_rows(const client::Report& report);

/// The stored letter, or empty.
std::optional<wire::Value> find_letter(const storage::Reader& reader, std::int64_t uid);
std::optional<Bytes> find_attachment(const storage::Reader& reader, std::int64_t uid,
                                     std::size_t i);
void each_letter(const storage::Reader& reader,
                 const std::function<void(std::int64_t uid, const wire::Value& letter)>& visit);

/// One line: uid, folder, date, from, subject; for notices and unreadable mail what they are.
std::string summary(std::int64_t uid, const wire::Value& letter);
/// The whole letter as text for a terminal: control characters of a stranger never reach it.
std::string render(const wire::Value& letter);
/// Without control characters, but line ends and tabs when `lines`.
std::string printable(std::string_view text, bool lines);
/// A name under which an attachment may be written: no folder in it, never hidden, never empty.
std::string file_name(std::string_view name, std::size_t i);

}  // namespace ams::cli
