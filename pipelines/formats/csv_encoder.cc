#include "pipelines/formats/csv_encoder.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "pipelines/formats/write_scalar.h"

namespace leat::formats {
namespace {

/// What the text of a time consists of, the space always among it.
constexpr std::string_view kInTimes = "0123456789-:. Z";

/// Whether a byte of `text` is at most `limit`, which is less than 128: eight at once, by the trick that
/// subtracts from each and looks for borrows (Bit Twiddling Hacks, "determine if a word has a byte less than
/// n").
bool has_byte_up_to(std::string_view text, unsigned char limit) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    if (((word - kOnes * (limit + 1ULL)) & ~word & kHigh) != 0) return true;
  }
  for (; at < text.size(); ++at)
    if (static_cast<unsigned char>(text[at]) <= limit) return true;
  return false;
}

/// Without a way out of the loop, which goes over many characters at once.
bool is_ascii(std::string_view text) {
  bool ascii = true;
  for (const char c : text) ascii &= static_cast<unsigned char>(c) < 0x80;
  return ascii;
}

}  // namespace

CsvEncoder::CsvEncoder(const CsvOptions& options, const Schema& schema)
    : options_(options),
      delimiter_(options.delimiter()),
      quote_(options.quote()),
      escape_(options.escape()),
      records_(options),
      width_(schema.size()),
      largest_unsafe_(
          static_cast<unsigned char>(std::max({options.delimiter(), options.quote(), options.escape()}))),
      quotes_times_(quote_ != '\0' && kInTimes.find(quote_) == kInTimes.npos &&
                    (escape_ == '\0' || kInTimes.find(escape_) == kInTimes.npos) && largest_unsafe_ >= ' ') {}

void CsvEncoder::encode(const Batch& batch, EncodedSink& out,
                        std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  fields_.clear();
  for (std::size_t i = 0; i < width_; ++i) fields_.push_back(field_of(*batch.columns[i]));
  for (std::size_t row = 0; row < batch.size; ++row) {
    buffer_.clear();
    bool written = true;
    for (std::size_t i = 0; i < width_ && written; ++i) {
      if (i > 0) buffer_.push_back(delimiter_);
      written = write_field(fields_[i], row);
    }
    if (written && !records_.is_record(buffer_)) written = make_readable(row);
    if (written)
      out.record(row, buffer_);
    else
      bad.emplace_back(static_cast<std::uint32_t>(row), trouble_);
  }
}

CsvEncoder::Field CsvEncoder::field_of(const Column& column) const {
  using Way = Field::Way;
  const Way way = column.type().is_character()                    ? Way::kText
                  : quotes_times_ && column.type().is_timestamp() ? Way::kQuotedTime
                                                                  : Way::kAny;
  return {&column, column.may_have_nulls(), way};
}

Result<std::string> CsvEncoder::header(const Schema& schema) {
  buffer_.clear();
  for (const Type::Field& column : schema.fields) {
    if (&column != &schema.fields.front()) buffer_.push_back(delimiter_);
    if (!write_as_needed(column.name))
      return fail(ErrorCode::kInvalid, "the name '" + column.name + "' needs quotes in a header of CSV");
  }
  return buffer_;
}

bool CsvEncoder::write_field(const Field& field, std::size_t row) {
  const Column& column = *field.column;
  if (field.may_be_null && column.is_null(row)) {
    if (options_.null_literal) buffer_ += *options_.null_literal;
    return true;
  }
  if (field.way == Field::Way::kText) return write_as_needed(column.strings()[row]);
  if (field.way == Field::Way::kQuotedTime) {
    buffer_.push_back(quote_);
    append_date_or_bytes(column, row, ' ', buffer_);
    buffer_.push_back(quote_);
    return true;
  }
  const std::size_t begin = buffer_.size();
  const Quoting quoting = write_text(column, row, buffer_);
  if (quoting == Quoting::kNever) return true;
  if (quoting == Quoting::kInVain)
    return refuse("an element that holds 'csv.array-element-delimiter', which would make two of it");
  field_.assign(buffer_, begin);
  if (!needs_quotes(field_)) return true;
  buffer_.resize(begin);
  return write_quoted(field_);
}

