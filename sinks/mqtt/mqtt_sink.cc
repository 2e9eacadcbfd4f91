#include "sinks/mqtt/mqtt_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "sinks/connector.h"
#include "sinks/mqtt/mqtt_sink_options.h"
#include "sinks/mqtt/topic_template.h"
#include "sources/clients/mqtt_client.h"

namespace leat::sinks {
namespace {

using sources::MqttClient;
using sources::MqttHealth;
using sources::MqttPublication;

constexpr int kLifeQos = 1;
constexpr std::string_view kTimestamp = "{timestamp}";
/// How long the last message before a clean end may take.
constexpr std::chrono::seconds kGoodbye{2};

/// A message of birth or will, with the time in it where it asks for one.
std::string stamped(std::string message, std::int64_t micros) {
  const std::string millis = std::to_string(floor_div(micros, kMicrosPerMilli));
  for (std::size_t at = message.find(kTimestamp); at != std::string::npos; at = message.find(kTimestamp, at))
    message.replace(at, kTimestamp.size(), millis);
  return message;
}

/// What became of the messages of one attempt. Shared with the answers that are still to come when the
/// attempt has been given up.
class Attempt {
 public:
  enum class Fate : std::uint8_t {
    kOpen,     ///< Not sent yet, or not answered.
    kTaken,    ///< The broker has it.
    kRefused,  ///< It will never be taken.
  };

  explicit Attempt(std::size_t records) : fates_(records, Fate::kOpen) {}

  void sent() {
    const std::scoped_lock lock(mutex_);
    ++in_flight_;
  }
  void unsent() {
    const std::scoped_lock lock(mutex_);
    --in_flight_;
  }
  void answered(std::size_t record, const Status& status) {
    {
      const std::scoped_lock lock(mutex_);
      --in_flight_;
      ++answers_;
      if (status) {
        fates_[record] = Fate::kTaken;
      } else if (status.error().code == ErrorCode::kInvalid) {
        refuse_locked(record, status.error().message);
      } else if (!broken_) {
        broken_ = status.error();
      }
    }
    changed_.notify_all();
  }
  void refuse(std::size_t record, const std::string& reason) {
    const std::scoped_lock lock(mutex_);
    refuse_locked(record, reason);
  }
  void end(Error why) {
    {
      const std::scoped_lock lock(mutex_);
      if (!broken_) broken_ = std::move(why);
    }
    changed_.notify_all();
  }

  /// Waits until fewer than `most` are in flight. False: something is wrong (`trouble`), or nothing was
  /// answered for `patience`.
  bool wait_below(std::size_t most, std::chrono::microseconds patience) {
    std::unique_lock lock(mutex_);
    while (!broken_ && in_flight_ >= most) {
      const std::uint64_t before = answers_;
      const bool moved = changed_.wait_for(lock, patience, [&] { return broken_ || answers_ != before; });
      if (!moved) broken_ = Error{ErrorCode::kUnavailable, "the broker acknowledges nothing"};
    }
    return !broken_.has_value();
  }
  [[nodiscard]] std::optional<Error> trouble() const {
    const std::scoped_lock lock(mutex_);
    return broken_;
  }
  /// Records before this one need not be sent again.
  [[nodiscard]] std::size_t settled() const {
    const std::scoped_lock lock(mutex_);
    const auto open = std::find(fates_.begin(), fates_.end(), Fate::kOpen);
    return static_cast<std::size_t>(open - fates_.begin());
  }
  [[nodiscard]] std::vector<std::uint32_t> refused(std::string& reason) const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::uint32_t> list;
    for (std::size_t i = 0; i < fates_.size(); ++i)
      if (fates_[i] == Fate::kRefused) list.push_back(static_cast<std::uint32_t>(i));
    reason = reason_;
    return list;
  }
  /// The same records, to be sent again from the first that is open.
  [[nodiscard]] std::shared_ptr<Attempt> again() const {
    const std::scoped_lock lock(mutex_);
    auto next = std::make_shared<Attempt>(fates_.size());
    const auto open = std::find(fates_.begin(), fates_.end(), Fate::kOpen);
    std::copy(fates_.begin(), open, next->fates_.begin());
    next->reason_ = reason_;
    return next;
  }

