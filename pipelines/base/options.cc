#include "pipelines/base/options.h"

#include <fmt/format.h>

#include <charconv>

namespace leat {
namespace option_text {
namespace {

template <class T>
Status read_number(std::string_view text, T& out, std::string_view expected) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return {};
  return fail(ErrorCode::kInvalid, fmt::format("expected {}", expected));
}

}  // namespace

Status read(std::string_view text, std::string& out) {
  out = text;
  return {};
}

Status read(std::string_view text, Secret& out) {
  out = Secret(std::string(text));
  return {};
}

Status read(std::string_view text, bool& out) {
  if (text != "true" && text != "false") return fail(ErrorCode::kInvalid, "expected 'true' or 'false'");
  out = text == "true";
  return {};
}

Status read(std::string_view text, std::int64_t& out) {
  return read_number(text, out, "a whole number");
}

Status read(std::string_view text, std::uint64_t& out) {
  return read_number(text, out, "a whole number from 0");
}

Status read(std::string_view text, std::uint32_t& out) {
  return read_number(text, out, "a whole number from 0 to 4294967295");
}

Status read(std::string_view text, std::uint16_t& out) {
  return read_number(text, out, "a whole number from 0 to 65535");
}

Status read(std::string_view text, double& out) {
  return read_number(text, out, "a number");
}

Status read(std::string_view text, Micros& out) {
  LEAT_ASSIGN(out, parse_duration(text));
  return {};
}

Status read(std::string_view text, ByteSize& out) {
  LEAT_ASSIGN(out.bytes, parse_byte_size(text));
  return {};
}

Status read(std::string_view text, std::vector<std::string>& out) {
  out.clear();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

std::string print(const std::string& value) {
  return value;
}
std::string print(const Secret& value) {
  return value.empty() ? "" : "***";
}
std::string print(bool value) {
  return value ? "true" : "false";
}
std::string print(std::int64_t value) {
  return std::to_string(value);
}
std::string print(std::uint64_t value) {
  return std::to_string(value);
}
std::string print(std::uint32_t value) {
  return std::to_string(value);
}
std::string print(std::uint16_t value) {
  return std::to_string(value);
}
std::string print(double value) {
  return fmt::format("{}", value);
}
std::string print(Micros value) {
  return format_duration(value);
}
std::string print(ByteSize value) {
  return format_byte_size(value.bytes);
}
std::string print(const std::vector<std::string>& value) {
  return fmt::format("{}", fmt::join(value, ";"));
}

std::string_view name_of(const std::string*) {
  return "string";
}
std::string_view name_of(const Secret*) {
  return "secret";
}
std::string_view name_of(const bool*) {
  return "boolean";
}
std::string_view name_of(const std::int64_t*) {
  return "integer";
}
std::string_view name_of(const std::uint64_t*) {
  return "integer";
}
std::string_view name_of(const std::uint32_t*) {
  return "integer";
}
std::string_view name_of(const std::uint16_t*) {
  return "integer";
}
std::string_view name_of(const double*) {
  return "number";
}
std::string_view name_of(const Micros*) {
  return "duration";
}
std::string_view name_of(const ByteSize*) {
  return "size";
}
std::string_view name_of(const std::vector<std::string>*) {
  return "list of strings separated by ';'";
}

}  // namespace option_text

bool option_matches(const OptionDoc& doc, std::string_view key) {
  const std::string_view pattern = doc.key;
  if (!pattern.ends_with(".*")) return pattern == key;
  const std::string_view prefix = pattern.substr(0, pattern.size() - 1);
  return key.size() > prefix.size() && key.starts_with(prefix);
}

OptionError unknown_option(std::string_view key, const std::vector<OptionDoc>& known) {
  std::vector<std::string> names;
  for (const OptionDoc& doc : known) names.push_back(doc.key);
  return {std::string(key), OptionError::Part::kKey,
          fmt::format("unknown option '{}'{}", key, did_you_mean(key, names))};
}

OptionError unreadable_option(std::string_view key, std::string_view value, const Error& why, bool secret) {
  // Durations and sizes already tell what they found.
  const bool says_found = why.message.find("found") != std::string::npos;
  std::string message = fmt::format("option '{}': {}", key, why.message);
  if (!says_found) message += fmt::format(", found '{}'", secret ? "***" : value);
  return {std::string(key), OptionError::Part::kValue, std::move(message)};
}

OptionError missing_option(const OptionDoc& doc) {
  return {doc.key, OptionError::Part::kMissing,
          fmt::format("option '{}' ({}) is required: {}", doc.key, doc.type, doc.doc)};
}

}  // namespace leat
