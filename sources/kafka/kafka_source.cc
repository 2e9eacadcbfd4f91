#include "sources/kafka/kafka_source.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "pipelines/base/bytes.h"
#include "sources/clients/backoff.h"
#include "sources/kafka/kafka_consumer.h"
#include "sources/kafka/kafka_metadata.h"
#include "sources/kafka/kafka_offset_rules.h"
#include "sources/kafka/kafka_position.h"
#include "sources/kafka/kafka_source_options.h"
#include "sources/pause_gate.h"

namespace leat::sources {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMillis = 100;
constexpr Micros kRetryMin{500 * kMicrosPerMilli};
constexpr Micros kRetryMax{10 * kMicrosPerSecond};
/// The queue in memory; the library has another one before it.
constexpr ByteSize kIntakeBytes{8U << 20};

std::string_view view_of(const void* bytes, std::size_t length) {
  return {static_cast<const char*>(bytes), length};
}

/// Appends the headers of `message` in the grammar of kafka_position.h.
void write_headers(const rd_kafka_message_t& message, std::string& out) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  ByteWriter writer(out);
  const std::size_t count = rd_kafka_header_cnt(headers);
  writer.varint(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    rd_kafka_header_get_all(headers, i, &name, &value, &size);
    writer.string(name);
    writer.u8(value != nullptr ? 1 : 0);
    if (value != nullptr) writer.string(view_of(value, size));
  }
}

TimestampType timestamp_type_of(rd_kafka_timestamp_type_t type) {
  if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME) return TimestampType::kCreateTime;
  if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) return TimestampType::kLogAppendTime;
  return TimestampType::kNone;
}

/// A partition that is read here.
struct Split {
  KafkaPartition partition;
  std::string name;
  KafkaPlace begin;  ///< As it was taken.
  std::uint64_t next = 0;
  bool ended = false;
  bool adrift = false;  ///< The broker has nothing at `next`: it is to be found where to go on.
};

class KafkaSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> build(KafkaTable table, const OptionMap& map,
                                               const SourceContext& context) {
    const KafkaSourceOptions options = read_kafka_options(table, map);
    LEAT_ASSIGN(KafkaMetadata metadata, KafkaMetadata::make(context.metadata_keys));
    LEAT_ASSIGN(clients::KafkaConf conf, consumer_conf(options, context));
    std::unique_ptr<KafkaSource> source(new KafkaSource(table, options, context, std::move(metadata)));
    source->conf_ = std::move(conf);
    return source;
  }
  ~KafkaSource() override { stop(); }

  Status start(Intake& intake, std::string_view from) override;
  void committed(std::string_view position) override;
  void resume() override { gate_.open(); }
  void stop() override;
  [[nodiscard]] SourceHealth health() const override;
  [[nodiscard]] std::unique_ptr<PositionTracker> tracker(std::string_view from) const override {
    return std::make_unique<KafkaTracker>(decode_kafka_position(from).value_or(std::nullopt), taken_);
  }
  void append_metadata(const Message& message, std::span<ColumnBuilder* const> columns) const override {
    metadata_.append(message, columns);
  }
  std::vector<SplitSet> take_split_sets() override {
    const std::scoped_lock lock(mutex_);
    return std::exchange(split_sets_, {});
  }
  [[nodiscard]] bool deletes(const Message& message) const override {
    return decode_kafka_record(message.attributes).flags.no_value;
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> describe(
      const Message& message) const override;
  [[nodiscard]] std::optional<Refusal> refuse(const Message& message) const override;

 private:
  KafkaSource(KafkaTable table, const KafkaSourceOptions& options, const SourceContext& context,
              KafkaMetadata metadata)
      : table_(table),
        options_(options),
        share_(PartitionShare::parse(options.partitions).value_or(PartitionShare())),
        now_(context.now),
        metadata_(std::move(metadata)),
        backoff_(kRetryMin, kRetryMax,
                 static_cast<std::uint32_t>(std::hash<std::string>()(context.store.value))) {}

  // All below on the source's thread.
  void run();
  /// Looks which partitions there are, and takes new ones. Errors: those of OffsetRules.
  Status look();
  Status take(std::span<const KafkaPartition> appeared);
  [[nodiscard]] std::string absent_of(std::span<const KafkaPartition> found) const;
  void forget_reached_ends();
  Result<KafkaOffsets> beginnings_of(std::span<const KafkaPartition> partitions);
  Status read_all();
  void publish_splits();
  void looked();
  void in_trouble(const Error& error);
  void take_messages();
  /// False: the source is to end.
  bool take_message(const rd_kafka_message_s& message);
  void take_event(const rd_kafka_message_s& message);
  bool append(Split& split, const rd_kafka_message_s& message);
  bool wait_for_room();
  Status go_on(Split& split);
  void end(Split& split);
  [[nodiscard]] bool all_ended() const;
  Split* find(const rd_kafka_message_s& message);
  void set_health(SourceHealth::Link link, std::string detail);

  const KafkaTable table_;
  const KafkaSourceOptions options_;
  const PartitionShare share_;
  const std::function<std::int64_t()> now_;
  const KafkaMetadata metadata_;
  clients::KafkaConf conf_;
  Intake* intake_ = nullptr;  // The runtime's; outlives the source. From `start` to `stop`.
  std::unique_ptr<KafkaConsumer> consumer_;
  std::unique_ptr<OffsetPublisher> publisher_;  // The loop's. Null: there is no group to tell.
  std::optional<OffsetRules> rules_;
  TakenPlaces taken_;

  std::optional<KafkaPlaces> restored_;
  std::vector<Split> splits_;  // Sorted.
  std::size_t last_split_ = 0;
  bool looked_ = false;  // Ever since the start, and with an answer.
  Clock::time_point next_look_{};
  Backoff backoff_;
  std::string missing_;  // Topics that are not there.
  std::string absent_;   // Partitions that the options name.
  std::vector<KafkaMessage> messages_;
  std::int64_t batch_time_ = 0;
  std::uint64_t appended_ = 0;
  std::string attributes_;  // Scratch.
  std::string headers_;
  PauseGate gate_;
  mutable std::mutex mutex_;
  SourceHealth health_;
  std::vector<SplitSet> split_sets_;
  std::thread thread_;
};