 private:
  void refuse_locked(std::size_t record, const std::string& reason) {
    fates_[record] = Fate::kRefused;
    if (reason_.empty()) reason_ = reason;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Fate> fates_;
  std::size_t in_flight_ = 0;
  std::uint64_t answers_ = 0;
  std::string reason_;  // Of the first refusal.
  std::optional<Error> broken_;
};

class MqttSink final : public Sink, private sources::MqttEvents {
 public:
  MqttSink(MqttSinkOptions options, TopicTemplate topic, SinkContext context)
      : options_(std::move(options)), topic_(std::move(topic)), context_(std::move(context)) {}
  ~MqttSink() override {
    say_goodbye();
    if (client_) client_->stop();
  }

  Status connect() {
    sources::MqttClientOptions client = client_options_of(options_, context_);
    client.will_payload = [this] {
      const std::int64_t now = context_.now();
      const std::scoped_lock lock(mutex_);
      connecting_at_ = now;
      return stamped(options_.will_payload, now);
    };
    LEAT_ASSIGN(client_, sources::make_mqtt_client(std::move(client), *this));
    client_->start();
    return {};
  }

  Delivery deliver(const Shipment& shipment) override;
  void interrupt() override;

 private:
  // MqttEvents, on the client's threads.
  void on_connected(sources::SessionPresent session) override;
  void on_lost() override;

  std::optional<Retry> wait_for_connection();
  void send(const Shipment& shipment, std::span<const Record> records);
  bool send_one(const std::shared_ptr<Attempt>& attempt, std::size_t index, const Record& record,
                const std::string& name);
  Delivery outcome(std::size_t records);
  void say_goodbye();

  const MqttSinkOptions options_;
  const TopicTemplate topic_;
  const SinkContext context_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool connected_ = false;
  bool interrupted_ = false;
  std::optional<std::int64_t> connecting_at_;  // What the present will has for its time.
  std::shared_ptr<Attempt> attempt_;           // The present one, or how far the last one came.
  std::string shipment_;                       // Whose it is.

  std::unique_ptr<MqttClient> client_;
};

void MqttSink::on_connected(sources::SessionPresent) {
  std::int64_t time = context_.now();
  {
    const std::scoped_lock lock(mutex_);
    connected_ = true;
    time = connecting_at_.value_or(time);
  }
  changed_.notify_all();
  if (options_.birth_topic.empty()) return;
  // Should this connection end before it is out, the next one begins with it again.
  const std::string payload = stamped(options_.birth_payload, time);
  (void)client_->publish({.topic = options_.birth_topic,
                          .payload = payload,
                          .qos = kLifeQos,
                          .retained = options_.birth_retained},
                         [](const Status&) {});
}

void MqttSink::on_lost() {
  std::shared_ptr<Attempt> attempt;
  {
    const std::scoped_lock lock(mutex_);
    connected_ = false;
    attempt = attempt_;
  }
  changed_.notify_all();
  if (attempt) attempt->end({ErrorCode::kUnavailable, client_->health().detail});
}

void MqttSink::interrupt() {
  std::shared_ptr<Attempt> attempt;
  {
    const std::scoped_lock lock(mutex_);
    interrupted_ = true;
    attempt = attempt_;
  }
  changed_.notify_all();
  if (attempt) attempt->end({ErrorCode::kCancelled, "interrupted"});
}

/// Nothing: connected. A broker that says no needs somebody to act.
std::optional<Retry> MqttSink::wait_for_connection() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, options_.connect_timeout, [this] {
    return connected_ || interrupted_ || client_->health().link == MqttHealth::Link::kLost;
  });
  if (interrupted_) return Retry{"interrupted", std::nullopt};
  if (connected_) return std::nullopt;
  lock.unlock();
  MqttHealth health = client_->health();
  return Retry{std::move(health.detail), std::nullopt, health.refused};
}

Delivery MqttSink::deliver(const Shipment& shipment) {
  const auto records = read_blocks(shipment.blocks);
  if (!records) return Retry{records.error().message, std::nullopt, /*paused=*/true};
  if (auto retry = wait_for_connection()) return *std::move(retry);
  if (records->empty()) return Delivered{};
  send(shipment, *records);
  return outcome(records->size());
}

