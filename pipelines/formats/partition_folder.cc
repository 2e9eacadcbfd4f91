#include "pipelines/formats/partition_folder.h"

#include <fmt/format.h>

#include <utility>

#include "pipelines/column/text.h"
#include "pipelines/formats/read_cell.h"
#include "pipelines/formats/utf8.h"

namespace leat::formats {
namespace {

/// As Flink's PartitionPathUtils has them, which has them of Hive.
bool is_special(char c) {
  constexpr std::string_view kSpecial = "\"#%'*/:=?\\{[]^";
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || kSpecial.find(c) != std::string_view::npos;
}

void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (is_special(c))
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    else
      out.push_back(c);
  }
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string unescaped(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool escape =
        name[i] == '%' && i + 2 < name.size() && digit_of(name[i + 1]) >= 0 && digit_of(name[i + 2]) >= 0;
    text.push_back(escape ? static_cast<char>(digit_of(name[i + 1]) * 16 + digit_of(name[i + 2])) : name[i]);
    if (escape) i += 2;
  }
  return text;
}

/// As CAST prints it, but for BOOLEAN, which has Java's form.
void append_value(const Column& column, std::size_t row, std::string& out) {
  if (column.is_null(row)) return;
  if (column.type().kind() == TypeKind::kBoolean)
    out += column.value(row).as_boolean() ? "true" : "false";
  else
    append_text(column, row, {}, out);
}

}  // namespace

PartitionFolders::PartitionFolders(const Schema& schema, std::vector<std::size_t> columns,
                                   std::string default_name)
    : columns_(std::move(columns)) {
  append_escaped(default_name, default_name_);
  for (const std::size_t column : columns_) prefixes_.push_back(partition_prefix(schema.fields[column].name));
}

Result<std::string_view> PartitionFolders::folder_of(const Batch& batch, std::size_t row) {
  folder_.clear();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) folder_.push_back('/');
    const std::size_t begin = folder_.size();
    folder_ += prefixes_[i];
    text_.clear();
    append_value(*batch.columns[columns_[i]], row, text_);
    if (text_.empty())
      folder_ += default_name_;
    else
      append_escaped(text_, folder_);
    if (const std::size_t length = folder_.size() - begin; length > kLongestName)
      return fail(ErrorCode::kInvalid,
                  fmt::format("the folder {}… would have a name of {} bytes, more than {}",
                              folder_.substr(begin, prefixes_[i].size() + 20), length, kLongestName));
  }
  if (folder_.size() > kLongestFolders)
    return fail(ErrorCode::kInvalid, fmt::format("the folders would have names of {} bytes, more than {}",
                                                 folder_.size(), kLongestFolders));
  return folder_;
}

std::string partition_prefix(std::string_view column) {
  std::string prefix;
  append_escaped(column, prefix);
  prefix.push_back('=');
  return prefix;
}

std::optional<std::string> partition_text(std::string_view path, std::string_view column) {
  const std::string prefix = "/" + partition_prefix(column);
  const std::string_view folders = path.substr(0, path.rfind('/') + 1);
  const std::size_t found = folders.rfind(prefix);
  if (found == std::string_view::npos) return std::nullopt;
  const std::size_t begin = found + prefix.size();
  return unescaped(folders.substr(begin, folders.find('/', begin) - begin));
}

bool append_partition(std::string_view text, std::string_view default_name, const Type& type,
                      ColumnBuilder& out) {
  const std::size_t size = out.size();
  if (!valid_utf8(text)) return false;
  const bool null = text == default_name;
  if (null && type.nullable())
    out.append_null();
  else if (!null && type.is_character())
    out.append_string(text);
  else if (null || !append_text_cell(text, type, out))
    return false;
  return out.size() == size + 1;
}

}  // namespace leat::formats
