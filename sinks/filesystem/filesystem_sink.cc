#include "sinks/filesystem/filesystem_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

#include "pipelines/base/flink_option.h"
#include "pipelines/formats/compression.h"
#include "pipelines/formats/file_header.h"
#include "pipelines/formats/format.h"
#include "sinks/connector.h"
#include "sinks/filesystem/file_state.h"
#include "sinks/filesystem/rolling_file.h"

namespace leat::sinks {

namespace {

struct FilesystemOptions {
  std::string path;
  ByteSize file_size{128ULL << 20};
  Micros rollover_interval{30 * kMicrosPerMinute};
  Micros inactivity_interval{30 * kMicrosPerMinute};
  Micros check_interval{kMicrosPerMinute};
  formats::Compression compression = formats::Compression::kNone;
  formats::FileHeader header = formats::FileHeader::kNone;
  std::uint64_t max_rows = 10'000;
  ByteSize max_bytes{4 << 20};
  Micros linger{0};
};

template <class Value>
Option<FilesystemOptions> ignored(std::string key, std::string doc) {
  return flink_option<FilesystemOptions, Value>(std::move(key), std::move(doc));
}

const OptionTable<FilesystemOptions>& filesystem_options() {
  constexpr const char* kUnpartitioned = "Tables have no partitions.";
  constexpr const char* kUncompacted =
      "A file goes on over many commits, so there are no small ones to join.";
  static const OptionTable<FilesystemOptions> table{
      option("path", &FilesystemOptions::path, Necessity::kRequired,
             "Folder that takes the files; created when it is not there. A path, or a URL with the scheme "
             "file."),
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
      max_rows_option<FilesystemOptions>(),
      max_bytes_option<FilesystemOptions>(),
      linger_option<FilesystemOptions>(),
      ignored<std::uint32_t>("sink.parallelism", "One thread writes the files."),
      ignored<bool>("auto-compaction", kUncompacted),
      ignored<ByteSize>("compaction.file-size", kUncompacted),
      ignored<std::uint32_t>("compaction.parallelism", kUncompacted),
      ignored<std::string>("sink.partition-commit.*", kUnpartitioned),
      ignored<bool>("sink.shuffle-by-partition.enable", kUnpartitioned),
      ignored<std::string>("partition.default-name", kUnpartitioned),
      ignored<std::string>("partition.time-extractor.*", kUnpartitioned)};
  return table;
}

constexpr std::string_view kFileScheme = "file://";

std::string folder_of(const FilesystemOptions& options) {
  return options.path.starts_with(kFileScheme) ? options.path.substr(kFileScheme.size()) : options.path;
}

void check_path(const FilesystemOptions& options, const OptionMap& map, std::vector<OptionError>& errors) {
  formats::check_header(options.header, map, errors);
  const std::string folder = folder_of(options);
  if (folder.empty())
    errors.push_back({"path", OptionError::Part::kValue, "'path' is empty; expected a folder"});
  else if (folder.find("://") != std::string::npos)
    errors.push_back({"path", OptionError::Part::kValue,
                      fmt::format("'path' = '{}': the only scheme of this version is file", options.path)});
}

std::string_view suffix_of(formats::Compression compression) {
  if (compression == formats::Compression::kGzip) return ".gz";
  return compression == formats::Compression::kZstd ? ".zst" : "";
}

/// Whether the names of the columns can be written, if they are to be.
void check_columns(const OptionMap& map, const plan::TableShape& table, std::vector<OptionError>& errors) {
  const auto format = map.find("format");
  const formats::Format* const found = format == map.end() ? nullptr : formats::find_format(format->second);
  const bool writes = validated_options(filesystem_options(), map).header != formats::FileHeader::kNone;
  if (!writes || found == nullptr || !found->make_header) return;
  const auto header = found->make_header(map, table.physical);
  if (!header) errors.push_back({"file.header", OptionError::Part::kValue, header.error().message});
}

class FilesystemSink final : public Sink {
 public:
  FilesystemSink(FilesystemOptions options, SinkContext context)
      : options_(std::move(options)),
        folder_(folder_of(options_)),
        context_(std::move(context)),
        header_(options_.header == formats::FileHeader::kNone ? "" : context_.header + context_.separator),
        form_(fmt::format(".{}{}\n{}", context_.format, suffix_of(options_.compression), header_)) {}

  Delivery deliver(const Shipment& shipment) override {
    if (interrupted_) return Retry{"interrupted", std::nullopt};
    auto state = write(shipment);
    if (state) return Delivered{std::move(*state)};
    const Error& error = state.error();
    const bool human_needed = error.code == ErrorCode::kConflict || error.code == ErrorCode::kCorrupt ||
                              error.code == ErrorCode::kNotFound;
    return Retry{error.message, std::nullopt, human_needed};
  }

  void interrupt() override { interrupted_ = true; }

  [[nodiscard]] std::optional<Micros> check_interval() const override { return options_.check_interval; }

  Status check(std::string& sink_state) override {
    const std::int64_t now = context_.now();
    return roll_where(sink_state, [&](const FileState& file) { return due(file, now); });
  }

  Status finish(std::string& sink_state) override {
    return roll_where(sink_state, [](const FileState& file) { return file.length > 0; });
  }

 private:
  /// Those of a state, as they are gone on with.
  [[nodiscard]] Result<FileStates> files_of(std::string_view state, const StoreId& store) const {
    LEAT_ASSIGN(FileStates files, decode_files(state));
    for (FileState& file : files) {
      if (file.length > 0 && file.store.empty()) file.store = store.value;
      if (file.length > 0 && file.form.empty()) file.form = form_;
    }
    return files;
  }

