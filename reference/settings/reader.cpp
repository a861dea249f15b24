#include "settings/reader.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace ams::settings {
namespace {

struct Problem {
  std::uint32_t line = 0;  // 0: about the file
  std::string text;
};

std::string_view kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

/// What stands there, as the user wrote it where that is short.
std::string shown(const toml::node& node) {
  std::ostringstream out;
  if (const auto* text = node.as_string()) {
    out << '"' << std::string_view(text->get()).substr(0, 80) << '"';
  } else if (const auto* integer = node.as_integer()) {
    out << integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    out << number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out << (boolean->get() ? "true" : "false");
  } else {
    out << kind_of(node);
  }
  return out.str();
}

std::string range_text(std::string_view what, auto min, auto max) {
  std::ostringstream out;
  out << what << " from " << min << " to " << max;
  return out.str();
}

}  // namespace

struct Reader::State {
  std::string file;
  toml::table root;
  std::vector<Problem> problems;
  std::set<const toml::node*> used;

  void add(std::uint32_t line, const std::string& field, const std::string& what) {
    std::string text = file;
    if (line != 0) text += ':' + std::to_string(line);
    problems.push_back({line, text + ": " + field + ": " + what});
  }
  void add_unknown(const toml::table& table, const std::string& path);
};

struct Section::Access {
  static const toml::table* table(const Section& s) {
    return static_cast<const toml::table*>(s.table_);
  }
  static Reader::State& state(const Section& s) { return *s.reader_->state_; }

  /// The field's node, marked as known; null when absent.
  static const toml::node* find(const Section& s, std::string_view name) {
    const toml::node* node = table(s) == nullptr ? nullptr : table(s)->get(name);
    if (node != nullptr) state(s).used.insert(node);
    return node;
  }
  static void wrong(const Section& s, std::string_view name, const toml::node* node,
                    const std::string& expected) {
    const std::string field = s.path_ + std::string(name);
    if (node != nullptr) {
      state(s).add(node->source().begin.line, field,
                   "expected " + expected + ", found " + shown(*node));
    } else {
      // A missing field has no line; its table's header is the place to look at.
      const auto line = table(s) == nullptr ? 0 : table(s)->source().begin.line;
      state(s).add(s.path_.empty() ? 0 : line, field, "is missing; expected " + expected);
    }
  }
  /// `T`: toml's type of the value. `read` gives the value, or nothing when it is out of bounds.
  template <class T, class Read>
  static T get(const Section& s, std::string_view name, const std::optional<T>& otherwise,
               const std::string& expected, const Read& read) {
    const toml::node* node = find(s, name);
    if (node == nullptr && otherwise) return *otherwise;
    if (node != nullptr) {
      if (const std::optional<T> value = read(*node)) return *value;
    }
    wrong(s, name, node, expected);
    return otherwise.value_or(T{});
  }
};

Rule one_of(std::vector<std::string> words) {
  std::string expected = "one of";
  for (const std::string& word : words) expected += (&word == words.data() ? " " : ", ") + word;
  return {[words = std::move(words)](std::string_view text) {
            return std::find(words.begin(), words.end(), text) != words.end();
          },
          expected};
}

Rule not_empty() {
  return {[](std::string_view text) { return !text.empty(); }, "a text"};
}

std::string Section::text(std::string_view name, const Rule& rule,
                          std::optional<std::string> otherwise) {
  return Access::get<std::string>(*this, name, otherwise, rule.expected,
                                  [&](const toml::node& node) {
                                    auto value = node.value_exact<std::string>();
                                    return value && rule.holds(*value) ? value : std::nullopt;
                                  });
}

std::int64_t Section::integer(std::string_view name, Range range,
                              std::optional<std::int64_t> otherwise) {
  return Access::get<std::int64_t>(
      *this, name, otherwise, range_text("an integer", range.min, range.max),
      [&](const toml::node& node) {
        const auto value = node.value_exact<std::int64_t>();
        return value && *value >= range.min && *value <= range.max ? value : std::nullopt;
      });
}