// ---- On the loop -----------------------------------------------------------------------------------------

Status KafkaSource::start(Intake& intake, std::string_view from) {
  LEAT_ASSIGN(restored_, decode_kafka_position(from));
  LEAT_ASSIGN(consumer_, KafkaConsumer::make(std::move(conf_)));
  if (!options_.group.empty()) publisher_ = std::make_unique<OffsetPublisher>(*consumer_);
  rules_.emplace(*consumer_, options_);
  intake_ = &intake;
  set_health(SourceHealth::Link::kConnecting, options_.servers);
  thread_ = std::thread([this] { run(); });
  return {};
}

void KafkaSource::committed(std::string_view position) {
  if (!publisher_) return;
  const auto places = decode_kafka_position(position);
  if (places && *places) publisher_->publish(**places);
}

void KafkaSource::stop() {
  gate_.stop();
  if (intake_ != nullptr) intake_->interrupt();
  if (thread_.joinable()) thread_.join();
  intake_ = nullptr;
  messages_.clear();
  // The client stays for what the last commit has to tell.
  if (consumer_) (void)consumer_->read({});
}

SourceHealth KafkaSource::health() const {
  SourceHealth health;
  {
    const std::scoped_lock lock(mutex_);
    health = health_;
  }
  if (!publisher_ || health.link != SourceHealth::Link::kConnected) return health;
  if (const std::string trouble = publisher_->trouble(); !trouble.empty())
    health.detail += fmt::format("; group '{}' does not take the progress: {}", options_.group, trouble);
  return health;
}

std::vector<std::pair<std::string, std::string>> KafkaSource::describe(const Message& message) const {
  const KafkaRecord record = decode_kafka_record(message.attributes);
  return {{"topic", std::string(topic_of_split(record.split))},
          {"partition", std::to_string(number_of_split(record.split))},
          {"offset", std::to_string(record.offset)}};
}

/// A record without a key gives no row where the key has columns. (An empty key is one.)
std::optional<Refusal> KafkaSource::refuse(const Message& message) const {
  if (table_ == KafkaTable::kAppend && options_.value_columns == ValueColumns::kAll) return std::nullopt;
  const RecordFlags flags = decode_kafka_record(message.attributes).flags;
  const bool deletion = table_ == KafkaTable::kUpsert && flags.no_value;
  const bool row = options_.value_columns == ValueColumns::kExceptKey && !flags.no_value;
  if (!flags.no_key || !(deletion || row)) return std::nullopt;
  return Refusal{"key: there is none", message.payload.size()};
}

// ---- Partitions ------------------------------------------------------------------------------------------

