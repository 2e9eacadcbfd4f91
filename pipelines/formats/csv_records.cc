#include "pipelines/formats/csv_records.h"

#include <algorithm>

#include "pipelines/formats/lines.h"

namespace leat::formats {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

}  // namespace

CsvRecords::CsvRecords(const CsvOptions& options)
    : delimiter_(options.delimiter()),
      quote_(options.quote()),
      escape_(options.escape()),
      trims_(options.trim_spaces),
      comments_(options.allow_comments) {}

std::size_t CsvRecords::first(std::string_view bytes, Behind behind) const {
  const std::size_t newline = bytes.find('\n');
  const std::string_view line = bytes.substr(0, newline);
  const std::size_t line_length = newline == kNone ? bytes.size() : newline + 1;
  const bool whole_line = newline != kNone || behind == Behind::kNothing;
  const bool comment = comments_ && line.starts_with('#');
  if (quote_ == '\0' || comment || line.find(quote_) == kNone) return whole_line ? line_length : 0;
  // Most records are a line.
  if (newline != kNone && quoted_end(bytes.substr(0, line_length), Behind::kMore) != kNone)
    return line_length;
  const std::string_view reach = first_lines(bytes, kMaxQuotedLines, kMaxQuotedRecord);
  const bool cut = reach.size() < bytes.size();
  if (const std::size_t end = quoted_end(reach, cut ? Behind::kMore : behind); end != kNone) return end;
  return whole_line && (cut || behind == Behind::kNothing) ? line_length : 0;
}

bool CsvRecords::is_record(std::string_view line) const {
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  const auto is_blank = [this](char c) { return static_cast<unsigned char>(c) <= ' ' && c != delimiter_; };
  return !std::ranges::all_of(line, is_blank) && !(comments_ && line.starts_with('#'));
}

std::size_t CsvRecords::header(std::string_view bytes, Behind behind) const {
  for (std::size_t length = 0; length < bytes.size();) {
    const std::size_t record = first(bytes.substr(length), behind);
    if (record == 0) break;
    const std::string_view line = bytes.substr(length, record);
    length += record;
    if (is_record(line)) return length;
  }
  return behind == Behind::kNothing ? bytes.size() : 0;
}

std::string_view CsvRecords::header_record(std::string_view header) const {
  while (!header.empty()) {
    std::string_view line = header.substr(0, first(header, Behind::kNothing));
    header.remove_prefix(line.size());
    if (!is_record(line)) continue;
    if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    return without_line_end(line);
  }
  return {};
}

std::size_t CsvRecords::whole(std::string_view bytes, Behind behind) const {
  if (behind == Behind::kNothing) return bytes.size();
  if (quote_ == '\0' || bytes.find(quote_) == kNone) {
    const std::size_t newline = bytes.rfind('\n');
    return newline == kNone ? 0 : newline + 1;
  }
  std::size_t length = 0;
  while (const std::size_t record = first(bytes.substr(length), behind)) length += record;
  return length;
}

bool CsvRecords::starts_quoted(std::string_view bytes, std::size_t& at) const {
  if (trims_ && delimiter_ != ' ')
    while (at < bytes.size() && bytes[at] == ' ') ++at;
  return at < bytes.size() && bytes[at] == quote_;
}

std::size_t CsvRecords::behind_quotes(std::string_view bytes, std::size_t at) const {
  for (; at < bytes.size(); ++at) {
    const bool more = at + 1 < bytes.size();
    const bool doubled = bytes[at] == quote_ && more && bytes[at + 1] == quote_;
    if (doubled || (escape_ != '\0' && escape_ != quote_ && bytes[at] == escape_))
      ++at;
    else if (bytes[at] == quote_)
      return at + 1;
  }
  return kNone;
}

std::size_t CsvRecords::quoted_end(std::string_view bytes, Behind behind) const {
  for (std::size_t at = bytes.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;;) {
    if (starts_quoted(bytes, at)) {
      at = behind_quotes(bytes, at + 1);
      if (at == kNone) return kNone;
    }
    // To the next field or the line's end; what stands behind a closing quote, the decoder judges.
    while (at < bytes.size() && bytes[at] != delimiter_ && bytes[at] != '\n')
      at += escape_ != '\0' && bytes[at] == escape_ && at + 1 < bytes.size() && bytes[at + 1] != '\n' ? 2 : 1;
    if (at == bytes.size()) return behind == Behind::kNothing ? at : kNone;
    if (bytes[at++] == '\n') return at;
  }
}

}  // namespace leat::formats
