#include "sources/mqtt/mqtt_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "pipelines/base/fault_point.h"
#include "sources/clients/mqtt_client.h"
#include "sources/mqtt/delivery.h"
#include "sources/mqtt/delivery_log.h"
#include "sources/mqtt/mqtt_options.h"
#include "sources/mqtt/redelivery.h"
#include "sources/mqtt/subscribed_filters.h"
#include "sources/mqtt/topic_pattern.h"

namespace leat::sources {
namespace {

/// Where the source stands is the number of the message in its journal, and the intake's reader keeps that.
class NoPosition final : public PositionTracker {
 public:
  void consumed(const Message&) override {}
  [[nodiscard]] std::string encode() const override { return {}; }
};

/// What is to be kept beside it, if the broker keeps the session, are the deliveries that it may repeat, and
/// the filters that the session is subscribed to.
class DeliveryTracker final : public PositionTracker {
 public:
  /// What the source has of the session; it outlives its tracker. `filters` on the loop.
  struct Session {
    const std::atomic<bool>& gone;
    std::function<std::optional<std::string>()> filters;  ///< What is to be kept, if it has changed.
  };
  DeliveryTracker(DeliveryLog log, Session session) : log_(std::move(log)), session_(std::move(session)) {}

  void consumed(const Message& message) override {
    const MqttDelivery delivery = decode_delivery(message.attributes);
    if (delivery.qos == 0) return;
    if (delivery.opens_session) log_.begin_session();
    log_.add(identity_of(delivery, message.payload));
  }
  [[nodiscard]] std::string encode() const override {
    using Kept = DeliveryLog::Session;
    return log_.position(session_.gone ? Kept::kGone : Kept::kKept);
  }
  void save(const std::function<void(std::string_view, std::string_view)>& put) override {
    log_.save(put);
    if (const auto filters = session_.filters()) put(kFiltersKey, *filters);
  }

 private:
  DeliveryLog log_;
  Session session_;
};

/// Of a payload that is larger than allowed so much is kept, for people to look at.
constexpr std::uint64_t kKeptOfOversized = 64 * 1024;

/// Where a metadata cell comes from.
struct MetadataField {
  enum class Kind : std::uint8_t { kTopic, kQos, kRetained, kDuplicate, kTimestamp, kPart };
  Kind kind = Kind::kTopic;
  std::size_t part = 0;  ///< kPart: index into the pattern's names.
};

std::optional<TopicPattern> pattern_of(const MqttSourceOptions& options) {
  if (options.topic_pattern.empty()) return std::nullopt;
  auto pattern = TopicPattern::parse(options.topic_pattern);
  return pattern ? std::optional(*std::move(pattern)) : std::nullopt;
}

/// Appends one message's metadata. Used on the loop only.
class MetadataWriter {
 public:
  static Result<MetadataWriter> make(std::optional<TopicPattern> pattern,
                                     const std::vector<std::string>& keys) {
    MetadataWriter writer;
    writer.pattern_ = std::move(pattern);
    for (const std::string& key : keys) {
      LEAT_ASSIGN(const MetadataField field, writer.find(key));
      writer.fields_.push_back(field);
    }
    return writer;
  }

  void append(const Message& message, std::span<ColumnBuilder* const> columns) {
    const MqttDelivery delivery = decode_delivery(message.attributes);
    const bool matches = pattern_ && pattern_->match(delivery.topic, parts_);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].kind != MetadataField::Kind::kPart)
        append_fixed(fields_[i].kind, message, delivery, *columns[i]);
      else if (matches)
        columns[i]->append_view(parts_[fields_[i].part]);
      else
        columns[i]->append_null();
    }
  }

 private:
  [[nodiscard]] Result<MetadataField> find(const std::string& key) const {
    using Kind = MetadataField::Kind;
    static const std::pair<std::string_view, Kind> kFixed[] = {{"topic", Kind::kTopic},
                                                               {"qos", Kind::kQos},
                                                               {"retained", Kind::kRetained},
                                                               {"duplicate", Kind::kDuplicate},
                                                               {"timestamp", Kind::kTimestamp}};
    for (const auto& [name, kind] : kFixed)
      if (key == name) return MetadataField{kind};
    if (pattern_)
      for (std::size_t i = 0; i < pattern_->names().size(); ++i)
        if (pattern_->names()[i] == key) return MetadataField{Kind::kPart, i};
    return fail(ErrorCode::kInvalid, fmt::format("the mqtt connector has no metadata '{}'", key));
  }

  static void append_fixed(MetadataField::Kind kind, const Message& message, const MqttDelivery& delivery,
                           ColumnBuilder& column) {
    using Kind = MetadataField::Kind;
    if (kind == Kind::kTopic) column.append_view(delivery.topic);
    if (kind == Kind::kQos) column.append<std::int32_t>(delivery.qos);
    if (kind == Kind::kRetained) column.append<std::uint8_t>(delivery.retained ? 1 : 0);
    if (kind == Kind::kDuplicate) column.append<std::uint8_t>(delivery.duplicate ? 1 : 0);
    if (kind == Kind::kTimestamp)
      column.append<std::int64_t>(floor_div(message.intake_time, kMicrosPerMilli) * kMicrosPerMilli);
  }

  std::optional<TopicPattern> pattern_;
  std::vector<MetadataField> fields_;
  std::vector<std::string_view> parts_;
};