bool CsvEncoder::refuse(std::string_view why) {
  trouble_ = why;
  return false;
}

bool CsvEncoder::write_as_needed(std::string_view text) {
  const bool comment = options_.allow_comments && quote_ != '\0' && buffer_.empty() && text.starts_with('#');
  if (comment || needs_quotes(text)) return write_quoted(text);
  buffer_ += text;
  return true;
}

bool CsvEncoder::make_readable(std::size_t row) {
  const bool null = !fields_.empty() && fields_[0].may_be_null && fields_[0].column->is_null(row);
  // In quotes it would be read as the empty text.
  if (null && options_.empty_string_as_null && !options_.null_literal)
    return refuse("NULL as the only field, which would be a blank line; set 'csv.null-literal'");
  if (!buffer_.empty() || quote_ == '\0') return refuse("a record that would be a blank line or a comment");
  buffer_.assign(2, quote_);
  return true;
}

CsvEncoder::Quoting CsvEncoder::write_text(const Column& column, std::size_t row, std::string& out) const {
  const Type& type = column.type();
  if (type.is_nested()) {
    if (!write_elements(column, row, out)) return Quoting::kInVain;
  } else if (type.is_character()) {
    out += column.strings()[row];
  } else if (type.is_binary() || type.is_timestamp() || type.kind() == TypeKind::kDate ||
             type.kind() == TypeKind::kTime) {
    append_date_or_bytes(column, row, ' ', out);
  } else {
    append_number(column, row,
                  options_.scientific_decimals ? DecimalStyle::kScientificJava : DecimalStyle::kStripped,
                  out);
    return Quoting::kNever;
  }
  return Quoting::kAsNeeded;
}

/// False: an element holds what stands between two.
bool CsvEncoder::write_elements(const Column& column, std::size_t row, std::string& out) const {
  const bool is_row = column.type().kind() == TypeKind::kRow;
  const std::size_t begin = is_row ? 0 : column.offsets()[row];
  const std::size_t end = is_row ? column.child_count() : column.offsets()[row + 1];
  for (std::size_t i = begin; i < end; ++i) {
    if (i > begin) out += options_.array_element_delimiter;
    const Column& element = *column.child(is_row ? i : 0);
    const std::size_t at = is_row ? row : i;
    const std::size_t text = out.size();
    if (!element.is_null(at))
      write_text(element, at, out);
    else if (options_.null_literal)
      out += *options_.null_literal;
    if (out.find(options_.array_element_delimiter, text) != std::string::npos) return false;
  }
  return true;
}

/// Jackson's loose rule: a text is quoted when it is longer than 24 characters (it does not look at those) or
/// has a character that is not above the delimiter, the quote and the escape. More than needed, but what
/// Flink writes.
bool CsvEncoder::needs_quotes(std::string_view text) const {
  constexpr std::size_t kLongestChecked = 24;
  if (quote_ == '\0')
    return text.find_first_of("\r\n") != std::string_view::npos ||
           text.find(delimiter_) != std::string_view::npos;
  if (has_byte_up_to(text, largest_unsafe_)) return true;
  if (text.size() <= kLongestChecked) return false;
  if (is_ascii(text)) return true;
  std::size_t units = 0;  // Of UTF-16, in which Java counts.
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    units += ((byte & 0xc0) == 0x80 ? 0 : 1) + (byte >= 0xf0 ? 1 : 0);
  }
  return units > kLongestChecked;
}

bool CsvEncoder::write_quoted(std::string_view text) {
  if (quote_ == '\0')
    return refuse("a text with a delimiter or a line end, which 'csv.disable-quote-character' cannot carry");
  buffer_.push_back(quote_);
  if (text.find(quote_) == std::string_view::npos &&
      (escape_ == '\0' || text.find(escape_) == std::string_view::npos)) {
    buffer_.append(text).push_back(quote_);
    return true;
  }
  for (const char c : text) {
    if (escape_ != '\0' && (c == quote_ || c == escape_))
      buffer_.push_back(escape_);
    else if (c == quote_)
      buffer_.push_back(quote_);
    buffer_.push_back(c);
  }
  buffer_.push_back(quote_);
  return true;
}

}  // namespace leat::formats
