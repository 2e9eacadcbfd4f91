#include "sinks/filesystem/filesystem_sink.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "pipelines/base/flink_option.h"
#include "pipelines/formats/format.h"
#include "sinks/connector.h"
#include "sinks/filesystem/rolling_file.h"

namespace leat::sinks {

namespace {

struct FilesystemOptions {
  std::string path;
  ByteSize file_size{128ULL << 20};
  Micros rollover_interval{30 * kMicrosPerMinute};
  Micros inactivity_interval{30 * kMicrosPerMinute};
  Micros check_interval{kMicrosPerMinute};
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

void check_path(const FilesystemOptions& options, const OptionMap&, std::vector<OptionError>& errors) {
  const std::string folder = folder_of(options);
  if (folder.empty())
    errors.push_back({"path", OptionError::Part::kValue, "'path' is empty; expected a folder"});
  else if (folder.find("://") != std::string::npos)
    errors.push_back({"path", OptionError::Part::kValue,
                      fmt::format("'path' = '{}': the only scheme of this version is file", options.path)});
}

class FilesystemSink final : public Sink {
 public:
  FilesystemSink(FilesystemOptions options, SinkContext context)
      : options_(std::move(options)), folder_(folder_of(options_)), context_(std::move(context)) {}

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
    LEAT_ASSIGN(const FileState state, decode_file_state(sink_state));
    return due(state, context_.now()) ? finish(sink_state) : Status();
  }

  Status finish(std::string& sink_state) override {
    LEAT_ASSIGN(FileState state, decode_file_state(sink_state));
    if (state.length == 0) return {};
    LEAT_TRY(roll(state, context_.store));
    sink_state = encode_file_state(state);
    return {};
  }

 private:
  /// The state to commit.
  Result<std::string> write(const Shipment& shipment) {
    LEAT_ASSIGN(FileState state, decode_file_state(shipment.sink_state));
    LEAT_ASSIGN(const std::string lines, lines_of(shipment));
    if (lines.empty()) return shipment.sink_state;
    LEAT_TRY(ensure_folder(folder_));
    const std::int64_t now = context_.now();
    if (due(state, now)) LEAT_TRY(roll(state, shipment.store));
    Status appended = append(state, shipment.store, lines);
    if (!appended && appended.error().code == ErrorCode::kNotFound) {
      // An attempt that was not settled has rolled it; if somebody has taken it away, this is the error.
      LEAT_TRY(roll(state, shipment.store));
      appended = append(state, shipment.store, lines);
    }
    if (!appended) return tl::unexpected<Error>(appended.error());
    if (state.length == 0) {
      state.opened = now;
      state.store = shipment.store.value;
    }
    state.written = now;
    state.length += lines.size();
    return encode_file_state(state);
  }

  Result<std::string> lines_of(const Shipment& shipment) const {
    LEAT_ASSIGN(const auto records, read_blocks(shipment.blocks));
    std::string lines;
    for (const Record& record : records) lines.append(record.payload).append(context_.separator);
    return lines;
  }

  [[nodiscard]] bool due(const FileState& state, std::int64_t now) const {
    if (state.length == 0) return false;
    return state.length >= options_.file_size.bytes ||
           now - state.opened >= options_.rollover_interval.count() ||
           now - state.written >= options_.inactivity_interval.count();
  }

  Status roll(FileState& state, const StoreId& store) {
    const std::string name = final_name(state, store);
    // A reader may have taken the file away before the attempt that published it could be settled.
    if (name != published_) LEAT_TRY(publish(folder_, hidden_name(state, store), name, state.length));
    published_ = name;
    state = FileState{state.number + 1};
    return {};
  }

  Status append(const FileState& state, const StoreId& store, std::string_view lines) {
    return append_at(folder_, hidden_name(state, store), state.length, lines);
  }

  /// `store` is the current one, for a file that has not been begun.
  [[nodiscard]] std::string final_name(const FileState& state, const StoreId& store) const {
    const std::string number = fmt::format("{:08}", state.number);
    const std::string_view opener = state.store.empty() ? store.value : state.store;
    return joined_name({context_.gateway_id, context_.pipeline.value, context_.table.value,
                        opener.substr(0, 8), number},
                       '~') +
           "." + context_.format;
  }

  [[nodiscard]] std::string hidden_name(const FileState& state, const StoreId& store) const {
    return ".leat-" + final_name(state, store) + ".inprogress";
  }

  FilesystemOptions options_;
  std::string folder_;
  SinkContext context_;
  std::string published_;  // The last file that this process has published; empty: none.
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