/// Whether the broker is asked to.
bool keeps_session(const MqttSourceOptions& options) {
  return !options.clean_start && (options.version == MqttVersion::k311 || options.session_expiry.count() > 0);
}

class MqttSource final : public Source, private MqttEvents {
 public:
  static Result<std::unique_ptr<Source>> build(const OptionMap& map, const SourceContext& context) {
    const MqttSourceOptions options = read_mqtt_options(map);
    LEAT_ASSIGN(MetadataWriter metadata, MetadataWriter::make(pattern_of(options), context.metadata_keys));
    const MqttClientOptions client = client_options_of(options, context);
    const std::uint64_t session = fingerprint_of(client.url, client.client_id, 0);
    std::unique_ptr<MqttSource> source(new MqttSource(options, context, std::move(metadata), session));
    LEAT_ASSIGN(source->client_, make_mqtt_client(client, *source));
    return source;
  }
  ~MqttSource() override { stop(); }

  Status restore(std::string_view key, std::string_view value) override {
    return key == kFiltersKey ? filters_.restore(value) : history_.load(value);
  }
  Status start(Intake& intake, std::string_view from) override;
  void resume() override;
  void begin_stop() override {
    if (client_) client_->begin_stop();
  }
  void stop() override;
  [[nodiscard]] SourceHealth health() const override;
  [[nodiscard]] std::unique_ptr<PositionTracker> tracker(std::string_view from) const override {
    if (!keeps_session_) return std::make_unique<NoPosition>();
    return std::make_unique<DeliveryTracker>(
        DeliveryLog::from(from, session_),
        DeliveryTracker::Session{session_gone_, [this] { return changed_filters(); }});
  }
  void append_metadata(const Message& message, std::span<ColumnBuilder* const> columns) const override {
    metadata_.append(message, columns);
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> describe(
      const Message& message) const override {
    return {{"topic", std::string(decode_delivery(message.attributes).topic)}};
  }
  [[nodiscard]] std::optional<Refusal> refuse(const Message& message) const override;

 private:
  MqttSource(const MqttSourceOptions& options, const SourceContext& context, MetadataWriter metadata,
             std::uint64_t session)
      : max_packet_(options.max_packet.bytes),
        keeps_session_(keeps_session(options)),
        session_(session),
        filters_(session, options.topics),
        now_(context.now),
        metadata_(std::move(metadata)),
        redelivery_(options.receive_maximum) {}

  // MqttEvents, on the client's thread.
  void on_connected(SessionPresent session) override;
  Receipt on_message(const MqttMessage& message) override;
  void on_unrefused() override { intake_->count_dropped(1); }
  void remember(DeliveryIdentity delivery, bool opens_session);
  std::optional<std::string> changed_filters() const {
    using Taken = SubscribedFilters::Taken;
    return filters_.take_changed(client_->health().connects > 0 ? Taken::kBack : Taken::kNotYet);
  }
  Receipt take(const MqttMessage& message, std::uint64_t whole_bytes);
  Receipt store(const MqttMessage& message, const MqttDelivery& delivery, DeliveryIdentity identity);
  Receipt give_up(const MqttMessage& message);

  const std::uint64_t max_packet_;
  const bool keeps_session_;  // As far as it is up to us.
  const std::uint64_t session_;
  mutable SubscribedFilters filters_;  // Its tracker's, too; of the loop.
  const std::function<std::int64_t()> now_;
  mutable MetadataWriter metadata_;  // Its scratch memory is the loop's.
  Intake* intake_ = nullptr;         // The runtime's; outlives the source. From `start` to `stop`.
  bool had_session_ =
      false;  // Before the connection that comes next; before `start`, then the client's thread.
  std::atomic<std::uint64_t> sessions_lost_{0};
  DeliveryHistory history_;  // What was restored; gone after `start`.
  Redelivery redelivery_;
  // The broker has begun a new session, and the next delivery will be its first. Set on the client's thread.
  std::atomic<bool> session_gone_{false};
  std::string attributes_;  // Scratch of the client's thread.
  /// Held from before an append until the pause that it may ask for, and by `resume`: else room that is
  /// announced between the two would be forgotten, and the client paused for ever.
  std::mutex flow_mutex_;
  std::unique_ptr<MqttClient> client_;
};

Status MqttSource::start(Intake& intake, std::string_view from) {
  LEAT_ASSIGN(const auto committed, history_.up_to(from, session_));
  history_ = {};
  intake_ = &intake;
  for (const DeliveryIdentity& delivery : committed) remember(delivery, false);
  intake.visit_unread([this](const Message& message) {
    const MqttDelivery delivery = decode_delivery(message.attributes);
    if (delivery.qos > 0) remember(identity_of(delivery, message.payload), delivery.opens_session);
  });
  client_->unsubscribe(filters_.unwanted());
  client_->start();
  return {};
}

/// A delivery that the process before has stored.
void MqttSource::remember(DeliveryIdentity delivery, bool opens_session) {
  had_session_ = keeps_session_;
  if (opens_session) redelivery_.session_lost();
  redelivery_.stored(delivery);
}

void MqttSource::resume() {
  const std::scoped_lock lock(flow_mutex_);
  client_->resume();
}

void MqttSource::stop() {
  if (intake_ != nullptr) intake_->interrupt();
  if (client_) client_->stop();
  intake_ = nullptr;
}

void MqttSource::on_connected(SessionPresent session) {
  if (session == SessionPresent::kYes) {
    redelivery_.session_kept();
  } else {
    redelivery_.session_lost();
    session_gone_ = true;
    if (had_session_) sessions_lost_.fetch_add(1);
  }
  had_session_ = keeps_session_;
}

Receipt MqttSource::on_message(const MqttMessage& message) {
  // MQTT 3.1.1 has no way to tell the broker; version 5 brokers do not send it. It becomes a dead letter.
  if (message.payload.size() <= max_packet_) return take(message, 0);
  MqttMessage cut = message;
  cut.payload = message.payload.substr(0, static_cast<std::size_t>(std::min(max_packet_, kKeptOfOversized)));
  return take(cut, message.payload.size());
}

std::optional<Refusal> MqttSource::refuse(const Message& message) const {
  const std::uint64_t whole = decode_delivery(message.attributes).whole_bytes;
  if (whole == 0) return std::nullopt;
  return Refusal{fmt::format("payload of {} bytes is larger than 'max-packet-size' ({})", whole,
                             format_byte_size(max_packet_)),
                 whole};
}

Receipt MqttSource::take(const MqttMessage& message, std::uint64_t whole_bytes) {
  const MqttDelivery delivery{.topic = message.topic,
                              .qos = static_cast<std::uint8_t>(message.qos),
                              .retained = message.retained,
                              .duplicate = message.duplicate,
                              .opens_session = message.qos > 0 && session_gone_,
                              .packet_id = message.packet_id,
                              .whole_bytes = whole_bytes};
  if (message.qos == 0) return store(message, delivery, {});
  const DeliveryIdentity identity = identity_of(delivery, message.payload);
  using Mark = Redelivery::Mark;
  const Mark mark = message.qos == 2 ? Mark::kHidden : message.duplicate ? Mark::kRepeated : Mark::kNew;
  if (!redelivery_.absorbs(identity, mark)) return store(message, delivery, identity);
  intake_->count_redelivered();
  return Receipt::kTaken;
}

Receipt MqttSource::store(const MqttMessage& message, const MqttDelivery& delivery,
                          DeliveryIdentity identity) {
  encode_delivery(delivery, attributes_);
  const std::scoped_lock lock(flow_mutex_);
  const Appended appended = message.qos > 0
                                ? intake_->append(message.payload, {}, attributes_, now_())
                                : intake_->append_unacknowledged(message.payload, {}, attributes_, now_());
  if (appended == Appended::kAboveHigh || appended == Appended::kFull) client_->pause();
  // What the disk refused comes again after the client's back-off: the cut connection is the pause.
  if (appended == Appended::kFull || appended == Appended::kFailed) return give_up(message);
  if (message.qos > 0) {
    if (delivery.opens_session) session_gone_ = false;
    redelivery_.stored(identity);
  }
  LEAT_FAULT_POINT("journal.before-acknowledgement");
  return Receipt::kTaken;
}

Receipt MqttSource::give_up(const MqttMessage& message) {
  if (message.qos > 0) return Receipt::kRefused;
  intake_->count_dropped(1);
  return Receipt::kTaken;
}

SourceHealth::Link link_of(MqttHealth::Link link) {
  switch (link) {
    case MqttHealth::Link::kIdle:
      return SourceHealth::Link::kIdle;
    case MqttHealth::Link::kConnecting:
      return SourceHealth::Link::kConnecting;
    case MqttHealth::Link::kConnected:
      return SourceHealth::Link::kConnected;
    case MqttHealth::Link::kPaused:
      return SourceHealth::Link::kPaused;
    case MqttHealth::Link::kLost:
      break;
  }
  return SourceHealth::Link::kLost;
}

SourceHealth MqttSource::health() const {
  MqttHealth client = client_->health();
  return {.link = link_of(client.link),
          .detail = std::move(client.detail),
          .connects = client.connects,
          .losses = client.losses,
          .last_loss = std::move(client.last_loss),
          .sessions_lost = sessions_lost_.load()};
}

std::vector<plan::MetadataColumn> metadata_columns(const OptionMap& map) {
  std::vector<plan::MetadataColumn> columns{
      {.key = "topic", .type = Type::string().with_nullable(false), .doc = "Topic of the message."},
      {.key = "qos", .type = Type::integer().with_nullable(false), .doc = "Its quality of service."},
      {.key = "retained",
       .type = Type::boolean().with_nullable(false),
       .doc = "Whether the broker had kept it for new subscribers."},
      {.key = "duplicate",
       .type = Type::boolean().with_nullable(false),
       .doc = "Whether the broker has sent it again (QoS 1 only)."},
      {.key = "timestamp",
       .type = Type::timestamp_ltz(3).with_nullable(false),
       .doc = "When it was received, by the gateway's clock."}};
  if (const auto pattern = pattern_of(read_mqtt_options(map)))
    for (const std::string& name : pattern->names())
      columns.push_back(
          {.key = name,
           .type = Type::string(),
           .doc = "A level of the topic, by 'topic.pattern'; NULL if the topic has another form."});
  return columns;
}

}  // namespace

