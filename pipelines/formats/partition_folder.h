// Values of the columns that a table is PARTITIONED BY, as the names of folders: day=2026-11-29/site=A, as
// Hive, Flink and Spark write them. Characters that would mean something in a path are %XX.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/column/batch.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/column/type.h"

namespace leat::formats {

inline constexpr std::string_view kDefaultPartition = "__DEFAULT_PARTITION__";

/// What file systems take of one name, and what folders of partitions take of a path, in bytes. A path may
/// have 4,096 on Linux; the rest is for what they are in, and for the file.
inline constexpr std::size_t kLongestName = 255;
inline constexpr std::size_t kLongestFolders = 3000;

/// The row of a connector's table, for options that have `field`, whose initialiser is kDefaultPartition.
template <class Options>
Option<Options> default_partition_row(std::string Options::*field) {
  return option("partition.default-name", field, Necessity::kOptional,
                "In PARTITIONED BY: what the name of a folder has for NULL and for the empty text.");
}

/// Folders of rows. One thread.
class PartitionFolders {
 public:
  /// `columns` of `schema`, in the order of the folders.
  PartitionFolders(const Schema& schema, std::vector<std::size_t> columns, std::string default_name);

  /// The row's folder: "day=2026-11-29/site=A". Valid until the next call. Errors: invalid (a name, or all of
  /// them, would be longer than file systems take).
  Result<std::string_view> folder_of(const Batch& batch, std::size_t row);

 private:
  std::vector<std::string> prefixes_;  // "day="
  std::vector<std::size_t> columns_;
  std::string default_name_;
  std::string folder_;
  std::string text_;
};

/// What the names of a column's folders begin with: "day=".
std::string partition_prefix(std::string_view column);

/// What the folders of `path` say of `column`, unescaped: the innermost that begins with its name and '='.
std::optional<std::string> partition_text(std::string_view path, std::string_view column);

/// Appends the value of a column. False, with no cell: the text spells no value of the type, is no UTF-8, or
/// is NULL where that is not allowed.
bool append_partition(std::string_view text, std::string_view default_name, const Type& type,
                      ColumnBuilder& out);

}  // namespace leat::formats
