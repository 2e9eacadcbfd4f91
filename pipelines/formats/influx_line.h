// The grammar of InfluxDB's line protocol, version 2:
//
//   line  := measurement { ',' key '=' tag } ' ' key '=' value { ',' key '=' value } [ ' ' timestamp ]
//   value := float | integer 'i' | unsigned 'u' | '"' text '"' | t | T | true | True | TRUE | f | …
//
// A comma and a blank in a measurement, and '=' in keys and tags, too, stand behind a backslash; in a text,
// which may have ends of lines, '"' and '\' do. Any other backslash is itself. A line that begins with '#' is
// a comment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/formats/format.h"

namespace leat::formats {

/// A name or a tag as it stands in the line.
struct InfluxText {
  std::string_view text;
  bool escaped = false;  ///< It has escapes.
};

struct InfluxValue {
  enum class Kind : std::uint8_t {
    kAbsent,
    kMeasurement,
    kTag,
    kFloat,
    kInteger,
    kUnsigned,
    kText,
    kBoolean
  };
  Kind kind = Kind::kAbsent;
  /// Without quotes and the letter of a number's type.
  InfluxText text;
};

/// Walks over one line from left to right: the measurement, tags, fields, the timestamp.
class InfluxLine {
 public:
  enum class Step : std::uint8_t {
    kItem,   ///< There was one.
    kEnd,    ///< There is none, or no more.
    kBroken  ///< This is no line protocol; `problem` says why.
  };

  explicit InfluxLine(std::string_view line) : line_(line) {}

  Step measurement(InfluxText& out);
  Step tag(InfluxText& key, InfluxText& value);
  Step field(InfluxText& key, InfluxValue& value);
  /// Its digits, with their sign.
  Step timestamp(std::string_view& out);

  /// "byte 12: a tag without '='".
  [[nodiscard]] std::string problem() const;

 private:
  Step broken(const char* why);
  InfluxText name();
  bool key_and_sign(InfluxText& key);
  Step text_value(InfluxValue& value);
  Step plain_value(InfluxValue& value);
  void skip_blanks();
  [[nodiscard]] bool at(char c) const { return at_ < line_.size() && line_[at_] == c; }

  std::string_view line_;
  std::size_t at_ = 0;
  bool more_fields_ = true;
  const char* why_ = "";
};

/// True for what is no line at all: blanks, or a comment.
bool is_influx_comment(std::string_view line);

/// The spellings of true and false; false with `out` untouched: neither.
bool read_influx_boolean(std::string_view text, bool& out);

/// Length of the first line of `bytes` with its end, which is not within a text; 0: more is needed to tell. A
/// text that is not closed within 1 MiB and 100 lines, or not before the end, costs the line it begins in
/// only.
std::size_t first_influx_line(std::string_view bytes, Behind behind);
/// As RecordSplitter says.
std::size_t whole_influx_lines(std::string_view bytes, Behind behind);

}  // namespace leat::formats
