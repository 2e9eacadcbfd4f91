#include "sources/sqlite/sqlite_source.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include "pipelines/base/bytes.h"
#include "pipelines/column/codec.h"
#include "pipelines/formats/nested_json.h"
#include "sources/clients/local_table.h"
#include "sources/pause_gate.h"

namespace leat::sources {
namespace {

constexpr std::size_t kRowsPerMessage = 500;
constexpr Micros kRetry{kMicrosPerSecond};
constexpr std::chrono::seconds kLongestScan{10};

std::string encode_position(const LocalTableRange& range) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(range.after));
  out.varint(static_cast<std::uint64_t>(range.last));
  return bytes;
}

Result<LocalTableRange> decode_position(std::string_view bytes) {
  LocalTableRange range;
  if (bytes.empty()) return range;
  ByteReader in(bytes);
  range.after = static_cast<std::int64_t>(in.varint());
  range.last = static_cast<std::int64_t>(in.varint());
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::kInvalid, "the position is none of a table");
  return range;
}

class RowTracker final : public PositionTracker {
 public:
  explicit RowTracker(std::string_view from) : position_(from) {}
  void consumed(const Message& message) override { position_ = message.attributes; }
  [[nodiscard]] std::string encode() const override { return position_; }

 private:
  std::string position_;
};

/// Cells of a message back into columns; nested ones from their JSON.
class RowDecoder final : public formats::Decoder {
 public:
  explicit RowDecoder(std::vector<Type> types) : types_(std::move(types)) {}

  formats::DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                              std::vector<formats::BadRecord>& bad) override {
    ByteReader in(payload);
    const std::uint64_t rows = in.varint();
    std::vector<ColumnBuilder> handed;
    for (const Type& type : types_) handed.emplace_back(formats::json_text_type(type));
    for (std::uint64_t row = 0; row < rows; ++row)
      for (ColumnBuilder& column : handed)
        if (!read_cell(in, column)) return broken(payload, bad);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto values = formats::nested_from_json(handed[i].finish(), types_[i]);
      if (!values) return broken(payload, bad);
      for (std::size_t row = 0; row < rows; ++row) columns[i]->append_cell(**values, row);
    }
    return {.decoded = rows, .rows = rows};
  }

 private:
  static formats::DecodeCount broken(std::string_view payload, std::vector<formats::BadRecord>& bad) {
    bad.push_back({payload, "the cells of the table cannot be read back"});
    return {};
  }

  std::vector<Type> types_;
};

class SqliteSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> build(const OptionMap& options, const SourceContext& context) {
    if (context.tables == nullptr)
      return fail(ErrorCode::kInvalid, "there is no store whose tables could be read");
    return std::unique_ptr<Source>(new SqliteSource(options, context));
  }
  ~SqliteSource() override { stop(); }

  Status start(Intake& intake, std::string_view from) override {
    LEAT_ASSIGN(range_, decode_position(from));
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
    return health_;
  }
  [[nodiscard]] std::unique_ptr<PositionTracker> tracker(std::string_view from) const override {
    return std::make_unique<RowTracker>(from);
  }
  [[nodiscard]] std::unique_ptr<formats::Decoder> own_decoder() const override {
    std::vector<Type> types;
    for (const std::size_t column : wanted_) types.push_back(table_.columns.fields[column].type);
    return std::make_unique<RowDecoder>(std::move(types));
  }

 private:
  SqliteSource(const OptionMap& options, const SourceContext& context)
      : table_(local_table(context.table.value, options, context.physical, {})),
        wanted_(context.wanted),
        tables_(*context.tables),
        now_(context.now) {}

  // On the source's thread.
  void run();
  Status read_rest();
  bool append(const LocalTableScan::Rows& rows, std::unique_ptr<LocalTableScan>& scan);
  void tell(SourceHealth::Link link, std::string detail = {}) {
    const std::scoped_lock lock(mutex_);
    health_.link = link;
    health_.detail = std::move(detail);
  }

  const LocalTable table_;
  const std::vector<std::size_t> wanted_;
  LocalTableReader& tables_;  // The runtime's; outlives the source.
  const std::function<std::int64_t()> now_;
  Intake* intake_ = nullptr;  // The runtime's; outlives the source. From `start` to `stop`.
  LocalTableRange range_;     // What is still to be read.
  mutable std::mutex mutex_;
  SourceHealth health_;
  PauseGate gate_;
  std::thread thread_;
};

void SqliteSource::run() {
  while (!gate_.stopped()) {
    const Status read = read_rest();
    if (gate_.stopped()) return;
    if (read) {
      intake_->end();
      return tell(SourceHealth::Link::kEnded);
    }
    tell(SourceHealth::Link::kUnreadable, read.error().message + ", next try in 1 s");
    if (!gate_.wait_for(kRetry)) return;
  }
}

/// All rows behind the last one that was read. While a scan is open the database's log keeps all that is
/// written meanwhile: none is open for long, or while there is no room.
Status SqliteSource::read_rest() {
  std::unique_ptr<LocalTableScan> scan;
  std::chrono::steady_clock::time_point open_until;
  while (!gate_.stopped()) {
    if (!scan || std::chrono::steady_clock::now() > open_until) {
      scan.reset();
      LEAT_ASSIGN(scan, tables_.scan_table(table_, wanted_, range_));
      open_until = std::chrono::steady_clock::now() + kLongestScan;
      tell(SourceHealth::Link::kIdle);
    }
    LEAT_ASSIGN(const LocalTableScan::Rows rows, scan->next(kRowsPerMessage));
    if (rows.size == 0) return {};
    range_.after = rows.last;
    if (!append(rows, scan)) return {};
  }
  return {};
}

/// False: the source is to end.
bool SqliteSource::append(const LocalTableScan::Rows& rows, std::unique_ptr<LocalTableScan>& scan) {
  std::string payload;
  ByteWriter out(payload);
  out.varint(rows.size);
  for (std::size_t row = 0; row < rows.size; ++row)
    for (const ColumnPtr& column : rows.columns) write_cell(*column, row, out);
  const std::string position = encode_position(range_);
  while (!gate_.stopped()) {
    const Appended appended = intake_->append(payload, {}, position, now_());
    if (appended == Appended::kStored) return true;
    scan.reset();
    tell(SourceHealth::Link::kPaused);
    if (!gate_.wait_for_room()) return false;
    tell(SourceHealth::Link::kIdle);
    if (appended == Appended::kAboveHigh) return true;
  }
  return false;
}

}  // namespace

SourceConnector sqlite_source_connector() {
  SourceConnector connector;
  connector.info = {
      .name = "sqlite",
      .doc =
          "A table of the store: written by pipelines or loaded by 'leat table load', read by "
          "pipelines and by anybody with plain SQL.",
      .can_read = true,
      .can_look_up = true,
      .source_options = [] { return local_table_options().docs(); },
      .validate_source =
          [](const OptionMap& map, const std::vector<OptionDoc>& foreign, std::vector<OptionError>& errors) {
            local_table_options().read(map, foreign, errors);
          },
      .validate_table = validate_local_table,
      .metadata = [](const OptionMap&) { return std::vector<plan::MetadataColumn>(); },
      .bounded = [](const OptionMap&) { return true; }};
  connector.intake = IntakeKind::kMemory;
  connector.framing = formats::Framing::kMessage;
  connector.build = SqliteSource::build;
  connector.intake_options = [](const OptionMap&) { return IntakeOptions{.size = {1U << 20}}; };
  return connector;
}

}  // namespace leat::sources
