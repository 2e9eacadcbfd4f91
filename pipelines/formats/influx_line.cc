#include "pipelines/formats/influx_line.h"

#include <algorithm>
#include <array>

#include "pipelines/formats/lines.h"

namespace leat::formats {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::size_t kMaxLineWithTexts = 1U << 20;
constexpr std::size_t kMaxTextLines = 100;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// What may end a name or a tag, or stands behind a backslash in it.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> special{};
  for (const char c : {',', ' ', '=', '\\', '\n'}) special[static_cast<unsigned char>(c)] = true;
  return special;
}();

std::size_t next_special(std::string_view text, std::size_t at) {
  while (at < text.size() && !kSpecial[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

/// A backslash that takes the meaning of what is behind it.
bool is_escape(std::string_view text, std::size_t at) {
  if (text[at] != '\\' || at + 1 >= text.size()) return false;
  const char next = text[at + 1];
  return next == ',' || next == ' ' || next == '=';
}

/// The place of the quote that closes the text which begins at `at`; npos: there is none.
std::size_t closing_quote(std::string_view text, std::size_t at) {
  at = text.find_first_of("\"\\", at);
  // What a backslash stands before closes nothing.
  while (at != kNone && text[at] == '\\') at = text.find_first_of("\"\\", at + 2);
  return at;
}

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

bool is_unsigned(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::size_t digits_from(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// [-]digits[.digits][e[+-]digits], where one of the two first digits may be missing.
bool is_float(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t integer = digits_from(text, at);
  std::size_t digits = integer - at;
  at = integer;
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = digits_from(text, at + 1);
    digits += end - at - 1;
    at = end;
  }
  if (digits == 0) return false;
  if (at == text.size()) return true;
  if (text[at] != 'e' && text[at] != 'E') return false;
  ++at;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  return at < text.size() && digits_from(text, at) == text.size();
}

}  // namespace

// ---- One line --------------------------------------------------------------------------------------------

InfluxLine::Step InfluxLine::broken(const char* why) {
  why_ = why;
  return Step::kBroken;
}

std::string InfluxLine::problem() const {
  return "byte " + std::to_string(at_) + ": " + why_;
}

void InfluxLine::skip_blanks() {
  while (at(' ')) ++at_;
}

/// Up to a comma, a blank or '=' that is no part of it.
InfluxText InfluxLine::name() {
  const std::size_t begin = at_;
  bool escaped = false;
  for (;;) {
    at_ = next_special(line_, at_);
    if (at_ == line_.size() || line_[at_] != '\\') break;
    const bool escape = is_escape(line_, at_);
    escaped = escaped || escape;
    at_ += escape ? 2 : 1;
  }
  return {line_.substr(begin, at_ - begin), escaped};
}

InfluxLine::Step InfluxLine::measurement(InfluxText& out) {
  skip_blanks();
  const std::size_t begin = at_;
  out = name();
  while (at('=')) {  // Which means nothing here.
    ++at_;
    const InfluxText rest = name();
    out = {line_.substr(begin, at_ - begin), out.escaped || rest.escaped};
  }
  if (out.text.empty()) return broken("no measurement");
  return Step::kItem;
}

bool InfluxLine::key_and_sign(InfluxText& key) {
  key = name();
  if (key.text.empty() || !at('=')) return false;
  ++at_;
  return true;
}

InfluxLine::Step InfluxLine::tag(InfluxText& key, InfluxText& value) {
  if (!at(',')) return at(' ') ? Step::kEnd : broken("no field behind the tags");
  ++at_;
  if (!key_and_sign(key)) return broken("a tag without a key or '='");
  value = name();
  if (value.text.empty()) return broken("a tag without a value");
  if (at('=')) return broken("'=' in a tag without a backslash before it");
  return Step::kItem;
}

InfluxLine::Step InfluxLine::field(InfluxText& key, InfluxValue& value) {
  if (!more_fields_) return Step::kEnd;
  skip_blanks();
  if (!key_and_sign(key)) return broken("a field without a key or '='");
  const Step step = at('"') ? text_value(value) : plain_value(value);
  if (step == Step::kBroken) return step;
  more_fields_ = at(',');
  if (more_fields_)
    ++at_;
  else if (at_ < line_.size() && !at(' '))
    return broken("neither a comma nor a blank behind a field");
  return Step::kItem;
}

InfluxLine::Step InfluxLine::text_value(InfluxValue& value) {
  const std::size_t begin = at_ + 1;
  const std::size_t end = closing_quote(line_, begin);
  if (end == kNone) return broken("a text without its closing quote");
  const std::string_view text = line_.substr(begin, end - begin);
  value = {InfluxValue::Kind::kText, {text, text.find('\\') != kNone}};
  at_ = end + 1;
  return Step::kItem;
}

InfluxLine::Step InfluxLine::plain_value(InfluxValue& value) {
  using Kind = InfluxValue::Kind;
  const std::size_t end = std::min(line_.find_first_of(", ", at_), line_.size());
  std::string_view text = line_.substr(at_, end - at_);
  const char last = text.empty() ? '\0' : text.back();
  bool boolean = false;
  if (last == 'i' && is_integer(text.substr(0, text.size() - 1)))
    value = {Kind::kInteger, {text.substr(0, text.size() - 1)}};
  else if (last == 'u' && is_unsigned(text.substr(0, text.size() - 1)))
    value = {Kind::kUnsigned, {text.substr(0, text.size() - 1)}};
  else if (is_float(text))
    value = {Kind::kFloat, {text}};
  else if (read_influx_boolean(text, boolean))
    value = {Kind::kBoolean, {text}};
  else
    return broken("neither a number, a boolean nor a text in quotes");
  at_ = end;
  return Step::kItem;
}

InfluxLine::Step InfluxLine::timestamp(std::string_view& out) {
  skip_blanks();
  if (at_ == line_.size()) return Step::kEnd;
  const std::size_t end = std::min(line_.find(' ', at_), line_.size());
  out = line_.substr(at_, end - at_);
  if (!is_integer(out)) return broken("a timestamp that is no integer");
  at_ = end;
  skip_blanks();
  return at_ == line_.size() ? Step::kItem : broken("something behind the timestamp");
}

bool is_influx_comment(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r\n");
  return first == kNone || line[first] == '#';
}

bool read_influx_boolean(std::string_view text, bool& out) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> spellings) {
    return std::ranges::find(spellings, text) != spellings.end();
  };
  const bool yes = is_one_of({"t", "T", "true", "True", "TRUE"});
  if (!yes && !is_one_of({"f", "F", "false", "False", "FALSE"})) return false;
  out = yes;
  return true;
}

// ---- Lines -----------------------------------------------------------------------------------------------

namespace {

/// Where the fields begin: behind the first blank that is not escaped; npos: not in the first line.
std::size_t fields_of(std::string_view bytes) {
  std::size_t at = bytes.find_first_not_of(' ');
  if (at == kNone || bytes[at] == '#') return kNone;
  for (;;) {
    at = next_special(bytes, at);
    if (at == bytes.size() || bytes[at] == '\n') return kNone;
    if (bytes[at] == ' ') break;
    at += is_escape(bytes, at) ? 2 : 1;
  }
  return bytes.find_first_not_of(' ', at);
}

constexpr std::size_t kBrokenText = 0;

/// The end of the line by its texts, of which the fields begin at `at`; npos: not within `bytes`;
/// kBrokenText: something stands behind a text that must not.
std::size_t end_by_texts(std::string_view bytes, std::size_t at, Behind behind) {
  while (at < bytes.size()) {
    while (at < bytes.size() && bytes[at] != '=' && bytes[at] != ' ' && bytes[at] != '\n')
      at += is_escape(bytes, at) ? 2 : 1;
    if (at >= bytes.size() || bytes[at] != '=') break;
    if (++at < bytes.size() && bytes[at] == '"') {
      at = closing_quote(bytes, at + 1);
      if (at == kNone) return kNone;
      ++at;
      if (at < bytes.size() && std::string_view(", \r\n").find(bytes[at]) == kNone) return kBrokenText;
    } else {
      at = std::min(bytes.find_first_of(", \n", at), bytes.size());
    }
    if (at >= bytes.size() || bytes[at] != ',') break;
    ++at;
  }
  const std::size_t newline = bytes.find('\n', std::min(at, bytes.size()));
  if (newline != kNone) return newline + 1;
  return behind == Behind::kNothing ? bytes.size() : kNone;
}

}  // namespace

std::size_t first_influx_line(std::string_view bytes, Behind behind) {
  const std::size_t newline = bytes.find('\n');
  const std::string_view line = bytes.substr(0, newline);
  const std::size_t line_length = newline == kNone ? bytes.size() : newline + 1;
  const bool whole_line = newline != kNone || behind == Behind::kNothing;
  if (line.find('"') == kNone) return whole_line ? line_length : 0;
  const std::size_t fields = fields_of(bytes);
  if (fields == kNone) return whole_line ? line_length : 0;
  // Most texts are within a line.
  if (whole_line && end_by_texts(bytes.substr(0, line_length), fields, Behind::kNothing) != kNone)
    return line_length;
  const std::string_view reach = first_lines(bytes, kMaxTextLines, kMaxLineWithTexts);
  const bool cut = reach.size() < bytes.size();
  const std::size_t end = end_by_texts(reach, fields, cut ? Behind::kMore : behind);
  if (end == kBrokenText) return whole_line ? line_length : 0;
  if (end != kNone) return end;
  return whole_line && (cut || behind == Behind::kNothing) ? line_length : 0;
}

std::size_t whole_influx_lines(std::string_view bytes, Behind behind) {
  if (behind == Behind::kNothing) return bytes.size();
  if (bytes.find('"') == kNone) {
    const std::size_t newline = bytes.rfind('\n');
    return newline == kNone ? 0 : newline + 1;
  }
  std::size_t length = 0;
  while (const std::size_t line = first_influx_line(bytes.substr(length), behind)) length += line;
  return length;
}

}  // namespace leat::formats