void KafkaSource::run() {
  while (!gate_.stopped()) {
    if (Clock::now() >= next_look_) {
      if (const Status done = look(); done)
        looked();
      else
        in_trouble(done.error());
    }
    if (looked_ && rules_->bounded() && missing_.empty() && !absent_.empty()) {
      set_health(SourceHealth::Link::kFailed, fmt::format("{}: {}", options_.servers, absent_));
      return intake_->end();
    }
    if (looked_ && rules_->bounded() && missing_.empty() && all_ended()) {
      intake_->end();
      return set_health(SourceHealth::Link::kEnded, {});
    }
    take_messages();
  }
}

Status KafkaSource::look() {
  LEAT_ASSIGN(const FoundPartitions found,
              consumer_->find({.topics = options_.topics, .pattern = options_.topic_pattern}));
  absent_ = absent_of(found.partitions);
  missing_ = found.trouble;
  if (!looked_) forget_reached_ends();
  std::vector<KafkaPartition> appeared;
  for (const KafkaPartition& partition : found.partitions) {
    const auto known = std::ranges::find(splits_, partition, &Split::partition);
    if (known == splits_.end() && share_.has(partition.number)) appeared.push_back(partition);
  }
  if (!appeared.empty() || !looked_) LEAT_TRY(take(appeared));
  looked_ = true;
  for (Split& split : splits_)
    if (split.adrift) LEAT_TRY(go_on(split));
  return {};
}

/// What the options name and no topic has: "there is no partition 7, which 'scan.partitions' names".
std::string KafkaSource::absent_of(std::span<const KafkaPartition> found) const {
  std::set<std::int32_t> there;
  for (const KafkaPartition& partition : found) there.insert(partition.number);
  if (there.empty()) return {};
  const auto say = [](std::int32_t number, std::string_view option) {
    return fmt::format("there is no partition {}, which '{}' names", number, option);
  };
  if (const auto number = share_.first_absent(there)) return say(*number, "scan.partitions");
  for (const auto& [text, option] : {std::pair(&options_.startup_offsets, "scan.startup.specific-offsets"),
                                     std::pair(&options_.bounded_offsets, "scan.bounded.specific-offsets")})
    for (const auto& [number, offset] : parse_partition_offsets(*text).value_or(PartitionOffsets()))
      if (share_.has(number) && !there.contains(number)) return say(number, option);
  return {};
}

/// A bounded source that had come to its ends begins another run.
void KafkaSource::forget_reached_ends() {
  if (!restored_ || !std::ranges::all_of(*restored_, [](const auto& one) { return one.second.reached(); }))
    return;
  for (auto& [split, place] : *restored_) place.end.reset();
}

Result<KafkaOffsets> KafkaSource::beginnings_of(std::span<const KafkaPartition> partitions) {
  KafkaOffsets known;
  std::vector<KafkaPartition> unknown;
  for (const KafkaPartition& partition : partitions) {
    const auto place =
        restored_ ? restored_->find(split_name(partition.topic, partition.number)) : KafkaPlaces::iterator();
    if (restored_ && place != restored_->end())
      known[partition] = place->second.next;
    else
      unknown.push_back(partition);
  }
  const Appeared appeared = restored_ || looked_ ? Appeared::kLater : Appeared::kAtFirst;
  LEAT_ASSIGN(KafkaOffsets begin, rules_->beginnings(unknown, appeared));
  known.merge(begin);
  return known;
}

Status KafkaSource::take(std::span<const KafkaPartition> appeared) {
  LEAT_ASSIGN(const KafkaOffsets begin, beginnings_of(appeared));
  LEAT_ASSIGN(const KafkaOffsets ends, rules_->ends(appeared));
  for (const auto& [partition, next] : begin) {
    Split split{.partition = partition, .name = split_name(partition.topic, partition.number)};
    split.next = split.begin.next = next;
    if (rules_->bounded()) {
      const auto known = restored_ ? restored_->find(split.name) : KafkaPlaces::iterator();
      const auto end = ends.find(partition);
      if (restored_ && known != restored_->end()) split.begin.end = known->second.end;
      if (!split.begin.end) split.begin.end = end == ends.end() ? next : end->second;
    }
    split.ended = split.begin.reached();
    splits_.push_back(std::move(split));
  }
  std::ranges::sort(splits_, {}, &Split::partition);
  last_split_ = 0;
  // What is not there at present may come back, and goes on then.
  KafkaPlaces places = restored_.value_or(KafkaPlaces{});
  for (const Split& split : splits_) places[split.name] = split.begin;
  taken_.set(std::move(places));
  publish_splits();
  return read_all();
}

Status KafkaSource::read_all() {
  KafkaOffsets places;
  for (const Split& split : splits_)
    if (!split.ended && !split.adrift) places[split.partition] = split.next;
  return consumer_->read(places);
}

