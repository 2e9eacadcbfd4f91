#include "sources/filesystem/filesystem_options.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <filesystem>
#include <utility>

#include "pipelines/base/flink_option.h"
#include "sources/filesystem/hdfs_files.h"

namespace leat::sources {
namespace {

/// The system's clocks count nanoseconds in 64 bits.
constexpr Micros kLongestInterval{36'500 * kMicrosPerDay};

std::string absolute_path(const std::string& url) {
  const std::string path = clients::local_path_of(url);
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
  return error ? path : absolute.string();
}

}  // namespace

const OptionTable<FilesystemOptions>& filesystem_options() {
  using Options = FilesystemOptions;
  static const OptionTable<Options> table{
      option(
          "path", &Options::path, Necessity::kRequired,
          "A file, a folder whose files are all read, or a pattern of such: *, ? and […] within a name, ** "
          "for any folders. Files are read in the order of their names. Plain, or file:///…; of an HDFS "
          "cluster webhdfs://namenode:9870/… or, with TLS, swebhdfs://…."),
      option("source.monitor-interval", &Options::monitor_interval, Necessity::kOptional,
             "Look for new files and new lines this often; without it the source ends with the last line."),
      option("source.path.regex-pattern", &Options::regex, Necessity::kOptional,
             "Read only the files of the folder whose whole path matches this regular expression (RE2)."),
      choice("compression", &Options::compression,
             {{"auto", FileCompression::kByName},
              {"none", FileCompression::kNone},
              {"gzip", FileCompression::kGzip},
              {"zstd", FileCompression::kZstd}},
             Necessity::kOptional,
             "How the files are compressed; 'auto': as their names end, .gz and .gzip, .zst and .zstd."),
      formats::header_row(&Options::header),
      formats::default_partition_row(&Options::default_partition),
      option("lookup.max-rows", &Options::lookup_max_rows, Necessity::kOptional,
             "In a lookup join the files are held in memory; with more rows they are refused. With "
             "'source.monitor-interval' they are read again when they have changed."),
      clients::WebHdfsRows<Options>::user(),
      clients::WebHdfsRows<Options>::token(),
      clients::WebHdfsRows<Options>::timeout(),
      clients::WebHdfsRows<Options>::ca_file(),
      clients::WebHdfsRows<Options>::verification(),
      flink_option<Options, std::string>("source.report-statistics",
                                         "Nothing here is planned by the sizes of tables.")};
  return table;
}

FilesystemOptions read_filesystem_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                          std::vector<OptionError>& errors) {
  FilesystemOptions options = filesystem_options().read(map, foreign, errors);
  const auto wrong = [&](std::string key, std::string message) {
    errors.push_back({key, OptionError::Part::kValue, fmt::format("option '{}': {}", key, message)});
  };
  if (map.contains("path") && options.path.empty()) wrong("path", "expected a path");
  clients::check_files_path(options.path, options, map, errors);
  if (options.monitor_interval && options.monitor_interval->count() <= 0)
    wrong("source.monitor-interval", "expected more than 0");
  if (options.monitor_interval && *options.monitor_interval > kLongestInterval)
    wrong("source.monitor-interval", fmt::format("expected at most {}", format_duration(kLongestInterval)));
  formats::check_header(options.header, map, errors);
  if (const RE2 regex(options.regex, RE2::Quiet); !regex.ok())
    wrong("source.path.regex-pattern", regex.error());
  return options;
}

FilesystemOptions read_filesystem_options(const OptionMap& map) {
  std::vector<OptionError> ignored;
  return read_filesystem_options(map, {}, ignored);
}

std::unique_ptr<FileTree> tree_of(const FilesystemOptions& options) {
  if (!clients::is_webhdfs(options.path)) return local_files();
  const auto path = clients::parse_webhdfs_path(options.path);
  return hdfs_files(clients::webhdfs_options(path.value_or(clients::WebHdfsPath{}), options));
}

FileSelection selection_of(const FilesystemOptions& options) {
  if (!clients::is_webhdfs(options.path)) return {absolute_path(options.path), options.regex};
  const auto path = clients::parse_webhdfs_path(options.path).value_or(clients::WebHdfsPath{});
  return {path.root + path.path, options.regex};
}

}  // namespace leat::sources
