#include "sources/stream/stream_source.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "pipelines/base/bytes.h"
#include "sources/clients/local_stream.h"
#include "sources/pause_gate.h"

namespace leat::sources {
namespace {

constexpr std::uint64_t kReadBytes = 1 << 20;
constexpr Micros kRetry{kMicrosPerSecond};

std::string encode_position(std::uint64_t block) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(block);
  return bytes;
}

/// A message's attributes are the position behind it.
class BlockTracker final : public PositionTracker {
 public:
  explicit BlockTracker(std::string_view from) : position_(from) {}
  void consumed(const Message& message) override { position_ = message.attributes; }
  [[nodiscard]] std::string encode() const override { return position_; }

 private:
  std::string position_;
};

class BlockDecoder final : public formats::Decoder {
 public:
  BlockDecoder(const Schema& columns, std::vector<std::size_t> wanted) : wanted_(std::move(wanted)) {
    for (const Type::Field& field : columns.fields) types_.push_back(field.type);
  }

  formats::DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                              std::vector<formats::BadRecord>& bad) override {
    std::vector<ColumnBuilder> unwanted;
    unwanted.reserve(types_.size());
    std::vector<ColumnBuilder*> all;
    for (std::size_t i = 0, next = 0; i < types_.size(); ++i) {
      const bool is_wanted = next < wanted_.size() && wanted_[next] == i;
      all.push_back(is_wanted ? columns[next++] : &unwanted.emplace_back(types_[i]));
    }
    const auto rows = read_block(payload, all);
    if (rows) return {.decoded = *rows, .rows = *rows};
    bad.push_back({payload, rows.error().message});
    return {};
  }

 private:
  std::vector<Type> types_;
  const std::vector<std::size_t> wanted_;  // Ascending.
};

class StreamSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> build(const OptionMap& options, const SourceContext& context) {
    if (context.streams == nullptr)
      return fail(ErrorCode::kInvalid, "there is no store whose streams could be read");
    return std::unique_ptr<Source>(new StreamSource(options, context));
  }
  ~StreamSource() override { stop(); }

  Status start(Intake& intake, std::string_view from) override {
    LEAT_ASSIGN(after_, stream_position(from));
    intake_ = &intake;
    streams_.on_stream(reader_, [this] { ring(); });
    thread_ = std::thread([this] { run(); });
    return {};
  }
  void resume() override { gate_.open(); }
  void stop() override;
  [[nodiscard]] SourceHealth health() const override {
    const std::scoped_lock lock(mutex_);
    return health_;
  }
  [[nodiscard]] std::unique_ptr<PositionTracker> tracker(std::string_view from) const override {
    return std::make_unique<BlockTracker>(from);
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> describe(const Message&) const override {
    return {{"stream", reader_.stream}};
  }
  [[nodiscard]] std::unique_ptr<formats::Decoder> own_decoder() const override {
    return std::make_unique<BlockDecoder>(columns_, wanted_);
  }

 private:
  StreamSource(const OptionMap& options, const SourceContext& context)
      : reader_{local_stream(context.table.value, options, context.physical).name, context.deployed_as,
                context.table},
        columns_(context.physical),
        wanted_(context.wanted),
        streams_(*context.streams) {}

  // On the source's thread.
  void run();
  Status read_what_is_there();
  bool append(const StreamBlock& block);
  /// False: the source is to end.
  bool wait_for_more();
  void tell(SourceHealth::Link link, std::string detail = {}) {
    const std::scoped_lock lock(mutex_);
    health_.link = link;
    health_.detail = std::move(detail);
  }
  /// Any thread.
  void ring() {
    {
      const std::scoped_lock lock(mutex_);
      rung_ = true;
    }
    changed_.notify_all();
  }

  const StreamReaderName reader_;
  const Schema columns_;
  const std::vector<std::size_t> wanted_;
  StreamReader& streams_;     // The runtime's; outlives the source.
  Intake* intake_ = nullptr;  // The runtime's; outlives the source. From `start` to `stop`.
  std::uint64_t after_ = 0;   // The last block that was appended.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  SourceHealth health_;   // Under mutex_, as is the next.
  bool rung_ = false;     // There may be more.
  bool stopped_ = false;  // Under mutex_.
  PauseGate gate_;
  std::thread thread_;
};

void StreamSource::stop() {
  if (intake_ == nullptr) return;
  streams_.on_stream(reader_, {});
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  gate_.stop();
  intake_->interrupt();
  if (thread_.joinable()) thread_.join();
  intake_ = nullptr;
}

void StreamSource::run() {
  while (!gate_.stopped()) {
    const Status read = read_what_is_there();
    if (gate_.stopped()) return;
    if (!read) tell(SourceHealth::Link::kUnreadable, read.error().message + ", next try in 1 s");
    if (read ? !wait_for_more() : !gate_.wait_for(kRetry)) return;
  }
}

bool StreamSource::wait_for_more() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return rung_ || stopped_; });
  rung_ = false;
  return !stopped_;
}

Status StreamSource::read_what_is_there() {
  while (!gate_.stopped()) {
    LEAT_ASSIGN(const std::vector<StreamBlock> blocks, streams_.read_stream(reader_, after_, kReadBytes));
    tell(SourceHealth::Link::kConnected);
    if (blocks.empty()) return {};
    for (const StreamBlock& block : blocks)
      if (!append(block)) return {};
  }
  return {};
}

/// False: the source is to end.
bool StreamSource::append(const StreamBlock& block) {
  while (!gate_.stopped()) {
    const Appended appended = intake_->append(block.body, {}, encode_position(block.number), block.created);
    const bool stored = appended == Appended::kStored || appended == Appended::kAboveHigh;
    if (stored) after_ = block.number;
    if (appended == Appended::kStored) return true;
    tell(SourceHealth::Link::kPaused);
    if (!gate_.wait_for_room()) return false;
    tell(SourceHealth::Link::kConnected);
    if (stored) return true;
  }
  return false;
}

}  // namespace

Result<std::uint64_t> stream_position(std::string_view position) {
  if (position.empty()) return 0;
  ByteReader in(position);
  const std::uint64_t block = in.varint();
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::kInvalid, "the position is none of a stream");
  return block;
}

SourceConnector stream_source_connector() {
  SourceConnector connector;
  connector.info = {
      .name = "stream",
      .doc =
          "A stream of rows inside the daemon, from one pipeline to others, exactly once and without a "
          "broker: "
          "rows are written in the commit of who writes them, and kept until every deployed reader has "
          "passed "
          "them. A stream that no pipeline reads keeps nothing.",
      .can_read = true,
      .source_options = [] { return stream_source_options().docs(); },
      .validate_source =
          [](const OptionMap& map, const std::vector<OptionDoc>& foreign, std::vector<OptionError>& errors) {
            stream_source_options().read(map, foreign, errors);
          },
      .metadata = [](const OptionMap&) { return std::vector<plan::MetadataColumn>(); },
      .bounded = [](const OptionMap&) { return false; }};
  connector.intake = IntakeKind::kMemory;
  connector.framing = formats::Framing::kMessage;
  connector.build = StreamSource::build;
  connector.intake_options = [](const OptionMap&) { return IntakeOptions{.size = {4U << 20}}; };
  return connector;
}

}  // namespace leat::sources