void KafkaSource::publish_splits() {
  SplitSet set{.splits = {}, .after = appended_};
  for (const Split& split : splits_)
    if (!split.ended) set.splits.push_back(split.name);
  const std::scoped_lock lock(mutex_);
  split_sets_.push_back(std::move(set));
}

void KafkaSource::looked() {
  const bool again = !missing_.empty();
  const Micros pause = again ? backoff_.next() : options_.discovery;
  if (!again) backoff_.reset();
  const bool never = !again && (rules_->bounded() || pause.count() == 0);
  next_look_ = never ? Clock::time_point::max() : Clock::now() + pause;
  consumer_->forget_trouble();
  if (again)
    return set_health(SourceHealth::Link::kUnreadable,
                      fmt::format("{}: {}, next look in {}", options_.servers, missing_, shown_wait(pause)));
  set_health(SourceHealth::Link::kConnected,
             fmt::format("{}: {} partitions{}{}", options_.servers, splits_.size(),
                         absent_.empty() ? "" : "; ", absent_));
}

void KafkaSource::in_trouble(const Error& error) {
  const Micros pause = backoff_.next();
  next_look_ = Clock::now() + pause;
  const bool undecided = error.code == ErrorCode::kNotFound;
  set_health(undecided ? SourceHealth::Link::kUnreadable : SourceHealth::Link::kLost,
             fmt::format("{}: {}, next {} in {}", options_.servers, error.message, undecided ? "look" : "try",
                         format_duration(pause)));
}

void KafkaSource::set_health(SourceHealth::Link link, std::string detail) {
  using Link = SourceHealth::Link;
  const std::scoped_lock lock(mutex_);
  const bool was_connected = health_.link == Link::kConnected || health_.link == Link::kPaused;
  if (link == Link::kConnected && !was_connected) ++health_.connects;
  if (link == Link::kLost && was_connected) {
    ++health_.losses;
    health_.last_loss = detail;
  }
  health_.link = link;
  health_.detail = std::move(detail);
}

// ---- Messages --------------------------------------------------------------------------------------------

void KafkaSource::take_messages() {
  consumer_->poll(kPollMillis, messages_);
  batch_time_ = now_();
  for (const KafkaMessage& message : messages_)
    if (!take_message(*message)) break;
  messages_.clear();
  // While it is lost, the next look finds out whether it still is.
  if (consumer_->take_cut_off() && health_.link != SourceHealth::Link::kLost)
    in_trouble(
        {ErrorCode::kUnavailable, consumer_->trouble().empty() ? "no broker answers" : consumer_->trouble()});
}

Split* KafkaSource::find(const rd_kafka_message_s& message) {
  if (message.rkt == nullptr) return nullptr;
  const std::string_view topic = rd_kafka_topic_name(message.rkt);
  const auto is_it = [&](const Split& split) {
    return split.partition.number == message.partition && split.partition.topic == topic;
  };
  if (last_split_ < splits_.size() && is_it(splits_[last_split_])) return &splits_[last_split_];
  const auto found = std::ranges::find_if(splits_, is_it);
  if (found == splits_.end()) return nullptr;
  last_split_ = static_cast<std::size_t>(found - splits_.begin());
  return &*found;
}

bool KafkaSource::take_message(const rd_kafka_message_s& message) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    take_event(message);
    return !gate_.stopped();
  }
  Split* const split = find(message);
  const auto offset = static_cast<std::uint64_t>(message.offset);
  // What was fetched before the partitions were taken anew comes twice.
  if (split == nullptr || split->ended || offset < split->next) return true;
  if (split->begin.end && offset >= *split->begin.end) {
    end(*split);
    return true;
  }
  if (!append(*split, message)) return false;
  split->next = offset + 1;
  if (split->begin.end && split->next >= *split->begin.end) end(*split);
  return true;
}

void KafkaSource::take_event(const rd_kafka_message_s& message) {
  Split* const split = find(message);
  if (split == nullptr || split->ended || split->adrift) return;
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (split->begin.end && static_cast<std::uint64_t>(message.offset) >= *split->begin.end) end(*split);
  } else if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
    split->adrift = true;
    next_look_ = {};
  } else {
    missing_ = fmt::format("{}: {}", split->name, clients::kafka_error_text(message.err));
    looked();
  }
}

