#include "pipelines/functions/json_cell.h"

#include <cmath>
#include <map>

#include "pipelines/column/text.h"
#include "pipelines/functions/base64.h"
#include "pipelines/functions/json_tree.h"

namespace leat::functions {
namespace {

void append_plain(const Column& column, std::size_t row, std::string& out) {
  append_text(column, row, {}, out);
}

// Java's text of a floating number is no JSON: 1.0E10 is written 1.0E+10, and what is no number is text. A
// FLOAT is written as the DOUBLE that it is.
void append_floating(double value, std::string& out) {
  std::string text;
  append_double(value, text);
  if (const std::optional<std::string> number = json_number(text))
    out += *number;
  else
    append_json_string(text, out);
}

// The fraction ends before its zeros, as in Flink, whatever the type's precision.
void append_timestamp(const Column& column, std::size_t row, std::string& out) {
  std::string text;
  append_plain(column, row, text);
  if (const std::size_t blank = text.find(' '); blank != std::string::npos) text[blank] = 'T';
  if (text.find('.') != std::string::npos) {
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
  }
  if (column.type().kind() == TypeKind::kTimestampLtz) text += 'Z';
  append_json_string(text, out);
}

void append_array(const Column& column, std::size_t row, std::string& out) {
  out += '[';
  const std::uint32_t begin = column.offsets()[row];
  for (std::uint32_t i = begin; i < column.offsets()[row + 1]; ++i) {
    if (i > begin) out += ',';
    append_json(*column.child(0), i, out);
  }
  out += ']';
}

void append_members(const std::map<std::string, std::string>& members, std::string& out) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : members) {
    if (!std::exchange(first, false)) out += ',';
    append_json_string(name, out);
    (out += ':') += value;
  }
  out += '}';
}

void append_map(const Column& column, std::size_t row, std::string& out) {
  std::map<std::string, std::string> members;
  for (std::uint32_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
    std::string name;
    append_plain(*column.child(0), i, name);
    append_json(*column.child(1), i, members[name]);
  }
  append_members(members, out);
}

void append_row(const Column& column, std::size_t row, std::string& out) {
  std::map<std::string, std::string> members;
  for (std::size_t i = 0; i < column.child_count(); ++i)
    append_json(*column.child(i), row, members[column.type().fields()[i].name]);
  append_members(members, out);
}

}  // namespace

void append_json(const Column& column, std::size_t row, std::string& out) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  const Type& type = column.type();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      out += column.values<std::uint8_t>()[row] != 0 ? "true" : "false";
      return;
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
    case TypeKind::kDecimal:
      return append_plain(column, row, out);
    case TypeKind::kFloat:
      return append_floating(column.values<float>()[row], out);
    case TypeKind::kDouble:
      return append_floating(column.values<double>()[row], out);
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      return append_json_string(column.strings()[row], out);
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return append_json_string(to_base64(column.strings()[row]), out);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return append_timestamp(column, row, out);
    case TypeKind::kArray:
      return append_array(column, row, out);
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return append_map(column, row, out);
    case TypeKind::kRow:
      return append_row(column, row, out);
    default:
      break;
  }
  std::string text;
  append_plain(column, row, text);
  append_json_string(text, out);
}

}  // namespace leat::functions
