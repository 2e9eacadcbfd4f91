// Typed option tables. A connector or format declares a plain struct and one table of rows
// {key, field, necessity, doc}; the table gives the parser, the defaults (the struct's initialisers), the
// validation messages, the help text and the documentation. Used for `WITH ( … )` keys, for formats' keys
// and for daemon configuration.
//
//   struct DatagenOptions { std::uint64_t rows_per_second = 10'000; std::optional<std::uint64_t> rows; };
//   const OptionTable<DatagenOptions>& datagen_options() {
//     static const OptionTable<DatagenOptions> table{
//         option("rows-per-second", &DatagenOptions::rows_per_second, Necessity::kOptional, "Rows per
//         second."), option("number-of-rows", &DatagenOptions::rows, Necessity::kOptional, "Stop after so
//         many rows.")};
//     return table;
//   }
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "pipelines/base/bytes.h"
#include "pipelines/base/nearest.h"
#include "pipelines/base/result.h"
#include "pipelines/base/time.h"

namespace leat {

/// The `WITH` clause: keys and values as written, in key order.
using OptionMap = std::map<std::string, std::string, std::less<>>;

/// A value that never shows: prints as *** in messages, plans, logs and the API.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

/// The keys behind a prefix and their values, none of which shows.
using SecretMap = std::map<std::string, Secret, std::less<>>;

/// A count of bytes in an options struct ("1 mb").
struct ByteSize {
  std::uint64_t bytes = 0;
};

enum class Necessity : std::uint8_t { kRequired, kOptional };

/// What help and documentation print of one key.
struct OptionDoc {
  std::string key;           ///< As written in SQL; a trailing ".*" takes every key with that prefix.
  std::string type;          ///< "string", "duration", "one of 'a', 'b'", …
  std::string default_text;  ///< As the user would write it; empty: none.
  Necessity necessity = Necessity::kOptional;
  std::string doc;  ///< One or two full sentences.
};

namespace option_text {
// How one value is read, printed and named, by the type of the field. Errors name the expected form only;
// the table adds key and value.
Status read(std::string_view text, std::string& out);
Status read(std::string_view text, Secret& out);
Status read(std::string_view text, bool& out);
Status read(std::string_view text, std::int64_t& out);
Status read(std::string_view text, std::uint64_t& out);
Status read(std::string_view text, std::uint32_t& out);
Status read(std::string_view text, std::uint16_t& out);
Status read(std::string_view text, double& out);
Status read(std::string_view text, Micros& out);
Status read(std::string_view text, ByteSize& out);
/// A list is separated by ';', as in Flink; empty elements are dropped.
Status read(std::string_view text, std::vector<std::string>& out);
template <class T>
Status read(std::string_view text, std::optional<T>& out) {
  return read(text, out.emplace());
}

std::string print(const std::string& value);
std::string print(const Secret& value);
std::string print(bool value);
std::string print(std::int64_t value);
std::string print(std::uint64_t value);
std::string print(std::uint32_t value);
std::string print(std::uint16_t value);
std::string print(double value);
std::string print(Micros value);
std::string print(ByteSize value);
std::string print(const std::vector<std::string>& value);
template <class T>
std::string print(const std::optional<T>& value) {
  return value ? print(*value) : std::string();
}

std::string_view name_of(const std::string*);
std::string_view name_of(const Secret*);
std::string_view name_of(const bool*);
std::string_view name_of(const std::int64_t*);
std::string_view name_of(const std::uint64_t*);
std::string_view name_of(const std::uint32_t*);
std::string_view name_of(const std::uint16_t*);
std::string_view name_of(const double*);
std::string_view name_of(const Micros*);
std::string_view name_of(const ByteSize*);
std::string_view name_of(const std::vector<std::string>*);
template <class T>
std::string_view name_of(const std::optional<T>*) {
  return name_of(static_cast<const T*>(nullptr));
}
}  // namespace option_text

/// One row of a table: how a key is read into `Options`. Type-erased so that tables are plain vectors.
template <class Options>
struct Option {
  OptionDoc doc;
  /// `key` is the full key as written (it differs from `doc.key` for prefix options).
  std::function<Status(Options&, std::string_view key, std::string_view value)> set;
};

template <class Options, class Field>
Option<Options> option(std::string key, Field Options::*field, Necessity necessity, std::string doc) {
  static const Options defaults{};
  OptionDoc row{std::move(key), std::string(option_text::name_of(static_cast<const Field*>(nullptr))),
                option_text::print(defaults.*field), necessity, std::move(doc)};
  return {std::move(row), [field](Options& options, std::string_view, std::string_view value) {
            return option_text::read(value, options.*field);
          }};
}

/// An enumerator field: `choices` pairs each spelling with its value; the default is the struct's.
template <class Options, class Enum>
Option<Options> choice(std::string key, Enum Options::*field,
                       std::vector<std::pair<std::string, Enum>> choices, Necessity necessity,
                       std::string doc) {
  static const Options defaults{};
  std::string names;
  std::string default_text;
  for (const auto& [name, value] : choices) {
    names += (names.empty() ? "one of '" : ", '") + name + "'";
    if (value == defaults.*field) default_text = name;
  }
  OptionDoc row{std::move(key), names, default_text, necessity, std::move(doc)};
  return {std::move(row),
          [field, choices, names](Options& options, std::string_view, std::string_view value) -> Status {
            for (const auto& [name, enumerator] : choices) {
              if (name != value) continue;
              options.*field = enumerator;
              return {};
            }
            return fail(ErrorCode::kInvalid, "expected " + names);
          }};
}

/// Takes every key that starts with `prefix` ("properties."); the map's keys come without it.
template <class Options>
Option<Options> prefix_option(std::string prefix, OptionMap Options::*field, std::string doc) {
  const std::size_t length = prefix.size();
  OptionDoc row{prefix + "*", "string", "", Necessity::kOptional, std::move(doc)};
  return {std::move(row),
          [field, length](Options& options, std::string_view key, std::string_view value) -> Status {
            (options.*field)[std::string(key.substr(length))] = std::string(value);
            return {};
          }};
}

/// The same for keys whose values must never show (HTTP headers, a client library's properties).
template <class Options>
Option<Options> secret_prefix_option(std::string prefix, SecretMap Options::*field, std::string doc) {
  const std::size_t length = prefix.size();
  OptionDoc row{prefix + "*", "secret", "", Necessity::kOptional, std::move(doc)};
  return {std::move(row),
          [field, length](Options& options, std::string_view key, std::string_view value) -> Status {
            (options.*field)[std::string(key.substr(length))] = Secret(std::string(value));
            return {};
          }};
}

/// One wrong key or value; the binder puts the caret under the text it names.
struct OptionError {
  std::string key;  ///< The key at fault; for a missing one, its name.
  enum class Part : std::uint8_t { kKey, kValue, kMissing } part = Part::kKey;
  std::string message;  ///< A whole message, nearest name included.
};

template <class Options>
class OptionTable {
 public:
  OptionTable(std::initializer_list<Option<Options>> rows) : rows_(rows) {}

