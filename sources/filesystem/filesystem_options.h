// The options of 'connector' = 'filesystem' as a source.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/time.h"
#include "pipelines/formats/file_header.h"
#include "pipelines/formats/partition_folder.h"
#include "sources/clients/webhdfs_options.h"
#include "sources/filesystem/file_bytes.h"
#include "sources/filesystem/file_listing.h"
#include "sources/filesystem/file_tree.h"

namespace leat::sources {

struct FilesystemOptions : clients::WebHdfsSettings {
  std::string path;
  std::optional<Micros> monitor_interval;
  std::string regex;
  FileCompression compression = FileCompression::kByName;
  formats::FileHeader header = formats::FileHeader::kNone;
  std::string default_partition{formats::kDefaultPartition};
  std::uint64_t lookup_max_rows = 100'000;
};

const OptionTable<FilesystemOptions>& filesystem_options();

/// Appends what is wrong. Pure.
FilesystemOptions read_filesystem_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                          std::vector<OptionError>& errors);
/// Of options that are right.
FilesystemOptions read_filesystem_options(const OptionMap& map);

/// Where the files are, and which of them are read; of options that are right. Touches nothing.
std::unique_ptr<FileTree> tree_of(const FilesystemOptions& options);
FileSelection selection_of(const FilesystemOptions& options);

}  // namespace leat::sources
