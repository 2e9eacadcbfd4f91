#include "daemon/runtime/file_lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "daemon/log/log.h"
#include "pipelines/column/codec.h"
#include "sources/filesystem/filesystem_source.h"
#include "sources/pause_gate.h"

namespace leat::runtime {
namespace {

constexpr Micros kLook{50'000};  // Between two looks at a source that says nothing.
constexpr std::size_t kReadBytes = 1 << 20;

/// Names, sizes and times of all files: what tells that something has changed. Empty: there are none, or they
/// cannot be listed.
sources::FoundFiles stamp_of(const sources::FileSelection& selection) {
  return sources::find_files(*sources::local_files(), selection).value_or(sources::FoundFiles{});
}

/// The rows of the files, by key.
struct Image {
  std::vector<ColumnPtr> columns;
  std::unordered_map<std::string, std::vector<std::uint32_t>> rows_of;
  std::size_t size = 0;
};

/// A table's files, as a source that ends reads them.
class FileReader {
 public:
  FileReader(const plan::LookupJoinNode& join, ReaderContext context)
      : join_(join), context_(std::move(context)), scan_(*join.table().scan) {
    scan_.options.erase("source.monitor-interval");
    scan_.bounded = true;
    scan_.physical_wanted = join.table().columns;
    most_ = sources::file_lookup_options(join.table().scan->options).max_rows;
    context_.journal_dir.clear();
    context_.wake = [this] { wake(); };
  }

  /// Everything that there is. Errors: see open_file_lookup.
  Result<std::shared_ptr<const Image>> read() {
    LEAT_ASSIGN(const auto reader, SourceReader::create(scan_, context_, {}));
    LEAT_TRY(reader->start());
    std::vector<Batch> batches;
    const Status read = read_all(*reader, batches);
    reader->stop();
    LEAT_TRY(read);
    return image_of(batches);
  }

 private:
  void wake() {
    {
      const std::scoped_lock lock(mutex_);
      readable_ = true;
    }
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook, [this] { return readable_; });
    readable_ = false;
  }

  Status read_all(SourceReader& reader, std::vector<Batch>& batches) {
    std::vector<store::DeadLetter> dead;
    std::uint64_t rows = 0;
    while (!reader.ended()) {
      LEAT_ASSIGN(std::optional<Batch> batch, reader.read(kReadBytes));
      if (!batch) {
        const sources::SourceHealth health = reader.health();
        if (health.link == sources::SourceHealth::Link::kUnreadable)
          return fail(ErrorCode::kIo, fmt::format("table '{}': {}", scan_.table, health.detail));
        if (!reader.ended()) wait();
        continue;
      }
      reader.processed(dead);
      rows += batch->size;
      batches.push_back(*std::move(batch));
      if (rows > most_)
        return fail(ErrorCode::kExhausted,
                    fmt::format("table '{}' has more than {} rows, the most that are held in memory to look "
                                "rows up ('lookup.max-rows')",
                                scan_.table, most_));
    }
    tell_of(dead);
    return {};
  }

  void tell_of(const std::vector<store::DeadLetter>& dead) const {
    if (dead.empty()) return;
    log::warn("lines of a table that is looked up cannot be read and are left out",
              {{"pipeline", context_.pipeline.value},
               {"table", scan_.table},
               {"lines", std::to_string(dead.size())},
               {"first", dead.front().reason}});
  }

  std::shared_ptr<const Image> image_of(const std::vector<Batch>& batches) const {
    auto image = std::make_shared<Image>();
    for (std::size_t i = 0; i < scan_.physical_wanted.size(); ++i) {
      std::vector<ColumnPtr> parts;
      for (const Batch& batch : batches) parts.push_back(batch.columns[i]);
      const Type& type = scan_.physical.fields[scan_.physical_wanted[i]].type;
      image->columns.push_back(parts.empty() ? Column::nulls(type.with_nullable(true), 0) : concat(parts));
    }
    for (const Batch& batch : batches) image->size += batch.size;
    std::string key;
    for (std::uint32_t row = 0; row < image->size; ++row) {
      key.clear();
      ByteWriter out(key);
      for (const plan::JoinKey& each : join_.keys) write_key_cell(*image->columns[each.right], row, out);
      image->rows_of[key].push_back(row);
    }
    return image;
  }

  const plan::LookupJoinNode& join_;  // Part of the plan, which the pipeline keeps.
  ReaderContext context_;
  plan::ScanNode scan_;
  std::uint64_t most_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool readable_ = false;
};

class FileLookup final : public exec::LookupTable {
 public:
  static Result<std::unique_ptr<exec::LookupTable>> open(const plan::LookupJoinNode& join,
                                                         const ReaderContext& context) {
    std::unique_ptr<FileLookup> made(new FileLookup(join, context));
    made->stamp_ = stamp_of(made->selection_);
    LEAT_ASSIGN(made->image_, made->reader_.read());
    if (made->interval_) made->thread_ = std::thread([lookup = made.get()] { lookup->watch(); });
    return made;
  }
  ~FileLookup() override {
    gate_.stop();
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] std::uint64_t version() const override { return version_; }
  /// The image is in memory: a copy of its rows would gain nothing.
  [[nodiscard]] exec::LookupCaching caching() const override { return {}; }