SourceConnector mqtt_connector() {
  SourceConnector connector;
  connector.info = {
      .name = "mqtt",
      .doc =
          "Subscribes to topics of an MQTT broker. Messages are in a journal before they are acknowledged.",
      .can_read = true,
      .needs_format = true,
      .source_options = [] { return mqtt_source_options().docs(); },
      .validate_source = [](const OptionMap& map, const std::vector<OptionDoc>& foreign,
                            std::vector<OptionError>& errors) { read_mqtt_options(map, foreign, errors); },
      .metadata = metadata_columns,
      .bounded = [](const OptionMap&) { return false; }};
  connector.intake = IntakeKind::kJournal;
  connector.framing = formats::Framing::kMessage;
  connector.build = MqttSource::build;
  connector.compression = [](const OptionMap& map) {
    const MqttSourceOptions options = read_mqtt_options(map);
    return formats::CompressionOptions{options.payload_compression, options.max_decompressed};
  };
  connector.intake_options = [](const OptionMap& map) { return intake_options_of(read_mqtt_options(map)); };
  connector.session = [](const OptionMap& map, const SourceContext& context) -> std::string {
    const MqttSourceOptions options = read_mqtt_options(map);
    if (!keeps_session(options)) return {};
    return fmt::format("'{}' at {}", client_options_of(options, context).client_id, options.url);
  };
  connector.end_session = [](const OptionMap& map, const SourceContext& context, Micros patience) {
    return end_mqtt_session(client_options_of(read_mqtt_options(map), context), patience);
  };
  return connector;
}

}  // namespace leat::sources
