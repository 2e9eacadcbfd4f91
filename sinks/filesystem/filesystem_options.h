// The options of 'connector' = 'filesystem' as a sink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/time.h"
#include "pipelines/formats/compression.h"
#include "pipelines/formats/file_header.h"
#include "pipelines/formats/partition_folder.h"
#include "sinks/filesystem/file_store.h"
#include "sources/clients/webhdfs_options.h"

namespace leat::sinks {

struct FilesystemOptions : clients::WebHdfsSettings {
  std::string path;
  ByteSize file_size{128ULL << 20};
  Micros rollover_interval{30 * kMicrosPerMinute};
  Micros inactivity_interval{30 * kMicrosPerMinute};
  Micros check_interval{kMicrosPerMinute};
  formats::Compression compression = formats::Compression::kNone;
  formats::FileHeader header = formats::FileHeader::kNone;
  std::string default_partition{formats::kDefaultPartition};
  std::uint64_t max_open_partitions = 100;
  std::string commit_policy;
  std::string success_file = "_SUCCESS";
  std::string commit_trigger = "process-time";
  Micros commit_delay{0};
  std::uint64_t max_rows = 10'000;
  ByteSize max_bytes{4 << 20};
  Micros linger{0};
};

const OptionTable<FilesystemOptions>& filesystem_options();

/// Appends what is wrong with options that can be read. Pure.
void check_filesystem_options(const FilesystemOptions& options, const OptionMap& map,
                              std::vector<OptionError>& errors);

/// Where the files go, of options that are right: a path of the store.
std::string folder_of(const FilesystemOptions& options);
/// The same as a 'path' that means the same in every working directory.
std::string root_of(const FilesystemOptions& options);
/// Touches nothing.
std::unique_ptr<FileStore> store_of(const FilesystemOptions& options);

}  // namespace leat::sinks
