// Reader: files that people write (TOML: configuration, scenarios), read strictly.
//
// Every problem is collected, each as one line `file:line: field: expected …, found …`; a field
// that nobody asked for is a problem too. After a problem the getter returns the default, so that
// one run shows all of them; the values count only when finish() succeeds.
//
//   auto reader = Reader::load("amsd.toml");
//        auto listen = reader->root().section("listen");
//        options.port = listen.integer("port", {1, 65535}, 7747);
//        if (auto ok = reader->finish(); !ok) …print ok.error(), exit 2
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace ams::settings {

struct Range {
  std::int64_t min, max;
};
/// What a text must be: `holds` decides, `expected` says it to the user ("a lower-case domain
/// name").
struct Rule {
  std::function<bool(std::string_view)> holds;
  std::string expected;
};
/// One of these words.
Rule one_of(std::vector<std::string> words);
/// Any text but the empty one.
Rule not_empty();

class Reader;

/// A table of the file; one that is absent reads like an empty one. Lives as long as its Reader.
/// Without a default a field is required.
class Section {
 public:
  std::string text(std::string_view name, const Rule& rule,
                   std::optional<std::string> otherwise = std::nullopt);
  std::int64_t integer(std::string_view name, Range range,
                       std::optional<std::int64_t> otherwise = std::nullopt);
  double number(std::string_view name, double min, double max,
                std::optional<double> otherwise = std::nullopt);
  bool boolean(std::string_view name, std::optional<bool> otherwise = std::nullopt);
  /// A list of texts; absent: empty.
  std::vector<std::string> texts(std::string_view name, const Rule& rule);
  Section section(std::string_view name);
  /// An array of tables, [[name]]; absent: empty.
  std::vector<Section> sections(std::string_view name);
  bool has(std::string_view name) const;
  /// Names of the fields, in the file's order of bytes; to read tables whose keys are free.
  std::vector<std::string> names() const;
  /// Adds a problem of the caller's own about a field: `expected` as in "a date after start".
  void refuse(std::string_view name, const std::string& expected);

 private:
  friend class Reader;
  struct Access;
  Section(Reader& reader, const void* table, std::string path)
      : reader_(&reader), table_(table), path_(std::move(path)) {}
  Reader* reader_;
  const void* table_;  // toml::table, or null when absent
  std::string path_;   // "limits." before the field's name
};

class Reader {
 public:
  static tl::expected<Reader, std::string> load(const std::string& path);
  static tl::expected<Reader, std::string> parse(std::string_view text,
                                                 const std::string& file_name);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  /// Valid until the Reader moves or ends.
  Section root();
  /// All problems, a line each, in the order of the file's lines. Call it once, after all
  /// fields were read.
  tl::expected<void, std::string> finish();

 private:
  friend struct Section::Access;
  struct State;
  explicit Reader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ams::settings
