#include "pipelines/formats/csv_decoder.h"

#include <algorithm>
#include <numeric>

#include "pipelines/formats/lines.h"
#include "pipelines/formats/read_cell.h"
#include "pipelines/formats/read_scalar.h"
#include "pipelines/formats/utf8.h"

namespace leat::formats {
namespace {

/// What the character behind an escape stands for, as in Jackson.
char escaped(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

CsvDecoder::CsvDecoder(const CsvOptions& options, const DecodeRequest& request)
    : options_(options),
      delimiter_(options.delimiter()),
      quote_(options.quote()),
      escape_(options.escape()),
      records_(options),
      framing_(request.framing) {
  for (const Type::Field& field : request.schema.fields) columns_.push_back({field.name, field.type});
  for (std::size_t i = 0; i < request.wanted.size(); ++i)
    columns_[request.wanted[i]].builder = static_cast<std::uint32_t>(i);
  fields_.resize(columns_.size());
  std::iota(fields_.begin(), fields_.end(), 0U);
}

void CsvDecoder::use_header(std::string_view header) {
  std::vector<std::string> names;
  const std::string_view record = records_.header_record(header);
  header_trouble_.clear();
  const bool readable = valid_utf8(record) ? read_names(record, names) : fail("invalid UTF-8");
  if (readable)
    place_fields(names);
  else
    header_trouble_ = "the header cannot be read: " + reason_;
}

bool CsvDecoder::read_names(std::string_view header, std::vector<std::string>& names) {
  for (std::size_t at = 0;; ++at) {
    Field field;
    while (at < header.size() && header[at] == ' ' && delimiter_ != ' ') ++at;
    if (!take_field(header, at, field)) return false;
    names.emplace_back(trim(field.text));
    if (at == header.size()) return true;
    if (header[at] != delimiter_) return fail("unexpected text behind a quoted field");
  }
}

void CsvDecoder::place_fields(const std::vector<std::string>& names) {
  fields_.assign(names.size(), kUnwanted);
  absent_.clear();
  for (std::uint32_t i = 0; i < columns_.size(); ++i) {
    const auto found = std::ranges::find(names, columns_[i].name);
    if (found == names.end()) {
      absent_.push_back(i);
      continue;
    }
    if (std::find(found + 1, names.end(), columns_[i].name) != names.end())
      header_trouble_ = "the header names '" + columns_[i].name + "' twice";
    fields_[static_cast<std::size_t>(found - names.begin())] = i;
  }
  if (absent_.size() == columns_.size()) header_trouble_ = "the header names no column of the table";
}

DecodeCount CsvDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                               std::vector<BadRecord>& bad) {
  Pass pass{columns, bad, {}, valid_utf8(payload)};
  if (framing_ == Framing::kMessage) {
    read_record(without_line_end(without_byte_order_mark(payload)), pass);
    return pass.count;
  }
  while (!payload.empty()) {
    const std::size_t length = records_.first(payload, Behind::kNothing);
    read_record(without_line_end(payload.substr(0, length)), pass);
    payload.remove_prefix(length);
  }
  return pass.count;
}

void CsvDecoder::read_record(std::string_view record, Pass& pass) {
  if (!records_.is_record(record)) {
    ++pass.count.empty;
    return;
  }
  const std::size_t rows = pass.columns.empty() ? 0 : pass.columns[0]->size();
  const bool valid = pass.valid_utf8 || valid_utf8(record);
  if (valid ? read_fields(record, pass) : fail("invalid UTF-8")) {
    ++pass.count.decoded;
    ++pass.count.rows;
    return;
  }
  for (ColumnBuilder* const column : pass.columns) column->truncate(rows);
  if (options_.ignore_parse_errors)
    ++pass.count.skipped;
  else
    pass.bad.push_back({record, reason_});
}

bool CsvDecoder::read_fields(std::string_view record, Pass& pass) {
  if (!header_trouble_.empty()) return fail(header_trouble_);
  std::size_t count = 0;
  for (std::size_t at = 0;;) {
    Field field;
    if (!take_field(record, at, field)) return false;
    if (count < fields_.size() && fields_[count] != kUnwanted) {
      const Column& column = columns_[fields_[count]];
      if (column.builder != kUnwanted && !store(field, column, *pass.columns[column.builder])) return false;
    }
    ++count;
    if (at == record.size()) return finish_row(count, field.text.empty(), pass);
    if (record[at] != delimiter_) return fail("unexpected text behind a quoted field");
    ++at;
  }
}

/// Judges the number of fields and fills what is missing.
bool CsvDecoder::finish_row(std::size_t fields, bool last_is_empty, Pass& pass) {
  const bool trailing = fields == fields_.size() + 1 && last_is_empty && options_.allow_trailing_comma;
  if (fields > fields_.size() && !trailing && !options_.ignore_trailing_unmappable)
    return fail("expected " + std::to_string(fields_.size()) + " fields, found more");
  if (fields < fields_.size() && options_.fail_on_missing_columns)
    return fail("expected " + std::to_string(fields_.size()) + " fields, found " + std::to_string(fields));
  return (fields >= fields_.size() && absent_.empty()) || fill_absent(fields, pass);
}

/// NULL for the columns whose fields a record of `fields` fields has not.
bool CsvDecoder::fill_absent(std::size_t fields, Pass& pass) {
  const auto fill = [&](const Column& column) {
    if (column.builder == kUnwanted) return true;
    if (!column.type.nullable() || options_.fail_on_missing_columns)
      return fail("field '" + column.name + "': expected " + column.type.to_string() +
                  ", found no such field");
    pass.columns[column.builder]->append_null();
    return true;
  };
  for (std::size_t i = fields; i < fields_.size(); ++i)
    if (fields_[i] != kUnwanted && !fill(columns_[fields_[i]])) return false;
  return std::ranges::all_of(absent_, [&](std::uint32_t column) { return fill(columns_[column]); });
}

/// Takes the field that begins at `at`; `at` goes to the delimiter behind it or to the end.
bool CsvDecoder::take_field(std::string_view record, std::size_t& at, Field& field) {
  if (options_.trim_spaces)
    while (at < record.size() && record[at] == ' ' && delimiter_ != ' ') ++at;
  if (quote_ != '\0' && at < record.size() && record[at] == quote_) return take_quoted(record, at, field);
  const std::size_t begin = at;
  at = std::min(record.find(delimiter_, begin), record.size());
  field.text = record.substr(begin, at - begin);
  if (escape_ != '\0' && field.text.find(escape_) != std::string_view::npos) {
    at = begin;
    take_escaped(record, at, field);
  }
  if (options_.trim_spaces) field.text = trim(field.text);
  if (framing_ == Framing::kMessage && field.place == Field::Place::kPayload &&
      field.text.find('\n') != std::string_view::npos)
    return fail("more than one line in a message");
  return true;
}

void CsvDecoder::take_escaped(std::string_view record, std::size_t& at, Field& field) {
  scratch_.clear();
  for (; at < record.size() && record[at] != delimiter_; ++at) {
    const bool escape = record[at] == escape_ && at + 1 < record.size();
    scratch_.push_back(escape ? escaped(record[++at]) : record[at]);
  }
  field.text = scratch_;
  field.place = Field::Place::kScratch;
}

bool CsvDecoder::take_quoted(std::string_view record, std::size_t& at, Field& field) {
  const std::size_t begin = ++at;
  field.form = Field::Form::kQuoted;
  scratch_.clear();
  for (std::size_t plain = begin;;) {
    while (at < record.size() && record[at] != quote_ && (escape_ == '\0' || record[at] != escape_)) ++at;
    if (at == record.size()) return fail("a quoted field without its closing quote");
    const bool more = at + 1 < record.size();
    const bool doubled = more && record[at] == quote_ && record[at + 1] == quote_;
    const bool escapes = more && record[at] == escape_ && escape_ != '\0' && !doubled;
    if (record[at] == quote_ && !doubled && (!escapes || escape_ == quote_)) {
      field.text = record.substr(begin, at - begin);
      if (plain != begin) {
        field.text = scratch_.append(record.substr(plain, at - plain));
        field.place = Field::Place::kScratch;
      }
      break;
    }
    if (!more) return fail("a quoted field without its closing quote");
    scratch_.append(record.substr(plain, at - plain));
    scratch_.push_back(doubled ? quote_ : escaped(record[at + 1]));
    at += 2;
    plain = at;
  }
  ++at;
  while (at < record.size() && record[at] == ' ' && delimiter_ != ' ') ++at;
  return true;
}

bool CsvDecoder::is_null(const Field& field) const {
  if (options_.null_literal && field.text == *options_.null_literal) return true;
  return options_.empty_string_as_null && field.form == Field::Form::kPlain && field.text.empty();
}

bool CsvDecoder::store(const Field& field, const Column& column, ColumnBuilder& out) {
  const std::size_t size = out.size();
  if (is_null(field) && column.type.nullable()) {
    out.append_null();
    return true;
  }
  if (!is_null(field) && store_value(field, column.type, out)) return true;
  out.truncate(size);
  if (options_.ignore_parse_errors && column.type.nullable()) {
    out.append_null();
    return true;
  }
  const char* const hint = field.text != column.name ? ""
                           : framing_ == Framing::kLines
                               ? "; this line names the columns: set 'file.header' = 'names'"
                               : "; this record names the columns, which is not read";
  return fail("field '" + column.name + "': expected " + column.type.to_string() + ", found \"" +
              shown(field.text) + "\"" + hint);
}

bool CsvDecoder::store_value(const Field& field, const Type& type, ColumnBuilder& out) {
  switch (type.kind()) {
    case TypeKind::kArray:
    case TypeKind::kRow:
      return store_elements(field, type, out);
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      if (field.place == Field::Place::kPayload)
        out.append_view(field.text);
      else
        out.append_string(field.text);
      return true;
    default:
      return append_text_cell(trim(field.text), type, out);
  }
}

/// An ARRAY's elements, or a ROW's fields by position (those that are not there are NULL).
bool CsvDecoder::store_elements(const Field& field, const Type& type, ColumnBuilder& out) {
  const std::string& delimiter = options_.array_element_delimiter;
  const bool row = type.kind() == TypeKind::kRow;
  std::string_view rest = field.text;
  std::size_t index = 0;
  for (bool more = !rest.empty(); more; ++index) {
    if (row && index == type.fields().size()) return false;
    const std::size_t end = rest.find(delimiter);
    more = end != std::string_view::npos;
    const Field element{rest.substr(0, end), field.place, field.form};
    const std::size_t child = row ? index : 0;
    if (is_null(element))
      out.child(child).append_null();
    else if (!store_value(element, type.fields()[child].type, out.child(child)))
      return false;
    if (more) rest.remove_prefix(end + delimiter.size());
  }
  for (; row && index < type.fields().size(); ++index) out.child(index).append_null();
  out.close_nested();
  return true;
}

bool CsvDecoder::fail(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

}  // namespace leat::formats
