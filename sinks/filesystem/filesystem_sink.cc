#include "sinks/filesystem/filesystem_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "pipelines/formats/format.h"
#include "sinks/connector.h"
#include "sinks/filesystem/file_state.h"
#include "sinks/filesystem/file_store.h"
#include "sinks/filesystem/filesystem_options.h"

namespace leat::sinks {

namespace {

std::size_t bytes_of(std::span<const std::string> blocks) {
  std::size_t bytes = 0;
  for (const std::string& block : blocks) bytes += block.size();
  return bytes;
}

std::string_view suffix_of(formats::Compression compression) {
  if (compression == formats::Compression::kGzip) return ".gz";
  return compression == formats::Compression::kZstd ? ".zst" : "";
}

std::string below(const std::string& root, const FileState& file) {
  return file.folder.empty() ? root : root + "/" + file.folder;
}

std::string final_name(const FileState& file) {
  const std::string number = fmt::format("{:08}", file.number);
  return fmt::format("{}~{}{}", file.stem,
                     joined_name({std::string_view(file.store).substr(0, 8), number}, '~'),
                     std::string_view(file.form).substr(0, file.form.find('\n')));
}

std::string hidden_name(const FileState& file) {
  return fmt::format(".leat-{}{}{}.inprogress", final_name(file), file.mark.empty() ? "" : ".", file.mark);
}

std::string stem_of(const SinkContext& context) {
  return joined_name({context.gateway_id, context.pipeline.value, context.table.value}, '~');
}

/// Whether the names of the columns can be written, if they are to be, and what needs partitions.
void check_columns(const OptionMap& map, const plan::TableShape& table, std::vector<OptionError>& errors) {
  for (const auto& [key, value] : map)
    if (key.starts_with("sink.partition-commit.") && table.partitions.size() == 0)
      errors.push_back({key, OptionError::Part::kKey,
                        fmt::format("option '{}' is for a table that is PARTITIONED BY columns", key)});
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
        root_(root_of(options_)),
        store_(store_of(options_)),
        context_(std::move(context)),
        stem_(stem_of(context_)),
        header_(options_.header == formats::FileHeader::kNone ? "" : context_.header + context_.separator),
        form_(fmt::format(".{}{}\n{}", context_.format, suffix_of(options_.compression), header_)) {}

  /// Whether file systems take the names of the files. Errors: invalid.
  [[nodiscard]] Status check_names() const {
    constexpr std::uint64_t kLargeNumber = 9'999'999'999;
    const FileState file{.number = kLargeNumber,
                         .store = context_.store.value,
                         .form = form_,
                         .mark = store_->fresh_mark(),
                         .stem = stem_};
    const std::size_t name = hidden_name(file).size();
    if (name > formats::kLongestName)
      return fail(
          ErrorCode::kInvalid,
          fmt::format("the names of its files would have {} bytes, more than {}, as they are made of those "
                      "of gateway, pipeline and table: give it a shorter one",
                      name, formats::kLongestName));
    if (const std::size_t path = folder_.size() + name; path > kLongestOwnPath)
      return fail(
          ErrorCode::kInvalid,
          fmt::format("the paths of its files would have {} bytes, more than {}: use a folder of a shorter "
                      "path",
                      path, kLongestOwnPath));
    return {};
  }

  Delivery deliver(const Shipment& shipment) override {
    if (interrupted_) return Retry{"interrupted", std::nullopt};
    auto state = write(shipment);
    if (state) return Delivered{std::move(*state)};
    const Error& error = state.error();
    const bool human_needed = error.code == ErrorCode::kConflict || error.code == ErrorCode::kCorrupt ||
                              error.code == ErrorCode::kNotFound || error.code == ErrorCode::kInvalid;
    return Retry{error.message, std::nullopt, human_needed};
  }

  void interrupt() override {
    interrupted_ = true;
    store_->interrupt();
    const std::lock_guard lock(former_mutex_);
    for (const auto& [root, store] : former_) store->interrupt();
  }

  [[nodiscard]] bool leaves_open() const override { return true; }
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
      if (file.length > 0 && file.root.empty()) file.root = root_;
      if (file.length > 0 && file.stem.empty()) file.stem = stem_;
    }
    return files;
  }

  /// The state is that of the files that could be rolled, also behind an error.
  template <class Which>
  Status roll_where(std::string& sink_state, const Which& which) {
    LEAT_ASSIGN(FileStates files, files_of(sink_state, context_.store));
    Status all;
    bool rolled_any = false;
    std::set<std::string> away;  // Roots that are not asked again: a cluster lets each request wait.
    for (FileState& file : files) {
      if (!which(file) || away.contains(file.root)) continue;
      const std::string root = file.root;
      const Status rolled = roll(file);
      if (!rolled) away.insert(root);
      if (!rolled && all) all = rolled;
      rolled_any = rolled_any || rolled;
    }
    if (rolled_any) sink_state = encode_files(files);
    return all;
  }

