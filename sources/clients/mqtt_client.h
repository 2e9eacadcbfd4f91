// One MQTT connection, as sources and sinks both need it: Paho's asynchronous C++ client behind an interface
// that knows what it must not do. A supervisor thread of ours connects, subscribes after every connect, and
// tries again with exponential back-off and jitter; an absent broker is a state, not an error.
//
// Paho runs the callbacks of all its clients on one thread and holds a lock of the whole process meanwhile:
// `MqttEvents` must be quick and must never wait for what another client, or the engine, has to do first.
// The client never holds a lock of its own when it calls Paho.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::sources {

enum class MqttVersion : std::uint8_t { k311 = 4, k5 = 5 };
enum class CleanStart : std::uint8_t { kKeepSession, kClean };
enum class PeerCheck : std::uint8_t { kVerify, kAcceptAnything };

struct MqttTls {
  std::string ca_file;  ///< PEM; empty: the system's.
  std::string ca_path;
  std::string certificate_file;  ///< Of the client; PEM.
  std::string key_file;
  Secret key_password;
  std::vector<std::string> alpn;
  PeerCheck peer = PeerCheck::kVerify;
};

/// What the broker publishes for us when the connection is lost, or ends by `reconnect` or `leave_will`.
struct MqttWill {
  std::string topic;
  std::string payload;
  int qos = 1;
  bool retained = false;
};

struct MqttSubscription {
  std::string filter;
  int qos = 1;
  /// MQTT 5: 0 sends retained messages at each subscribe, 1 for a new subscription only, 2 never.
  int retain_handling = 1;
};

struct MqttClientOptions {
  std::string url;  ///< "tcp://host:1883", "ssl://host:8883", "ws://…", "wss://…"; mqtt:// and mqtts:// too.
  std::string client_id;
  MqttVersion version = MqttVersion::k5;
  CleanStart clean_start = CleanStart::kKeepSession;
  Micros session_expiry{7LL * 24 * 3600 * 1'000'000};  ///< MQTT 5.
  Micros keep_alive{60'000'000};
  Micros connect_timeout{10'000'000};
  std::uint16_t receive_maximum = 1000;  ///< MQTT 5: messages in flight towards us.
  std::uint32_t max_packet = 1U << 20;   ///< MQTT 5: the broker drops what is larger.
  std::uint16_t max_inflight = 1000;     ///< Messages in flight from us.
  std::string username;
  Secret password;
  std::optional<MqttTls> tls;
  std::optional<MqttWill> will;
  /// Asked before each connect, on the client's own thread: the payload of the will of that connection. Null:
  /// what `will` has.
  std::function<std::string()> will_payload = nullptr;
  Micros backoff_min{1'000'000};
  Micros backoff_max{60'000'000};
  std::vector<MqttSubscription> subscriptions;
};

/// A message as it arrives; the views are valid during the callback.
struct MqttMessage {
  std::string_view topic;
  std::string_view payload;
  int qos = 0;
  bool retained = false;
  bool duplicate = false;       ///< The broker sends it again (never set by Paho for QoS 2).
  std::uint16_t packet_id = 0;  ///< 0 for QoS 0.
};

enum class SessionPresent : std::uint8_t { kNo, kYes };

/// What the owner does about a message.
enum class Receipt : std::uint8_t {
  kTaken,    ///< Acknowledge it.
  kRefused,  ///< It could not be stored: cut the connection, so that it stays unacknowledged and comes again.
};

/// Called on Paho's thread, one call at a time; see above for what is allowed.
class MqttEvents {
 public:
  virtual ~MqttEvents() = default;
  /// Connected; comes before the first message of the connection.
  virtual void on_connected(SessionPresent session) { (void)session; }
  /// Where nothing is subscribed, none comes.
  virtual Receipt on_message(const MqttMessage& message) {
    (void)message;
    return Receipt::kTaken;
  }
  /// A connection, or an attempt to connect, has ended by itself (`health` says why) or by `reconnect`. On
  /// the client's own thread.
  virtual void on_lost() {}
  /// The message that was just refused will be acknowledged all the same: the connection's socket is not to
  /// be found (no /proc). It is lost, and has to be counted.
  virtual void on_unrefused() {}
};

struct MqttHealth {
  enum class Link : std::uint8_t { kIdle, kConnecting, kConnected, kPaused, kLost };
  Link link = Link::kIdle;
  std::string detail;
  // Since the start:
  std::uint64_t connects = 0;  ///< Connections that got as far as all subscriptions (and their contrary).
  std::uint64_t losses = 0;    ///< Those of them that ended without `pause` or `stop`.
  std::string last_loss;       ///< "tcp://127.0.0.1:1883: connection lost"
  bool refused = false;        ///< The broker itself said no to the last attempt: somebody has to act.
};

/// A message to be sent; the views are valid during the call.
struct MqttPublication {
  std::string_view topic;
  std::string_view payload;
  int qos = 1;
  bool retained = false;
  std::vector<std::pair<std::string, std::string>> properties = {};  ///< User properties; MQTT 5 only.
};

class MqttClient {
 public:
  virtual ~MqttClient() = default;

  /// Filters that an earlier client of the session has subscribed to, and that are not wanted any more: each
  /// connect takes them back. Before `start`.
  virtual void unsubscribe(std::vector<std::string> filters) = 0;
  /// Begins to connect, and keeps at it. Once.
  virtual void start() = 0;
  /// Disconnects and stays so until `resume`; the session is kept. Returns at once; may be called in an
  /// event.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// Ends the present connection, if there is one, and makes another; what was handed over and is not
  /// acknowledged is not sent there. `on_lost` comes in between. Returns at once. Nobody knows whether
  /// another one comes about: the broker speaks the will of the one that ends.
  virtual void reconnect() = 0;
  /// The broker is to speak the will when `stop` ends the connection, too: its owner could not say goodbye
  /// itself. Before `stop`.
  virtual void leave_will() = 0;
  /// Begins to do as `stop` does, and returns at once; `stop` follows.
  virtual void begin_stop() = 0;
  /// Disconnects (the session is kept) and ends the thread; idempotent. No event comes afterwards.
  virtual void stop() = 0;

  /// Hands over one message; before `stop`. `done` comes when the broker has acknowledged it (QoS 0: when it
  /// is written), or will not, on Paho's thread; not after `stop`. Never call it with a lock that `done`
  /// takes. Errors of the call: unavailable (not connected), exhausted (too many in flight; try again after
  /// some are done), invalid (larger than the broker takes). Errors of `done`: unavailable (not answered: the
  /// connection has ended), exhausted (the broker has no room now), io (it has failed with it, and says no
  /// more), conflict (it does not allow it: somebody has to act), invalid (it will never take this message).
  using Done = std::function<void(Status)>;
  virtual Status publish(const MqttPublication& message, Done done) = 0;

  [[nodiscard]] virtual MqttHealth health() const = 0;
};

/// `events` outlives the client. Errors: invalid (what Paho refuses at once: a malformed URL).
Result<std::unique_ptr<MqttClient>> make_mqtt_client(MqttClientOptions options, MqttEvents& events);

/// Ends the session of a client that is not connected: connects with a clean start and no expiry, and
/// disconnects. Blocks for about `patience` at most. Errors: unavailable (why).
Status end_mqtt_session(MqttClientOptions options, Micros patience);

/// Paho's URL for `url`: mqtt:// is tcp://, mqtts:// is ssl://. Errors: invalid (unknown scheme, no host).
Result<std::string> paho_url(std::string_view url);
/// The port in the URL, or the scheme's.
std::uint16_t url_port(std::string_view paho_url);

}  // namespace leat::sources