  Result<Matches> find(std::span<const ColumnPtr> keys, std::size_t count) override {
    const std::shared_ptr<const Image> image = this->image();
    Matches matches;
    std::vector<std::uint32_t> rows;
    std::string key;
    for (std::uint32_t i = 0; i < count; ++i) {
      key.clear();
      ByteWriter out(key);
      for (const ColumnPtr& column : keys) write_key_cell(*column, i, out);
      const auto found = image->rows_of.find(key);
      if (found == image->rows_of.end()) continue;
      for (const std::uint32_t row : found->second) {
        matches.keys.push_back(i);
        rows.push_back(row);
      }
    }
    for (const ColumnPtr& column : image->columns) matches.columns.push_back(gather(column, rows));
    return matches;
  }

 private:
  FileLookup(const plan::LookupJoinNode& join, const ReaderContext& context)
      : table_(join.table().scan->table), pipeline_(context.pipeline.value), reader_(join, context) {
    const plan::ScanNode& scan = *join.table().scan;
    const sources::FileLookupOptions options = sources::file_lookup_options(scan.options);
    selection_ = options.selection;
    for (const Type::Field& column : scan.partitions.fields) selection_.partitions.push_back(column.name);
    interval_ = options.monitor_interval;
  }

  [[nodiscard]] std::shared_ptr<const Image> image() const {
    const std::scoped_lock lock(mutex_);
    return image_;
  }

  // On the lookup's own thread.
  void watch() {
    while (gate_.wait_for(*interval_)) {
      sources::FoundFiles stamp = stamp_of(selection_);
      if (stamp == stamp_ || stamp.empty()) continue;
      auto image = reader_.read();
      stamp_ = std::move(stamp);
      if (!image) {
        log::warn("a table that is looked up has changed, but cannot be read: its former rows stay",
                  {{"pipeline", pipeline_}, {"table", table_}, {"error", image.error().message}});
        continue;
      }
      const std::scoped_lock lock(mutex_);
      image_ = *std::move(image);
      ++version_;
    }
  }

  const std::string table_;
  const std::string pipeline_;
  sources::FileSelection selection_;
  std::optional<Micros> interval_;
  FileReader reader_;          // The loop's until the thread runs, then the thread's.
  sources::FoundFiles stamp_;  // Likewise.
  mutable std::mutex mutex_;   // Guards image_.
  std::shared_ptr<const Image> image_;
  std::atomic<std::uint64_t> version_ = 0;
  sources::PauseGate gate_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<exec::LookupTable>> open_file_lookup(const plan::LookupJoinNode& join,
                                                            const ReaderContext& context) {
  return FileLookup::open(join, context);
}

}  // namespace leat::runtime