  /// The state to commit.
  Result<std::string> write(const Shipment& shipment) {
    LEAT_ASSIGN(FileStates files, files_of(shipment.sink_state, shipment.store));
    LEAT_ASSIGN(Lines lines, by_folder(shipment.blocks));
    if (lines.empty()) return shipment.sink_state;
    const std::int64_t now = context_.now();
    for (FileState& file : files)
      if (due(file, now)) LEAT_TRY(roll(file));
    LEAT_TRY(make_room(files, lines));
    for (const auto& [folder, text] : lines) LEAT_TRY(append(file_in(files, folder), shipment, text, now));
    if (lines.size() == 1) spare_ = std::move(lines.begin()->second);
    return encode_files(files);
  }

  /// By folder, in the order of the records.
  using Lines = std::map<std::string_view, std::string, std::less<>>;

  Result<Lines> by_folder(std::span<const std::string> blocks) {
    Lines lines;
    auto place = lines.end();
    for (const std::string& block : blocks) {
      BlockReader reader(block);
      for (Record record; reader.next(record);) {
        if (place == lines.end() || place->first != record.key) {
          place = lines.try_emplace(record.key).first;
          if (lines.size() == 1) reuse(place->second, bytes_of(blocks));
        }
        place->second.append(record.payload).append(context_.separator);
      }
      LEAT_TRY(reader.status());
    }
    return lines;
  }

  /// The memory of the shipment before, so that the system need not give and take it for each.
  void reuse(std::string& text, std::size_t bytes) {
    text = std::exchange(spare_, {});
    text.clear();
    text.reserve(bytes);
  }

  /// Rolls the files that were written longest ago where more would be open than allowed. Which ones depends
  /// on the state alone, so that a shipment that is sent again rolls the same.
  Status make_room(FileStates& files, const Lines& lines) {
    std::vector<FileState*> others;
    for (FileState& file : files)
      if (file.length > 0 && !file.folder.empty() && !lines.contains(file.folder)) others.push_back(&file);
    std::ranges::stable_sort(others, {}, &FileState::written);
    const std::uint64_t most = options_.max_open_partitions;
    const std::uint64_t room = most > lines.size() ? most - lines.size() : 0;
    for (std::size_t i = 0; i + room < others.size(); ++i) LEAT_TRY(roll(*others[i]));
    return {};
  }

  [[nodiscard]] bool due(const FileState& file, std::int64_t now) const {
    if (file.length == 0) return false;
    return file.length >= options_.file_size.bytes ||
           now - file.opened >= options_.rollover_interval.count() ||
           now - file.written >= options_.inactivity_interval.count() || file.form != form_ ||
           file.root != root_ || file.stem != stem_;
  }

  Status roll(FileState& file) {
    const std::string path = below("", file) + "/" + final_name(file);
    // A reader may have taken the file away before the attempt that published it could be settled.
    if (std::ranges::find(published_, path) == published_.end()) LEAT_TRY(publish(file));
    published_.push_back(path);
    if (published_.size() > kRemembered) published_.pop_front();
    file = FileState{.folder = file.folder, .number = file.number + 1};
    return {};
  }

  Status publish(const FileState& file) {
    // It may have been moved to the present 'path', or its cluster only have another address now.
    Status published = publish_in(*store_, folder_, file);
    if (published || file.root == root_ || published.error().code != ErrorCode::kNotFound) return published;
    LEAT_ASSIGN(FileStore* const former, former_store(file.root));
    published = publish_in(*former, folder_of(with_path(file.root)), file);
    if (published || !is_away(published.error())) return published;
    return tl::unexpected<Error>(left_behind(file, published.error()));
  }

  static bool is_away(const Error& error) {
    return error.code == ErrorCode::kIo || error.code == ErrorCode::kUnavailable;
  }

  /// 'path' may have been changed because the former place is dead: somebody has to say so.
  [[nodiscard]] Error left_behind(const FileState& file, const Error& error) const {
    return {ErrorCode::kConflict,
            fmt::format("{}; {} was begun under the former 'path' ({}) with {} delivered bytes: mend that, "
                        "move it to {}, or, if its records are not missed, create an empty file {} there",
                        error.message, hidden_name(file), file.root, file.length, below(root_, file),
                        final_name(file))};
  }

  /// As it is wanted now, else as it was when the file was begun.
  [[nodiscard]] std::string success_of(const FileState& file) const {
    const bool is_wanted = !file.folder.empty() && !options_.commit_policy.empty();
    return is_wanted ? options_.success_file : file.success;
  }

  Status publish_in(FileStore& store, const std::string& root, const FileState& file) const {
    const std::string folder = below(root, file);
    LEAT_TRY(store.publish(folder, hidden_name(file), final_name(file), file.length));
    const std::string success = success_of(file);
    return success.empty() ? Status() : store.touch(folder, success);
  }

  /// Of a 'path' that the sink had before; kept for the next file that was begun there. Errors: cancelled.
  Result<FileStore*> former_store(const std::string& root) {
    const std::lock_guard lock(former_mutex_);
    if (interrupted_) return fail(ErrorCode::kCancelled, "interrupted");
    std::unique_ptr<FileStore>& store = former_[root];
    if (!store) store = store_of(with_path(root));
    return store.get();
  }