/// The broker has nothing at the offset that is wanted: it was deleted, or the topic is another one.
/// Without a rule it waits for somebody to decide, and the other partitions go on.
Status KafkaSource::go_on(Split& split) {
  LEAT_ASSIGN(const OffsetRules::Jump jump, rules_->go_on(split.partition, split.next));
  intake_->count_dropped(jump.gone);
  {
    const std::scoped_lock lock(mutex_);
    health_.messages_gone += jump.gone;
    ++health_.jumps;
    health_.last_jump = fmt::format("{}: there is nothing at offset {} (any more), going on at {}",
                                    split.name, split.next, jump.to);
  }
  split.next = jump.to;
  split.adrift = false;
  if (split.begin.end && split.next >= *split.begin.end) end(split);
  return read_all();
}

bool KafkaSource::append(Split& split, const rd_kafka_message_s& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  KafkaRecord record{.split = split.name,
                     .offset = static_cast<std::uint64_t>(message.offset),
                     .timestamp = rd_kafka_message_timestamp(&message, &type)};
  record.timestamp_type = timestamp_type_of(type);
  record.flags = {.no_value = message.payload == nullptr, .no_key = message.key == nullptr};
  headers_.clear();
  if (metadata_.wants_headers()) write_headers(message, headers_);
  record.headers = headers_;
  encode_kafka_record(record, attributes_);
  const Appended appended = intake_->append(view_of(message.payload, message.len),
                                            view_of(message.key, message.key_len), attributes_, batch_time_);
  if (appended != Appended::kStored && appended != Appended::kAboveHigh) return false;  // It stops.
  ++appended_;
  return appended == Appended::kStored || wait_for_room();
}

bool KafkaSource::wait_for_room() {
  SourceHealth before;
  {
    const std::scoped_lock lock(mutex_);
    before = health_;
    health_.link = SourceHealth::Link::kPaused;
    health_.detail = options_.servers + ": the intake is full";
  }
  const bool goes_on = gate_.wait_for_room();
  const std::scoped_lock lock(mutex_);
  health_.link = before.link;
  health_.detail = std::move(before.detail);
  return goes_on;
}

void KafkaSource::end(Split& split) {
  split.ended = true;
  consumer_->finish(split.partition);
  publish_splits();
}

bool KafkaSource::all_ended() const {
  return std::ranges::all_of(splits_, &Split::ended);
}

// ---- The connectors --------------------------------------------------------------------------------------

SourceConnector any_kafka_connector(KafkaTable table, std::string name, std::string doc) {
  SourceConnector connector;
  connector.info = {
      .name = std::move(name),
      .doc = std::move(doc),
      .can_read = true,
      .needs_format = true,
      .source_options = [table] { return kafka_source_options(table).docs(); },
      .validate_source =
          [table](const OptionMap& map, const std::vector<OptionDoc>& foreign,
                  std::vector<OptionError>& errors) { read_kafka_options(table, map, foreign, errors); },
      .metadata = [](const OptionMap&) { return kafka_metadata_columns(); },
      .splits = kafka_split_column(),
      .record_layout = [table](
                           const OptionMap& map,
                           const plan::TableShape& shape) { return kafka_record_layout(table, map, shape); },
      .bounded =
          [table](const OptionMap& map) {
            return read_kafka_options(table, map).bounded != OffsetRule::kUnbounded;
          }};
  connector.intake = IntakeKind::kMemory;
  connector.framing = formats::Framing::kMessage;
  connector.build = [table](const OptionMap& map, const SourceContext& context) {
    return KafkaSource::build(table, map, context);
  };
  connector.compression = [table](const OptionMap& map) {
    const KafkaSourceOptions options = read_kafka_options(table, map);
    return formats::CompressionOptions{options.payload_compression, options.max_decompressed};
  };
  connector.intake_options = [](const OptionMap&) { return IntakeOptions{.size = kIntakeBytes}; };
  return connector;
}

}  // namespace

SourceConnector kafka_source_connector() {
  SourceConnector connector =
      any_kafka_connector(KafkaTable::kAppend, "kafka", "The records of Apache Kafka topics.");
  connector.info.validate_source_table = [](const OptionMap& map, const plan::TableShape& shape,
                                            std::vector<OptionError>& errors) {
    check_kafka_columns(KafkaTable::kAppend, map, shape, errors);
  };
  return connector;
}

SourceConnector upsert_kafka_source_connector() {
  SourceConnector connector = any_kafka_connector(
      KafkaTable::kUpsert, "upsert-kafka",
      "The latest row of each PRIMARY KEY, as records of a compacted Apache Kafka topic.");
  connector.info.deletions = kafka_deletion_column();
  connector.info.validate_source_table = [](const OptionMap& map, const plan::TableShape& shape,
                                            std::vector<OptionError>& errors) {
    check_kafka_columns(KafkaTable::kUpsert, map, shape, errors);
  };
  return connector;
}

}  // namespace leat::sources
