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
#include "sinks/mqtt/attempt.h"
#include "sinks/mqtt/mqtt_sink_options.h"
#include "sinks/mqtt/suspicion.h"
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
constexpr Micros kCheckInterval{kMicrosPerSecond};
/// The client tells of a loss soon after its messages in flight were told.
constexpr std::chrono::seconds kToldOfLoss{2};

/// A message of birth or will, with the time in it where it asks for one.
std::string stamped(std::string message, std::int64_t micros) {
  const std::string millis = std::to_string(floor_div(micros, kMicrosPerMilli));
  for (std::size_t at = message.find(kTimestamp); at != std::string::npos; at = message.find(kTimestamp, at))
    message.replace(at, kTimestamp.size(), millis);
  return message;
}

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
  /// Where others rely on birth and will, the connection counts although nothing is to be delivered.
  [[nodiscard]] std::optional<Micros> check_interval() const override {
    if (options_.birth_topic.empty() && options_.will_topic.empty()) return std::nullopt;
    return kCheckInterval;
  }
  Status check(std::string& sink_state) override;

 private:
  // MqttEvents, on the client's threads.
  void on_connected(sources::SessionPresent session) override;
  void on_lost() override;

  using Clock = std::chrono::steady_clock;
  /// The last record that the broker has taken.
  struct Taken {
    std::string topic;
    std::string payload;
    std::string name;
  };

  void birth_answered(const Status& status);
  std::optional<Status> look();
  std::optional<Retry> wait_for_connection();
  void send(const Shipment& shipment, std::span<const Record> records);
  bool send_one(const std::shared_ptr<Attempt>& attempt, std::size_t index, const Record& record);
  bool probe(const std::shared_ptr<Attempt>& attempt);
  Status publish_probe(MqttClient::Done done);
  Status publish_birth(MqttClient::Done done);
  void keep_last_taken(const Attempt& attempt, std::span<const Record> records);
  Delivery outcome(std::span<const Record> records);
  Retry try_again(Attempt& attempt);
  std::optional<std::string> how_it_ended();
  void suspect(Attempt& attempt, const Error& trouble);
  void say_goodbye();
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> properties_of(std::string record) const {
    return {{"leat-record", std::move(record)}, {"leat-gateway", context_.gateway_id}};
  }
  [[nodiscard]] std::string record_name(std::size_t index) const {
    return fmt::format("{}:{}", shipment_, index);
  }

  const MqttSinkOptions options_;
  const TopicTemplate topic_;
  const SinkContext context_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool connected_ = false;
  bool interrupted_ = false;
  std::uint64_t losses_ = 0;
  std::string last_loss_;
  std::optional<std::int64_t> connecting_at_;  // What the present will has for its time.
  std::string birth_;                          // As it was said last; since then it waits for its answer:
  std::optional<Clock::time_point> birth_waits_;
  std::string birth_trouble_;         // Why the last one was not taken.
  std::shared_ptr<Attempt> attempt_;  // The present one, or how far the last one came.
  // Of the delivery's thread:
  std::string shipment_;             // Whose attempt it is.
  std::uint64_t losses_before_ = 0;  // It began.
  Suspicion suspicion_;
  std::optional<Taken> taken_;
  Status last_check_;

  std::unique_ptr<MqttClient> client_;
};

void MqttSink::on_connected(sources::SessionPresent) {
  {
    const std::scoped_lock lock(mutex_);
    connected_ = true;
    birth_ = stamped(options_.birth_payload, connecting_at_.value_or(context_.now()));
    if (!options_.birth_topic.empty()) birth_waits_ = Clock::now();
  }
  changed_.notify_all();
  if (options_.birth_topic.empty()) return;
  const Status handed = publish_birth([this](const Status& status) { birth_answered(status); });
  if (!handed) birth_answered(fail(ErrorCode::kInvalid, handed.error().message));
}

void MqttSink::birth_answered(const Status& status) {
  const std::scoped_lock lock(mutex_);
  birth_waits_.reset();
  // Should the connection end before it is out, the next one begins with it again.
  if (!status && status.error().code == ErrorCode::kUnavailable) return;
  birth_trouble_ = status ? std::string() : status.error().message;
}

