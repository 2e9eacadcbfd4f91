#include "sources/datagen/datagen_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include "pipelines/base/bytes.h"
#include "sources/datagen/cell_generator.h"
#include "sources/datagen/datagen_options.h"
#include "sources/datagen/field_checks.h"
#include "sources/pause_gate.h"

namespace leat::sources {
namespace {

/// Rows of one message at most, and how often the clock is looked at while rows are not due.
constexpr std::uint64_t kRowsPerMessage = 1024;
constexpr Micros kTick{10 * kMicrosPerMilli};

// Grammar:
//   payload  := varint first, varint count, zigzag now     rows [first, first + count), made at `now`
//   position := varint number of the next row
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::int64_t now = 0;
};

std::string encode_range(const RowRange& range) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.varint(range.first);
  writer.varint(range.count);
  writer.zigzag(range.now);
  return bytes;
}

RowRange decode_range(std::string_view payload) {
  ByteReader reader(payload);
  RowRange range;
  range.first = reader.varint();
  range.count = reader.varint();
  range.now = reader.zigzag();
  return reader.ok() ? range : RowRange{};
}

Result<std::uint64_t> decode_position(std::string_view from) {
  if (from.empty()) return std::uint64_t{0};
  ByteReader reader(from);
  const std::uint64_t next = reader.varint();
  if (!reader.ok() || !reader.at_end())
    return fail(ErrorCode::kInvalid, "this is no position of a datagen source");
  return next;
}

class RowTracker final : public PositionTracker {
 public:
  explicit RowTracker(std::uint64_t next) : next_(next) {}
  void consumed(const Message& message) override {
    const RowRange range = decode_range(message.payload);
    next_ = range.first + range.count;
  }
  [[nodiscard]] std::string encode() const override {
    std::string bytes;
    ByteWriter(bytes).varint(next_);
    return bytes;
  }

 private:
  std::uint64_t next_;
};

/// One wanted column: its generator and a seed of its own, so that equal columns differ.
struct GeneratedColumn {
  std::shared_ptr<const CellGenerator> cells;
  std::uint64_t seed = 0;
};

class DatagenDecoder final : public formats::Decoder {
 public:
  explicit DatagenDecoder(std::vector<GeneratedColumn> columns) : columns_(std::move(columns)) {}

  formats::DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> builders,
                              std::vector<formats::BadRecord>&) override {
    const RowRange range = decode_range(payload);
    for (std::size_t i = 0; i < columns_.size(); ++i) make(range, columns_[i], *builders[i]);
    return {.decoded = range.count, .rows = range.count};
  }

 private:
  static void make(const RowRange& range, const GeneratedColumn& column, ColumnBuilder& builder) {
    builder.reserve(builder.size() + static_cast<std::size_t>(range.count));
    for (std::uint64_t number = range.first; number < range.first + range.count; ++number) {
      RandomBits random(RandomBits(column.seed ^ number).next());
      column.cells->append({number, range.now}, random, builder);
    }
  }
  const std::vector<GeneratedColumn> columns_;
};

void validate_datagen_table(const OptionMap& map, const plan::TableShape& table,
                            std::vector<OptionError>& errors) {
  check_fields(read_datagen_options(map), table.physical, errors);
}

class DatagenSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> build(const OptionMap& map, const SourceContext& context) {
    const DatagenOptions options = read_datagen_options(map);
    std::vector<OptionError> wrong;
    check_fields(options, context.physical, wrong);
    if (!wrong.empty()) return fail(ErrorCode::kInvalid, wrong.front().message);
    std::vector<GeneratedColumn> columns;
    for (const std::size_t index : context.wanted) {
      const Type::Field& field = context.physical.fields[index];
      LEAT_ASSIGN(auto cells, make_cell_generator(field.type, field.name, options.fields));
      columns.push_back({std::move(cells), RandomBits(options.seed + index).next()});
    }
    return std::unique_ptr<Source>(new DatagenSource(options, context, std::move(columns)));
  }
  ~DatagenSource() override { stop(); }

  Status start(Intake& intake, std::string_view from) override {
    LEAT_ASSIGN(next_, decode_position(from));
    intake_ = &intake;
    thread_ = std::thread([this] { run(); });
    return {};
  }
  void resume() override { gate_.open(); }
  void stop() override {
    gate_.stop();
    if (intake_ != nullptr) intake_->interrupt();
    if (thread_.joinable()) thread_.join();
    intake_ = nullptr;
  }
  [[nodiscard]] SourceHealth health() const override {
    const std::scoped_lock lock(mutex_);
    return {link_, {}};
  }
  [[nodiscard]] std::unique_ptr<PositionTracker> tracker(std::string_view from) const override {
    return std::make_unique<RowTracker>(decode_position(from).value_or(0));
  }
  [[nodiscard]] std::unique_ptr<formats::Decoder> own_decoder() const override {
    return std::make_unique<DatagenDecoder>(columns_);
  }

 private:
  DatagenSource(const DatagenOptions& options, const SourceContext& context,
                std::vector<GeneratedColumn> columns)
      : rows_per_second_(options.rows_per_second),
        total_(options.total_rows()),
        now_(context.now),
        columns_(std::move(columns)) {}

  // On the source's thread.
  void run();
  /// False: the source is to end.
  bool append(const RowRange& range);
  [[nodiscard]] bool finished() const { return total_ && next_ >= *total_; }
  /// Rows due since `since`, the first one at once.
  [[nodiscard]] std::uint64_t due(std::int64_t since, std::int64_t now) const {
    return 1 + static_cast<std::uint64_t>(static_cast<double>(now - since) *
                                          static_cast<double>(rows_per_second_) / kMicrosPerSecond);
  }
  void set_link(SourceHealth::Link link) {
    const std::scoped_lock lock(mutex_);
    link_ = link;
  }

  const std::uint64_t rows_per_second_;
  const std::optional<std::uint64_t> total_;
  const std::function<std::int64_t()> now_;
  const std::vector<GeneratedColumn> columns_;
  Intake* intake_ = nullptr;  // The runtime's; outlives the source. From `start` to `stop`.
  std::uint64_t next_ = 0;
  mutable std::mutex mutex_;
  SourceHealth::Link link_ = SourceHealth::Link::kIdle;
  PauseGate gate_;
  std::thread thread_;
};

void DatagenSource::run() {
  std::int64_t since = now_();
  std::int64_t last_look = since;
  std::uint64_t made = 0;
  while (!finished() && !gate_.stopped()) {
    const std::int64_t now = now_();
    if (std::exchange(last_look, now) > now) {  // The clock was set back: keep the rate from here on.
      since = now;
      made = 0;
    }
    const std::uint64_t wanted = due(since, now);
    if (wanted <= made) {
      if (!gate_.wait_for(kTick)) return;
      continue;
    }
    const std::uint64_t left = total_ ? *total_ - next_ : kRowsPerMessage;
    const RowRange range{next_, std::min({wanted - made, left, kRowsPerMessage}), now};
    if (!append(range)) return;
    next_ += range.count;
    made += range.count;
  }
  if (!finished()) return;
  intake_->end();
  set_link(SourceHealth::Link::kEnded);
}

bool DatagenSource::append(const RowRange& range) {
  const std::string payload = encode_range(range);
  while (!gate_.stopped()) {
    const Appended appended = intake_->append(payload, {}, {}, range.now);
    if (appended == Appended::kStored) return true;
    set_link(SourceHealth::Link::kPaused);
    if (!gate_.wait_for_room()) return false;
    set_link(SourceHealth::Link::kIdle);
    if (appended == Appended::kAboveHigh) return true;
  }
  return false;
}

}  // namespace

SourceConnector datagen_connector() {
  SourceConnector connector;
  connector.info = {
      .name = "datagen",
      .doc = "Makes up rows: random values and sequences, the same again for the same seed.",
      .can_read = true,
      .source_options = [] { return datagen_options().docs(); },
      .validate_source = [](const OptionMap& map, const std::vector<OptionDoc>& foreign,
                            std::vector<OptionError>& errors) { read_datagen_options(map, foreign, errors); },
      .validate_table = validate_datagen_table,
      .metadata = [](const OptionMap&) { return std::vector<plan::MetadataColumn>(); },
      .bounded = [](const OptionMap& map) { return read_datagen_options(map).total_rows().has_value(); }};
  connector.intake = IntakeKind::kMemory;
  connector.framing = formats::Framing::kMessage;
  connector.build = DatagenSource::build;
  // A message stands for up to a thousand rows that are made when it is read: a short queue is enough.
  connector.intake_options = [](const OptionMap&) { return IntakeOptions{.size = {64U << 10}}; };
  return connector;
}

}  // namespace leat::sources
