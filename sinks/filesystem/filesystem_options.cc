#include "sinks/filesystem/filesystem_options.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "pipelines/base/flink_option.h"
#include "sinks/connector.h"
#include "sinks/filesystem/hdfs_store.h"

namespace leat::sinks {
namespace {

template <class Value>
Option<FilesystemOptions> ignored(std::string key, std::string doc) {
  return flink_option<FilesystemOptions, Value>(std::move(key), std::move(doc));
}

/// The system's clocks count nanoseconds in 64 bits.
constexpr Micros kLongestInterval{36'500 * kMicrosPerDay};

bool is_file_name(std::string_view name) {
  const bool special = name.empty() || name == "." || name == "..";
  return !special && name.find('/') == std::string_view::npos && name.size() <= formats::kLongestName;
}

/// What of Flink's ways to tell that a partition is complete is not there.
void check_commit(const FilesystemOptions& options, std::vector<OptionError>& errors) {
  const auto refuse = [&](const std::string& key, const std::string& expected) {
    const std::string whole = "sink.partition-commit." + key;
    errors.push_back(
        {whole, OptionError::Part::kValue, fmt::format("option '{}': only {} is there", whole, expected)});
  };
  if (!options.commit_policy.empty() && options.commit_policy != "success-file")
    refuse("policy.kind", "'success-file'");
  if (options.commit_trigger != "process-time")
    refuse("trigger", "'process-time': a folder is committed when a file in it is rolled");
  if (options.commit_delay.count() != 0) refuse("delay", "'0 s'");
  if (!is_file_name(options.success_file)) refuse("success-file.name", "the name of a file");
}

}  // namespace

const OptionTable<FilesystemOptions>& filesystem_options() {
  constexpr const char* kUncompacted =
      "A file goes on over many commits, so there are no small ones to join.";
  static const OptionTable<FilesystemOptions> table{
      option("path", &FilesystemOptions::path, Necessity::kRequired,
             "Folder that takes the files; created when it is not there. Plain, or file:///…; of an HDFS "
             "cluster webhdfs://namenode:9870/… or, with TLS, swebhdfs://…."),
      option("sink.rolling-policy.file-size", &FilesystemOptions::file_size, Necessity::kOptional,
             "A file of this size is rolled."),
      option("sink.rolling-policy.rollover-interval", &FilesystemOptions::rollover_interval,
             Necessity::kOptional, "A file whose first record is older is rolled."),
      option("sink.rolling-policy.inactivity-interval", &FilesystemOptions::inactivity_interval,
             Necessity::kOptional, "A file whose last record is older is rolled."),
      option("sink.rolling-policy.check-interval", &FilesystemOptions::check_interval, Necessity::kOptional,
             "How often the two ages are judged while nothing comes."),
      choice("compression", &FilesystemOptions::compression,
             {{"none", formats::Compression::kNone},
              {"gzip", formats::Compression::kGzip},
              {"zstd", formats::Compression::kZstd}},
             Necessity::kOptional,
             "How the files are compressed; their names end in .gz or .zst. A shipment is a member or frame "
             "of its own."),
      formats::header_row(&FilesystemOptions::header),
      formats::default_partition_row(&FilesystemOptions::default_partition),
      option("sink.max-open-partitions", &FilesystemOptions::max_open_partitions, Necessity::kOptional,
             "Of a table that is PARTITIONED BY columns: beyond so many folders with a file in progress, the "
             "file that was written longest ago is rolled."),
      option(
          "sink.partition-commit.policy.kind", &FilesystemOptions::commit_policy, Necessity::kOptional,
          "'success-file': an empty file tells that its folder has files that are whole. Files appear whole "
          "in any case."),
      option("sink.partition-commit.success-file.name", &FilesystemOptions::success_file,
             Necessity::kOptional, "Its name."),
      option("sink.partition-commit.trigger", &FilesystemOptions::commit_trigger, Necessity::kOptional,
             "Only 'process-time': when a file of the folder is rolled."),
      option("sink.partition-commit.delay", &FilesystemOptions::commit_delay, Necessity::kOptional,
             "Only '0 s'."),
      max_rows_option<FilesystemOptions>(),
      max_bytes_option<FilesystemOptions>(),
      linger_option<FilesystemOptions>(),
      clients::WebHdfsRows<FilesystemOptions>::user(),
      clients::WebHdfsRows<FilesystemOptions>::token(),
      clients::WebHdfsRows<FilesystemOptions>::timeout(),
      clients::WebHdfsRows<FilesystemOptions>::ca_file(),
      clients::WebHdfsRows<FilesystemOptions>::verification(),
      ignored<std::uint32_t>("sink.parallelism", "One thread writes the files."),
      ignored<bool>("auto-compaction", kUncompacted),
      ignored<ByteSize>("compaction.file-size", kUncompacted),
      ignored<std::uint32_t>("compaction.parallelism", kUncompacted),
      ignored<bool>("sink.shuffle-by-partition.enable", "One thread writes the files."),
      ignored<std::string>("partition.time-extractor.*",
                           "No partition waits for its time: 'sink.partition-commit.trigger'.")};
  return table;
}

void check_filesystem_options(const FilesystemOptions& options, const OptionMap& map,
                              std::vector<OptionError>& errors) {
  check_commit(options, errors);
  if (options.max_open_partitions == 0)
    errors.push_back({"sink.max-open-partitions", OptionError::Part::kValue,
                      "option 'sink.max-open-partitions': expected more than 0"});
  if (options.check_interval.count() <= 0 || options.check_interval > kLongestInterval)
    errors.push_back(
        {"sink.rolling-policy.check-interval", OptionError::Part::kValue,
         fmt::format("option 'sink.rolling-policy.check-interval': expected more than 0, and at most {}",
                     format_duration(kLongestInterval))});
  formats::check_header(options.header, map, errors);
  clients::check_files_path(options.path, options, map, errors);
  if (clients::local_path_of(options.path).empty())
    errors.push_back({"path", OptionError::Part::kValue, "'path' is empty; expected a folder"});
}

std::string folder_of(const FilesystemOptions& options) {
  if (clients::is_webhdfs(options.path)) {
    const auto parsed = clients::parse_webhdfs_path(options.path);
    return parsed && parsed->path != "/" ? parsed->path : std::string();
  }
  return clients::local_path_of(options.path);
}

std::string root_of(const FilesystemOptions& options) {
  if (clients::is_webhdfs(options.path)) return options.path;
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(folder_of(options), error);
  return error ? folder_of(options) : whole.string();
}

std::unique_ptr<FileStore> store_of(const FilesystemOptions& options) {
  if (!clients::is_webhdfs(options.path)) return local_store();
  const auto path = clients::parse_webhdfs_path(options.path);
  return hdfs_store(clients::webhdfs_options(path.value_or(clients::WebHdfsPath{}), options));
}

}  // namespace leat::sinks