void MqttSink::on_lost() {
  std::string detail = client_->health().detail;
  std::shared_ptr<Attempt> attempt;
  {
    const std::scoped_lock lock(mutex_);
    connected_ = false;
    birth_waits_.reset();
    ++losses_;
    last_loss_ = detail;
    attempt = attempt_;
  }
  changed_.notify_all();
  if (attempt) attempt->end({ErrorCode::kUnavailable, std::move(detail)});
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

Status MqttSink::check(std::string&) {
  // As long as it is not known, what was known holds: a birth that nobody has acknowledged ends no trouble.
  if (const auto found = look()) last_check_ = *found;
  return last_check_;
}

/// Nothing: it is on its way.
std::optional<Status> MqttSink::look() {
  {
    const std::scoped_lock lock(mutex_);
    if (connected_ && birth_waits_ && Clock::now() - *birth_waits_ < options_.publish_timeout)
      return std::nullopt;
    if (connected_ && birth_waits_)
      return fail(ErrorCode::kExhausted, "the birth was not taken: the broker does not acknowledge it");
    if (connected_ && birth_trouble_.empty()) return Status();
    if (connected_) return fail(ErrorCode::kConflict, "the birth was not taken: " + birth_trouble_);
  }
  const MqttHealth health = client_->health();
  if (health.link != MqttHealth::Link::kLost) return std::nullopt;
  return fail(ErrorCode::kUnavailable, health.detail);
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
  return outcome(*records);
}

void MqttSink::send(const Shipment& shipment, std::span<const Record> records) {
  const std::string name = shipment_name(context_, shipment);
  std::shared_ptr<Attempt> attempt;
  {
    const std::scoped_lock lock(mutex_);
    const bool known = attempt_ != nullptr && shipment_ == name;
    if (!known) suspicion_.forget();
    shipment_ = name;
    attempt_ = known ? attempt_->again() : std::make_shared<Attempt>(records.size());
    attempt = attempt_;
    losses_before_ = losses_;
    if (interrupted_ || !connected_) attempt->end({ErrorCode::kUnavailable, "the connection has ended"});
  }
  if (suspicion_.wants_probe() && !probe(attempt)) return;
  for (std::size_t i = attempt->settled(); i < records.size(); ++i)
    if (!send_one(attempt, i, records[i])) return;
  attempt->wait_below(1, options_.publish_timeout);
}

/// False: the attempt is over.
bool MqttSink::send_one(const std::shared_ptr<Attempt>& attempt, std::size_t index, const Record& record) {
  auto topic = topic_.render(record.key);
  if (!topic) {
    attempt->refuse(index, topic.error().message);
    return true;
  }
  std::size_t room = suspicion_.is_one_by_one() ? 1 : options_.max_inflight;
  while (attempt->wait_below(room, options_.publish_timeout)) {
    attempt->sent(index);
    const Status handed =
        client_->publish({.topic = *topic,
                          .payload = record.payload,
                          .qos = static_cast<int>(options_.qos),
                          .retained = options_.retained,
                          .properties = properties_of(record_name(index))},
                         [attempt, index](const Status& status) { attempt->answered(index, status); });
    if (handed) return true;
    const std::size_t others = attempt->unsent(index);
    if (handed.error().code == ErrorCode::kInvalid) {
      attempt->refuse(index, handed.error().message);
      return true;
    }
    if (handed.error().code != ErrorCode::kExhausted || others == 0) {
      attempt->end(handed.error());
      return false;
    }
    room = std::max<std::size_t>(room / 2, 1);  // The client has less room than we thought.
  }
  return false;
}

/// Has the broker take something else before the suspected record (suspicion.h). False: the attempt is over.
bool MqttSink::probe(const std::shared_ptr<Attempt>& attempt) {
  if (attempt->trouble()) return false;
  attempt->probe_sent();
  const Status handed = publish_probe([attempt](const Status& status) { attempt->probe_answered(status); });
  if (!handed) attempt->probe_answered(handed);
  return attempt->wait_below(1, options_.publish_timeout);
}

Status MqttSink::publish_probe(MqttClient::Done done) {
  if (taken_)
    return client_->publish({.topic = taken_->topic,
                             .payload = taken_->payload,
                             .qos = kLifeQos,
                             .retained = options_.retained,
                             .properties = properties_of(taken_->name)},
                            std::move(done));
  if (!options_.birth_topic.empty()) return publish_birth(std::move(done));
  return client_->publish({.topic = kProbeTopic, .payload = {}, .qos = kLifeQos}, std::move(done));
}

Status MqttSink::publish_birth(MqttClient::Done done) {
  std::string payload;
  {
    const std::scoped_lock lock(mutex_);
    payload = birth_;
  }
  return client_->publish({.topic = options_.birth_topic,
                           .payload = payload,
                           .qos = kLifeQos,
                           .retained = options_.birth_retained},
                          std::move(done));
}

void MqttSink::keep_last_taken(const Attempt& attempt, std::span<const Record> records) {
  const auto last = attempt.last_taken();
  if (!last) return;
  const Record& record = records[*last];
  if (auto topic = topic_.render(record.key))
    taken_ = Taken{*std::move(topic), std::string(record.payload), record_name(*last)};
}

Delivery MqttSink::outcome(std::span<const Record> records) {
  const std::shared_ptr<Attempt> attempt = attempt_;
  keep_last_taken(*attempt, records);
  if (attempt->settled() < records.size()) return try_again(*attempt);
  std::string reason;
  std::vector<std::uint32_t> refused = attempt->refused(reason);
  if (refused.empty()) return Delivered{};
  return Rejected{std::move(reason), std::move(refused)};
}

Retry MqttSink::try_again(Attempt& attempt) {
  Error trouble = attempt.trouble().value_or(Error{ErrorCode::kInternal, "some were not sent"});
  // What is still on its way must not arrive between the messages of the next attempt.
  bool is_over = attempt.wait_for_rest(options_.publish_timeout) || !attempt.sent_any();
  if (trouble.code == ErrorCode::kUnavailable && attempt.sent_any()) {
    const auto how = how_it_ended();
    is_over = is_over || how.has_value();
    trouble.message = how.value_or(trouble.message);
  }
  suspect(attempt, trouble);
  // A stop ends the connection when it has said goodbye.
  if (!is_over && trouble.code != ErrorCode::kCancelled) {
    {
      const std::scoped_lock lock(mutex_);
      connected_ = false;
    }
    client_->reconnect();
  }
  return Retry{std::move(trouble.message), std::nullopt, trouble.code == ErrorCode::kConflict};
}

/// The client knows more of it than a message that was in flight. Nothing: the connection stands.
std::optional<std::string> MqttSink::how_it_ended() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kToldOfLoss, [this] { return losses_ != losses_before_ || interrupted_; });
  if (losses_ == losses_before_) return std::nullopt;
  return last_loss_;
}