  /// Reads every key of `map`. Appends one error per unknown key, unreadable value and missing required key;
  /// the struct is complete only when nothing was appended. Keys in `foreign` belong to somebody else (the
  /// format's, the common ones) and are skipped, but their names are offered as nearest names.
  Options read(const OptionMap& map, const std::vector<OptionDoc>& foreign,
               std::vector<OptionError>& errors) const;

  [[nodiscard]] std::vector<OptionDoc> docs() const {
    std::vector<OptionDoc> docs;
    for (const auto& row : rows_) docs.push_back(row.doc);
    return docs;
  }

 private:
  std::vector<Option<Options>> rows_;
};

/// True if `key` is the row's key, or starts with its prefix when that ends in ".*".
bool option_matches(const OptionDoc& doc, std::string_view key);
OptionError unknown_option(std::string_view key, const std::vector<OptionDoc>& known);
OptionError unreadable_option(std::string_view key, std::string_view value, const Error& why, bool secret);
OptionError missing_option(const OptionDoc& doc);

template <class Options>
Options OptionTable<Options>::read(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                   std::vector<OptionError>& errors) const {
  Options options{};
  std::vector<bool> seen(rows_.size(), false);
  const auto find_row = [&](std::string_view key) {
    std::size_t index = 0;
    while (index < rows_.size() && !option_matches(rows_[index].doc, key)) ++index;
    return index;
  };
  for (const auto& [key, value] : map) {
    const std::size_t index = find_row(key);
    if (index < rows_.size()) {
      seen[index] = true;
      if (Status set = rows_[index].set(options, key, value); !set)
        errors.push_back(unreadable_option(key, value, set.error(), rows_[index].doc.type == "secret"));
      continue;
    }
    const auto is_foreign = [&key = key](const OptionDoc& doc) { return option_matches(doc, key); };
    if (std::any_of(foreign.begin(), foreign.end(), is_foreign)) continue;
    std::vector<OptionDoc> known = docs();
    known.insert(known.end(), foreign.begin(), foreign.end());
    errors.push_back(unknown_option(key, known));
  }
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (!seen[i] && rows_[i].doc.necessity == Necessity::kRequired)
      errors.push_back(missing_option(rows_[i].doc));
  return options;
}

}  // namespace leat