  [[nodiscard]] FilesystemOptions with_path(const std::string& path) const {
    FilesystemOptions options = options_;
    options.path = path;
    return options;
  }

  Status append(FileState& file, const Shipment& shipment, std::string_view lines, std::int64_t now) {
    LEAT_TRY(store_->ensure_folder(below(folder_, file)));
    const bool goes_on = file.length > 0;
    if (!goes_on) begin(file, shipment, now);
    Status appended = append(file, lines);
    if (goes_on && !appended && appended.error().code == ErrorCode::kNotFound) {
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
    LEAT_TRY(store_->append_at(below(folder_, file), hidden_name(file), file.length, lines));
    file.length += lines.size();
    return {};
  }

  void begin(FileState& file, const Shipment& shipment, std::int64_t now) {
    file.opened = now;
    file.mark = store_->fresh_mark();
    // In a folder of many, the number of the shipment: it is the same whenever that is sent again, and
    // nothing has to be kept of a folder that no file is open in.
    if (!file.folder.empty()) file.number = shipment.number.value;
    file.store = shipment.store.value;
    file.form = form_;
    file.root = root_;
    file.stem = stem_;
    file.success = success_of(file);
  }

  static constexpr std::size_t kRemembered = 1024;
  /// A path may have 4,096 bytes on Linux; the rest is for the folders of partitions.
  static constexpr std::size_t kLongestOwnPath = 4095 - formats::kLongestFolders - 2;

  FilesystemOptions options_;
  std::string folder_;
  const std::string root_;  // The same as a 'path'.
  const std::unique_ptr<FileStore> store_;
  SinkContext context_;
  const std::string stem_;             // What the names of files begin with.
  const std::string header_;           // With its separator; empty: files have none.
  const std::string form_;             // Of the files that are begun now.
  std::deque<std::string> published_;  // The last files that this process has published.
  std::string spare_;                  // Memory for the lines of the next shipment.
  std::atomic<bool> interrupted_ = false;
  std::mutex former_mutex_;  // Guards the next, which the interrupting thread looks at, too.
  std::map<std::string, std::unique_ptr<FileStore>> former_;  // By root; they stay until the end.
};

/// Why only the former sink can publish these; empty: anybody can.
std::string why_only_the_former(const FileStates& open) {
  for (const FileState& file : open) {
    if (file.root.empty() || file.stem.empty()) return "the store does not say which folder it is in";
    if (clients::is_webhdfs(file.root)) return "the store does not say as whom its cluster was asked";
  }
  return {};
}

/// As far as an earlier version has kept it.
std::string shown_path(FileState file, const SinkContext& context) {
  if (file.store.empty()) file.store = context.store.value;
  if (file.stem.empty()) file.stem = stem_of(context);
  if (file.form.empty()) file.form = ".*";
  const std::string folder = below(file.root, file);
  return folder.empty() ? hidden_name(file) : folder + "/" + hidden_name(file);
}

std::optional<LeftOpen> left_open(std::string_view sink_state, const SinkContext& context) {
  auto files = decode_files(sink_state);
  if (!files) return std::nullopt;  // Another connector's.
  std::erase_if(*files, [](const FileState& file) { return file.length == 0; });
  if (files->empty()) return std::nullopt;
  LeftOpen open;
  for (const FileState& file : *files) open.files.push_back(shown_path(file, context));
  open.why_not = why_only_the_former(*files);
  if (!open.why_not.empty()) return open;
  FilesystemOptions options;
  options.path = files->front().root;
  open.sink = std::make_unique<FilesystemSink>(std::move(options), context);
  return open;
}

}  // namespace

SinkConnector filesystem_connector() {
  SinkConnector connector = sink_connector<FilesystemOptions>(
      "filesystem", "Files in a folder; as a sink each record is in exactly one of them.", filesystem_options,
      check_filesystem_options);
  connector.info.needs_format = true;
  connector.info.validate_sink = [own = connector.info.validate_sink](const OptionMap& map,
                                                                      const std::vector<OptionDoc>& foreign,
                                                                      std::vector<OptionError>& errors) {
    own(map, foreign, errors);
    formats::check_in_files(map, errors);
  };
  connector.info.has_partitions = true;
  connector.info.validate_sink_table = check_columns;
  connector.batch_limits = [](const OptionMap& map) {
    return batch_limits_of(validated_options(filesystem_options(), map));
  };
  connector.build = [](const OptionMap& map, const SinkContext& context) -> Result<std::unique_ptr<Sink>> {
    FilesystemOptions options = validated_options(filesystem_options(), map);
    // A path that can never work is no outage to wait for.
    LEAT_TRY(store_of(options)->refuse(folder_of(options)));
    auto sink = std::make_unique<FilesystemSink>(std::move(options), context);
    LEAT_TRY(sink->check_names());
    return sink;
  };
  connector.left_open = left_open;
  return connector;
}

}  // namespace leat::sinks