double Section::number(std::string_view name, double min, double max,
                       std::optional<double> otherwise) {
  return Access::get<double>(*this, name, otherwise, range_text("a number", min, max),
                             [&](const toml::node& node) -> std::optional<double> {
                               if (!node.is_number()) return std::nullopt;
                               const auto value = node.value<double>();
                               return value && *value >= min && *value <= max ? value
                                                                              : std::nullopt;
                             });
}

bool Section::boolean(std::string_view name, std::optional<bool> otherwise) {
  return Access::get<bool>(*this, name, otherwise, "true or false",
                           [](const toml::node& node) { return node.value_exact<bool>(); });
}

std::vector<std::string> Section::texts(std::string_view name, const Rule& rule) {
  const std::string expected = "a list, each item " + rule.expected;
  const toml::node* node = Access::find(*this, name);
  if (node == nullptr) return {};
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    Access::wrong(*this, name, node, expected);
    return {};
  }
  std::vector<std::string> out;
  for (const toml::node& item : *array) {
    const auto value = item.value_exact<std::string>();
    if (value && rule.holds(*value)) {
      out.push_back(*value);
    } else {
      Access::wrong(*this, name, &item, expected);
    }
  }
  return out;
}

Section Section::section(std::string_view name) {
  const toml::node* node = Access::find(*this, name);
  if (node != nullptr && !node->is_table()) Access::wrong(*this, name, node, "a table");
  return {*reader_, node == nullptr ? nullptr : node->as_table(), path_ + std::string(name) + '.'};
}

std::vector<Section> Section::sections(std::string_view name) {
  const toml::node* node = Access::find(*this, name);
  if (node == nullptr) return {};
  const toml::array* array = node->as_array();
  std::vector<Section> out;
  if (array == nullptr || !std::all_of(array->begin(), array->end(),
                                       [](const toml::node& item) { return item.is_table(); })) {
    Access::wrong(*this, name, node, "tables, [[" + path_ + std::string(name) + "]]");
    return out;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const std::string path = path_ + std::string(name) + '[' + std::to_string(i) + "].";
    out.push_back({*reader_, array->get(i)->as_table(), path});
  }
  return out;
}

bool Section::has(std::string_view name) const {
  return table_ != nullptr && Access::table(*this)->contains(name);
}

std::vector<std::string> Section::names() const {
  std::vector<std::string> out;
  if (table_ == nullptr) return out;
  for (const auto& [key, node] : *Access::table(*this)) out.emplace_back(key.str());
  return out;
}

void Section::refuse(std::string_view name, const std::string& expected) {
  Access::wrong(*this, name, Access::find(*this, name), expected);
}

void Reader::State::add_unknown(const toml::table& table, const std::string& path) {
  for (const auto& [key, node] : table) {
    const std::string field = path + std::string(key.str());
    if (!used.contains(&node)) {
      add(node.source().begin.line, field, "expected no such field");
    } else if (const auto* inner = node.as_table()) {
      add_unknown(*inner, field + '.');
    } else if (const auto* array = node.as_array()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        if (const auto* item = array->get(i)->as_table()) {
          add_unknown(*item, field + '[' + std::to_string(i) + "].");
        }
      }
    }
  }
}

tl::expected<Reader, std::string> Reader::parse(std::string_view text,
                                                const std::string& file_name) {
  auto state = std::make_unique<State>();
  state->file = file_name;
  try {
    state->root = toml::parse(text, file_name);
  } catch (const toml::parse_error& error) {
    std::ostringstream out;
    out << file_name << ':' << error.source().begin.line << ": not TOML: " << error.description();
    return tl::unexpected(out.str());
  }
  return Reader(std::move(state));
}

tl::expected<Reader, std::string> Reader::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  in.peek();  // a folder opens well and fails at the first byte
  if (!in.is_open() || in.bad()) return tl::unexpected(path + ": cannot be read");
  return parse(std::string{std::istreambuf_iterator<char>(in), {}}, path);
}

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Section Reader::root() { return {*this, &state_->root, ""}; }

tl::expected<void, std::string> Reader::finish() {
  auto& problems = state_->problems;
  state_->add_unknown(state_->root, "");
  if (problems.empty()) return {};
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  std::string text;
  for (const Problem& problem : problems) text += (text.empty() ? "" : "\n") + problem.text;
  return tl::unexpected(text);
}

}  // namespace ams::settings