  template <class Which>
  Status roll_where(std::string& sink_state, const Which& which) {
    LEAT_ASSIGN(FileStates files, files_of(sink_state, context_.store));
    if (std::ranges::none_of(files, which)) return {};
    for (FileState& file : files)
      if (which(file)) LEAT_TRY(roll(file));
    sink_state = encode_files(files);
    return {};
  }

  /// The state to commit.
  Result<std::string> write(const Shipment& shipment) {
    LEAT_ASSIGN(FileStates files, files_of(shipment.sink_state, shipment.store));
    LEAT_ASSIGN(const std::string lines, lines_of(shipment));
    if (lines.empty()) return shipment.sink_state;
    const std::int64_t now = context_.now();
    for (FileState& file : files)
      if (due(file, now)) LEAT_TRY(roll(file));
    LEAT_TRY(append(file_in(files, ""), shipment, lines, now));
    return encode_files(files);
  }

  Result<std::string> lines_of(const Shipment& shipment) const {
    LEAT_ASSIGN(const auto records, read_blocks(shipment.blocks));
    std::string lines;
    for (const Record& record : records) lines.append(record.payload).append(context_.separator);
    return lines;
  }

  [[nodiscard]] bool due(const FileState& file, std::int64_t now) const {
    if (file.length == 0) return false;
    return file.length >= options_.file_size.bytes ||
           now - file.opened >= options_.rollover_interval.count() ||
           now - file.written >= options_.inactivity_interval.count() || file.form != form_;
  }

  Status roll(FileState& file) {
    const std::string folder = path_of(file);
    const std::string name = final_name(file);
    const std::string path = folder + "/" + name;
    // A reader may have taken the file away before the attempt that published it could be settled.
    if (std::ranges::find(published_, path) == published_.end())
      LEAT_TRY(publish(folder, hidden_name(file), name, file.length));
    published_.push_back(path);
    if (published_.size() > kRemembered) published_.pop_front();
    file = FileState{.folder = file.folder, .number = file.number + 1};
    return {};
  }

  Status append(FileState& file, const Shipment& shipment, std::string_view lines, std::int64_t now) {
    LEAT_TRY(ensure_folder(path_of(file)));
    if (file.length == 0) begin(file, shipment, now);
    Status appended = append(file, lines);
    if (!appended && appended.error().code == ErrorCode::kNotFound) {
      // An attempt that was not settled has rolled it; if somebody has taken it away, this is the error.
      LEAT_TRY(roll(file));
      begin(file, shipment, now);
      appended = append(file, lines);
    }
    file.written = now;
    return appended;
  }

  Status append(FileState& file, std::string_view lines) {
    std::string begun;
    if (file.length == 0 && !header_.empty()) lines = begun.append(header_).append(lines);
    std::string packed;
    if (options_.compression != formats::Compression::kNone) {
      LEAT_ASSIGN(packed, formats::compress(lines, options_.compression));
      lines = packed;
    }
    LEAT_TRY(append_at(path_of(file), hidden_name(file), file.length, lines));
    file.length += lines.size();
    return {};
  }

  void begin(FileState& file, const Shipment& shipment, std::int64_t now) const {
    file.opened = now;
    file.store = shipment.store.value;
    file.form = form_;
  }

  [[nodiscard]] std::string path_of(const FileState& file) const {
    return file.folder.empty() ? folder_ : folder_ + "/" + file.folder;
  }

  [[nodiscard]] std::string final_name(const FileState& file) const {
    const std::string number = fmt::format("{:08}", file.number);
    return joined_name({context_.gateway_id, context_.pipeline.value, context_.table.value,
                        std::string_view(file.store).substr(0, 8), number},
                       '~') +
           file.form.substr(0, file.form.find('\n'));
  }

  [[nodiscard]] std::string hidden_name(const FileState& file) const {
    return ".leat-" + final_name(file) + ".inprogress";
  }

  static constexpr std::size_t kRemembered = 1024;

  FilesystemOptions options_;
  std::string folder_;
  SinkContext context_;
  const std::string header_;           // With its separator; empty: files have none.
  const std::string form_;             // Of the files that are begun now.
  std::deque<std::string> published_;  // The last files that this process has published.
  std::atomic<bool> interrupted_ = false;
};

}  // namespace

SinkConnector filesystem_connector() {
  SinkConnector connector = sink_connector<FilesystemOptions>(
      "filesystem", "Files in a folder; as a sink each record is in exactly one of them.", filesystem_options,
      check_path);
  connector.info.needs_format = true;
  connector.info.validate_sink = [own = connector.info.validate_sink](const OptionMap& map,
                                                                      const std::vector<OptionDoc>& foreign,
                                                                      std::vector<OptionError>& errors) {
    own(map, foreign, errors);
    formats::check_in_files(map, errors);
  };
  connector.info.validate_sink_table = check_columns;
  connector.batch_limits = [](const OptionMap& map) {
    return batch_limits_of(validated_options(filesystem_options(), map));
  };
  connector.build = [](const OptionMap& map, const SinkContext& context) -> Result<std::unique_ptr<Sink>> {
    FilesystemOptions options = validated_options(filesystem_options(), map);
    // A path that can never work is no outage to wait for.
    LEAT_TRY(refuse_file(folder_of(options)));
    return std::make_unique<FilesystemSink>(std::move(options), context);
  };
  return connector;
}

}  // namespace leat::sinks