void MqttSink::suspect(Attempt& attempt, const Error& trouble) {
  using Failure = Suspicion::Failure;
  const bool has_ended = trouble.code == ErrorCode::kUnavailable;
  if ((!has_ended && trouble.code != ErrorCode::kIo) || !attempt.sent_any()) return;
  const std::size_t first = attempt.settled();
  const bool refuses = suspicion_.confirms(
      {.first = first,
       .record = attempt.has_sent(first) ? Failure::Record::kSent : Failure::Record::kNotSent,
       .others = attempt.took_any() ? Failure::Others::kTaken : Failure::Others::kNone});
  if (!refuses) return;
  attempt.refuse(first, has_ended
                            ? fmt::format("the connection has ended each time that this was sent, and with "
                                          "nothing else: the broker may allow neither so long a message nor "
                                          "this topic ({})",
                                          trouble.message)
                            : fmt::format("the broker has failed each time that this was sent, and with "
                                          "nothing else: {}",
                                          trouble.message));
}

/// The broker speaks our will only when the connection is lost: where it takes no goodbye, it is left to it.
void MqttSink::say_goodbye() {
  if (options_.will_topic.empty() || !client_) return;
  {
    const std::scoped_lock lock(mutex_);
    if (!connected_) return;
  }
  const auto said = std::make_shared<Attempt>(1);
  said->sent(0);
  const std::string payload = stamped(options_.will_payload, context_.now());
  const Status handed = client_->publish(
      {.topic = options_.will_topic, .payload = payload, .qos = kLifeQos, .retained = options_.will_retained},
      [said](const Status& status) { said->answered(0, status); });
  if (!handed || !said->wait_below(1, kGoodbye)) client_->leave_will();
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