void MqttSink::send(const Shipment& shipment, std::span<const Record> records) {
  const std::string name = shipment_name(context_, shipment);
  std::shared_ptr<Attempt> attempt;
  {
    const std::scoped_lock lock(mutex_);
    const bool known = attempt_ != nullptr && std::exchange(shipment_, name) == name;
    shipment_ = name;
    attempt_ = known ? attempt_->again() : std::make_shared<Attempt>(records.size());
    attempt = attempt_;
    if (interrupted_ || !connected_) attempt->end({ErrorCode::kUnavailable, "the connection has ended"});
  }
  for (std::size_t i = attempt->settled(); i < records.size(); ++i)
    if (!send_one(attempt, i, records[i], name)) return;
  attempt->wait_below(1, options_.publish_timeout);
}

/// False: the attempt is over.
bool MqttSink::send_one(const std::shared_ptr<Attempt>& attempt, std::size_t index, const Record& record,
                        const std::string& name) {
  const auto topic = topic_.render(record.key);
  if (!topic) {
    attempt->refuse(index, topic.error().message);
    return true;
  }
  std::size_t room = options_.max_inflight;
  while (attempt->wait_below(room, options_.publish_timeout)) {
    attempt->sent();
    const Status handed =
        client_->publish({.topic = *topic,
                          .payload = record.payload,
                          .qos = static_cast<int>(options_.qos),
                          .retained = options_.retained,
                          .properties = {{"leat-record", fmt::format("{}:{}", name, index)},
                                         {"leat-gateway", context_.gateway_id}}},
                         [attempt, index](const Status& status) { attempt->answered(index, status); });
    if (handed) return true;
    attempt->unsent();
    if (handed.error().code != ErrorCode::kExhausted) {
      attempt->end(handed.error());
      return false;
    }
    room = std::max<std::size_t>(room / 2, 1);  // The client has less room than we thought.
  }
  return false;
}

Delivery MqttSink::outcome(std::size_t records) {
  const std::shared_ptr<Attempt> attempt = attempt_;
  if (attempt->settled() < records) {
    const Error trouble = attempt->trouble().value_or(Error{ErrorCode::kInternal, "some were not sent"});
    // What is still on its way must not arrive between the messages of the next attempt.
    client_->pause();
    client_->resume();
    return Retry{trouble.message, std::nullopt, trouble.code == ErrorCode::kConflict};
  }
  std::string reason;
  std::vector<std::uint32_t> refused = attempt->refused(reason);
  if (refused.empty()) return Delivered{};
  return Rejected{std::move(reason), std::move(refused)};
}

/// The broker speaks our will only when the connection is lost.
void MqttSink::say_goodbye() {
  if (options_.will_topic.empty() || !client_) return;
  {
    const std::scoped_lock lock(mutex_);
    if (!connected_) return;
  }
  const auto said = std::make_shared<Attempt>(1);
  said->sent();
  const std::string payload = stamped(options_.will_payload, context_.now());
  const Status handed = client_->publish(
      {.topic = options_.will_topic, .payload = payload, .qos = kLifeQos, .retained = options_.will_retained},
      [said](const Status& status) { said->answered(0, status); });
  if (handed) said->wait_below(1, kGoodbye);
}

}  // namespace

SinkConnector mqtt_connector() {
  SinkConnector connector =
      sink_connector<MqttSinkOptions>("mqtt", "Messages to topics of an MQTT broker, one for each row.",
                                      mqtt_sink_options, check_mqtt_sink_options);
  connector.info.needs_format = true;
  connector.info.validate_sink_table = check_mqtt_table;
  // The columns of the topic travel as the record's key.
  connector.key_format = [](const OptionMap&) { return std::string("json"); };
  connector.key_fields = [](const OptionMap& map) {
    const auto topic = TopicTemplate::parse(validated_options(mqtt_sink_options(), map).topic);
    return topic ? topic->columns() : std::vector<std::string>();
  };
  connector.batch_limits = [](const OptionMap& map) {
    return batch_limits_of(validated_options(mqtt_sink_options(), map));
  };
  connector.build = [](const OptionMap& map, const SinkContext& context) -> Result<std::unique_ptr<Sink>> {
    MqttSinkOptions options = validated_options(mqtt_sink_options(), map);
    LEAT_ASSIGN(TopicTemplate topic, TopicTemplate::parse(options.topic));
    auto sink = std::make_unique<MqttSink>(std::move(options), std::move(topic), context);
    LEAT_TRY(sink->connect());
    return sink;
  };
  return connector;
}

}  // namespace leat::sinks
