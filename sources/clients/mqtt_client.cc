#include "sources/clients/mqtt_client.h"

#include <MQTTAsync.h>
#include <fmt/format.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>

#include "sources/clients/backoff.h"
#include "sources/clients/connect_diagnosis.h"
#include "sources/clients/paho_company.h"
#include "sources/clients/paho_options.h"
#include "sources/clients/socket_cutter.h"
#include "sources/clients/tls_diagnosis.h"

namespace leat::sources {
namespace {

/// How long a clean goodbye may take before the client is torn down all the same.
constexpr auto kGoodbye = std::chrono::seconds(2);
/// Paho gives up a connect by itself; this is for the case that it does not.
constexpr auto kConnectSlack = std::chrono::seconds(5);

/// Two rounds of Paho's thread must end before it sees that a connection is made (paho_company.h); the third
/// prompt is for a broker that is far away.
constexpr std::array kPrompts{std::chrono::milliseconds(10), std::chrono::milliseconds(40),
                              std::chrono::milliseconds(160)};

/// Has the broker answer: nobody has subscribed to this.
void prompt(mqtt::async_client& client) {
  try {
    client.unsubscribe("leat/prompt");
  } catch (const mqtt::exception&) {
    // The connection has just ended: somebody else will say something.
  }
}

constexpr std::string_view kConnectionLost = "connection lost";
/// A connection that the broker closes within this time, again and again, is suspect.
constexpr auto kShortLife = std::chrono::seconds(30);
constexpr int kSuspectLives = 2;

/// One handshake to see what is wrong with TLS; `stop` waits for it.
constexpr auto kTlsDiagnosis = std::chrono::milliseconds(1'500);

/// Sends the outcome of one kind of request to two functions; outlives the requests.
class Listener final : public mqtt::iaction_listener {
 public:
  Listener(std::function<void(const mqtt::token&)> success, std::function<void(const mqtt::token&)> failure)
      : success_(std::move(success)), failure_(std::move(failure)) {}
  void on_success(const mqtt::token& token) override { guarded(success_, token); }
  void on_failure(const mqtt::token& token) override { guarded(failure_, token); }

 private:
  /// An exception that left a callback would end the process.
  static void guarded(const std::function<void(const mqtt::token&)>& call, const mqtt::token& token) {
    try {
      call(token);
    } catch (...) {
    }
  }
  std::function<void(const mqtt::token&)> success_;
  std::function<void(const mqtt::token&)> failure_;
};

class PahoClient final : public MqttClient {
 public:
  PahoClient(MqttClientOptions options, std::string url, MqttEvents& events)
      : options_(std::move(options)),
        url_(std::move(url)),
        events_(events),
        backoff_(options_.backoff_min, options_.backoff_max, std::random_device{}()),
        connect_options_(paho_connect_options(options_, ssl_)) {
    client_ = new_client();
  }
  ~PahoClient() override { stop(); }

  void unsubscribe(std::vector<std::string> filters) override { unwanted_ = std::move(filters); }
  void start() override {
    {
      const std::scoped_lock lock(mutex_);  // Before the thread gets to it: it is not idle.
      set_health(MqttHealth::Link::kConnecting, options_.url + ": connecting");
    }
    thread_ = std::thread([this] { run(); });
  }
  void pause() override { want(Want::kPause); }
  void resume() override { want(Want::kRun); }
  void reconnect() override {
    {
      const std::scoped_lock lock(mutex_);
      another_ = stage_ != Stage::kDown;
    }
    changed_.notify_all();
  }
  void leave_will() override {
    const std::scoped_lock lock(mutex_);
    leaves_will_ = true;
  }
  void begin_stop() override { want(Want::kStop); }
  void stop() override;
  Status publish(const MqttPublication& message, Done done) override;
  [[nodiscard]] MqttHealth health() const override {
    const std::scoped_lock lock(mutex_);
    return health_;
  }

 private:
  enum class Want : std::uint8_t { kRun, kPause, kStop };
  enum class Stage : std::uint8_t { kDown, kConnecting, kSubscribing, kUp, kLeaving };
  enum class Parting : std::uint8_t {
    kWithoutWill,  ///< The broker drops it.
    kWithWill,     ///< It speaks it.
  };
  using Lock = std::unique_lock<std::mutex>;

  void want(Want want) {
    {
      const std::scoped_lock lock(mutex_);
      if (want_ != Want::kStop) want_ = want;
    }
    changed_.notify_all();
  }

  std::shared_ptr<mqtt::async_client> new_client();
  void drop_client();
  void renew_client(Lock& lock);

  // The supervisor's thread.
  void run();
  void begin_attempt();
  void connect();
  bool await_answer(Lock& lock);
  void stay_up(Lock& lock);
  void disconnect(Parting parting);
  bool live_once(Lock& lock);
  void tell_of_loss(Lock& lock);
  void announce_loss(Lock& lock);
  void show_pause() { set_health(MqttHealth::Link::kPaused, options_.url + ": paused"); }
  void find_reason(Lock& lock);
  void show_wait();
  void set_health(MqttHealth::Link link, std::string detail) {
    health_.link = link;
    health_.detail = std::move(detail);
  }

  // Paho's thread.
  [[nodiscard]] std::string reason_of(const mqtt::token& token) const {
    return paho_reason(token.get_return_code(), token.get_reason_code(), options_.client_id);
  }
  void published(const mqtt::token& token, Status status);
  void receive(const mqtt::message& message);
  void connected(const mqtt::token& token);
  bool begin_subscribing(const mqtt::token& token, std::uint32_t largest_packet);
  void subscribe(mqtt::iasync_client& client, void* attempt);
  void subscribed(const mqtt::token& token);
  /// A request of some attempt has failed.
  void failed(const mqtt::token& token, const std::string& what);
  /// The connection has ended by itself.
  void broken(const std::string& reason);

  // Under mutex_.
  [[nodiscard]] bool is_unwanted() const { return want_ != Want::kRun || another_; }
  /// Paho may answer for an attempt after the next one has begun: each request carries its attempt's number.
  [[nodiscard]] bool is_current(const mqtt::token& token) const {
    return token.get_user_context() == attempt_context();
  }
  [[nodiscard]] void* attempt_context() const { return reinterpret_cast<void*>(attempt_); }
  [[nodiscard]] Parting parting() const {
    return options_.will && (another_ || leaves_will_) ? Parting::kWithWill : Parting::kWithoutWill;
  }
  void down(std::string reason);
  void suspect_twin();

  const MqttClientOptions options_;
  const std::string url_;
  MqttEvents& events_;                 // Outlives the client.
  std::vector<std::string> unwanted_;  // Unchanged from `start` on.
  Backoff backoff_;                    // The supervisor's, as is the pause before its next attempt:
  Micros delay_{0};
  SocketCutter socket_;  // The supervisor's while connecting, Paho's thread's until it is kSubscribing; then
                         // nobody changes it.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Want want_ = Want::kRun;
  Stage stage_ = Stage::kDown;
  std::uintptr_t attempt_ = 0;
  // Filters that wait for their SUBACK or UNSUBACK, and one for the connect itself.
  std::size_t unsubscribed_ = 0;
  std::uint32_t largest_packet_ = UINT32_MAX;  // That the broker takes.
  bool connected_ = false;                     // The present attempt got as far as all subscriptions; since:
  std::chrono::steady_clock::time_point up_since_;
  bool answered_ = false;  // The broker itself has refused the present attempt.
  bool refused_ = false;   // We have cut the connection, because a message could not be stored.
  int short_lives_ = 0;    // Connections in a row that the other side closed soon.
  bool another_ = false;   // The present connection is to give its place to another one.
  bool leaves_will_ = false;
  bool renew_ = false;  // Paho's client is in a state that is better not used again.
  std::string reason_;  // Why the stage fell back to kDown.
  MqttHealth health_;
  std::unordered_map<const void*, std::unique_ptr<Done>> publishing_;

  Listener connect_listener_{[this](const mqtt::token& token) { connected(token); },
                             [this](const mqtt::token& token) { failed(token, {}); }};
  Listener subscribe_listener_{
      [this](const mqtt::token& token) { subscribed(token); },
      [this](const mqtt::token& token) { failed(token, "the broker refused a subscription: "); }};
  Listener disconnect_listener_{[this](const mqtt::token& token) { failed(token, "disconnected: "); },
                                [this](const mqtt::token& token) { failed(token, "disconnected: "); }};
  Listener publish_listener_{[this](const mqtt::token& token) { published(token, {}); },
                             [this](const mqtt::token& token) {
                               const ErrorCode code = publish_error(token.get_reason_code());
                               published(token, fail(code, reason_of(token)));
                             }};
  mqtt::ssl_options ssl_;
  mqtt::connect_options connect_options_;
  std::thread thread_;
  /// Changed by the supervisor only, under mutex_; none after `stop`.
  std::shared_ptr<mqtt::async_client> client_;
};

std::shared_ptr<mqtt::async_client> PahoClient::new_client() {
  auto client = std::make_shared<mqtt::async_client>(url_, options_.client_id, paho_create_options(options_));
  client->set_message_callback([this](mqtt::const_message_ptr message) { receive(*message); });
  client->set_connection_lost_handler(
      [this](const std::string& cause) { broken(cause.empty() ? std::string(kConnectionLost) : cause); });
  client->set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode code) {
    broken("the broker ended the connection: " + describe_reason(code, options_.client_id));
  });
  return client;
}

void PahoClient::drop_client() {
  Lock lock(mutex_);
  const std::shared_ptr<mqtt::async_client> client = std::move(client_);
  lock.unlock();
  // The destructor takes Paho's lock: it waits for a callback that is running, and none comes afterwards.
}

void PahoClient::run() {
  Lock lock(mutex_);
  while (want_ != Want::kStop) {
    if (want_ == Want::kPause) {
      short_lives_ = 0;
      show_pause();
      changed_.wait(lock, [this] { return want_ != Want::kPause; });
      continue;
    }
    const bool ended_by_us = live_once(lock);
    const bool lost = !ended_by_us && want_ == Want::kRun;
    if (ended_by_us && another_) tell_of_loss(lock);
    if (lost) announce_loss(lock);
    if (want_ == Want::kPause) show_pause();
    if (lost) changed_.wait_for(lock, delay_, [this] { return want_ != Want::kRun; });
  }
}

/// One connection, from the attempt to the end. True: it was up, and has ended because it is not wanted any
/// more.
bool PahoClient::live_once(Lock& lock) {
  connected_ = false;
  begin_attempt();
  lock.unlock();
  connect();
  lock.lock();
  const bool answered = await_answer(lock);
  if (stage_ == Stage::kUp) stay_up(lock);
  const bool ended_by_us = stage_ == Stage::kUp;
  if (stage_ != Stage::kDown) {
    if (!answered) reason_ = "no answer";
    const bool had_answer = stage_ != Stage::kConnecting;
    if (had_answer) stage_ = Stage::kLeaving;  // That is no loss.
    const Parting how = had_answer ? parting() : Parting::kWithoutWill;
    lock.unlock();
    disconnect(how);
    lock.lock();
  }
  stage_ = Stage::kDown;
  // What is in flight ends with Paho's client: it would send that again by itself, whatever is sent
  // meanwhile.
  if (another_ || options_.subscriptions.empty()) renew_ = true;
  if (std::exchange(renew_, false)) renew_client(lock);
  return ended_by_us;
}

/// Nobody will answer what the dropped one was given.
void PahoClient::renew_client(Lock& lock) {
  lock.unlock();
  drop_client();
  lock.lock();
  const auto unanswered = std::exchange(publishing_, {});
  lock.unlock();
  for (const auto& [request, done] : unanswered)
    (*done)(fail(ErrorCode::kUnavailable, options_.url + ": the connection has ended"));
  lock.lock();
}

void PahoClient::tell_of_loss(Lock& lock) {
  lock.unlock();
  events_.on_lost();
  lock.lock();
}

void PahoClient::announce_loss(Lock& lock) {
  if (!connected_ && !answered_) find_reason(lock);
  health_.refused = answered_;
  show_wait();
  tell_of_loss(lock);
}

/// True when the attempt has come to something, or is not wanted any more.
bool PahoClient::await_answer(Lock& lock) {
  const auto settled = [this] { return stage_ == Stage::kUp || stage_ == Stage::kDown || is_unwanted(); };
  for (const auto pause : kPrompts) {
    if (changed_.wait_for(lock, pause, settled)) return true;
    lock.unlock();
    paho_company().prompt_another(this);
    lock.lock();
  }
  return changed_.wait_for(lock, options_.connect_timeout + kConnectSlack, settled);
}

/// Until the connection has ended, or is not wanted any more.
void PahoClient::stay_up(Lock& lock) {
  lock.unlock();
  paho_company().join(this, [client = client_] { prompt(*client); });
  lock.lock();
  changed_.wait(lock, [this] { return stage_ != Stage::kUp || is_unwanted(); });
  lock.unlock();
  paho_company().leave(this);
  lock.lock();
}

/// Paho says of a connection that there is none, and of TLS that it failed, and no more.
void PahoClient::find_reason(Lock& lock) {
  lock.unlock();
  const TlsPeer peer = tls_peer_of(options_, url_);
  std::string found = diagnose_connection(peer.host, peer.port, kTlsDiagnosis);
  if (!found.empty()) found = "no connection: " + found;
  if (found.empty() && options_.tls) found = diagnose_tls(peer, kTlsDiagnosis);
  lock.lock();
  if (found.empty() && reason_ == kNoConnection)
    found = "no answer: the port takes connections, and no broker speaks there";
  if (!found.empty()) reason_ = found;
}

void PahoClient::begin_attempt() {
  ++attempt_;
  answered_ = false;
  refused_ = false;
  another_ = false;
  stage_ = Stage::kConnecting;
  // What is lost stays so until the broker has answered: alerts do not come and go with the attempts.
  if (health_.link == MqttHealth::Link::kLost)
    set_health(MqttHealth::Link::kLost, fmt::format("{}: {}, trying now", options_.url, reason_));
  else
    set_health(MqttHealth::Link::kConnecting, options_.url + ": connecting");
}

void PahoClient::connect() {
  try {
    if (!client_) {
      auto client = new_client();
      const std::scoped_lock lock(mutex_);
      client_ = std::move(client);
    }
    socket_.remember_others();
    if (options_.will && options_.will_payload)
      set_paho_will(*options_.will, options_.will_payload(), connect_options_);
    client_->connect(connect_options_, attempt_context(), connect_listener_);
  } catch (const mqtt::exception& error) {
    const std::scoped_lock lock(mutex_);
    down(paho_reason(error.get_return_code(), error.get_reason_code(), options_.client_id));
  }
}

/// Paho says goodbye at each end that it knows of (and its C++ wrapper loses the reason code with which a
/// broker of MQTT 5 would speak the will all the same).
void PahoClient::disconnect(Parting parting) {
  if (parting == Parting::kWithWill) socket_.cut();
  try {
    client_->disconnect(attempt_context(), disconnect_listener_);
  } catch (const mqtt::exception&) {
    // It was not connected, or on its way to be: a new client has no such past.
    const std::scoped_lock lock(mutex_);
    renew_ = true;
    return;
  }
  Lock lock(mutex_);
  if (!changed_.wait_for(lock, kGoodbye, [this] { return stage_ == Stage::kDown; })) renew_ = true;
}

/// How long to wait before the next attempt.
void PahoClient::show_wait() {
  // A connection that was soon over is no success: two clients that take the session from each other, or a
  // broker that throws us out, are not to be bothered at full speed.
  if (connected_ && std::chrono::steady_clock::now() - up_since_ >= options_.backoff_max) backoff_.reset();
  delay_ = backoff_.next();
  set_health(MqttHealth::Link::kLost,
             fmt::format("{}: {}, next try in {}", options_.url, reason_, shown_wait(delay_)));
}

void PahoClient::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
  drop_client();
}

void PahoClient::connected(const mqtt::token& token) {
  const mqtt::connect_response answer = token.get_connect_response();
  const bool present = answer.is_session_present();
  socket_.find_own(url_port(url_));  // Before the supervisor may want to cut it.
  const bool wanted = begin_subscribing(token, largest_packet(answer));
  // A connection that is not wanted any more, for a stop or a pause while it was being made, has messages,
  // too, until it is gone: what the session holds comes at once, and is taken and acknowledged.
  if (!wanted && options_.subscriptions.empty()) return;
  events_.on_connected(present ? SessionPresent::kYes : SessionPresent::kNo);
  if (!wanted) return;
  // Here and not in the supervisor: what an earlier connection had subscribed is never missed for long. Only
  // requests are queued; nothing is waited for.
  subscribe(*token.get_client(), token.get_user_context());
  subscribed(token);
}

/// False: the attempt is over.
bool PahoClient::begin_subscribing(const mqtt::token& token, std::uint32_t largest_packet) {
  const std::scoped_lock lock(mutex_);
  if (!is_current(token) || stage_ != Stage::kConnecting) return false;
  if (is_unwanted() && options_.subscriptions.empty()) return false;
  stage_ = Stage::kSubscribing;
  largest_packet_ = largest_packet;
  unsubscribed_ = options_.subscriptions.size() + unwanted_.size() + 1;
  return true;
}

void PahoClient::subscribe(mqtt::iasync_client& client, void* attempt) {
  for (const std::string& filter : unwanted_) {
    try {
      client.unsubscribe(filter, attempt, subscribe_listener_);
    } catch (const mqtt::exception& error) {
      return broken("unsubscribing from " + filter + ": " + error.what());
    }
  }
  for (const MqttSubscription& subscription : options_.subscriptions) {
    mqtt::subscribe_options how;
    if (options_.version == MqttVersion::k5)
      how = mqtt::subscribe_options(
          false, false, static_cast<mqtt::subscribe_options::RetainHandling>(subscription.retain_handling));
    try {
      client.subscribe(subscription.filter, subscription.qos, attempt, subscribe_listener_, how);
    } catch (const mqtt::exception& error) {
      return broken("subscribing to " + subscription.filter + ": " + error.what());
    }
  }
}

void PahoClient::subscribed(const mqtt::token& token) {
  const std::scoped_lock lock(mutex_);
  if (!is_current(token) || stage_ != Stage::kSubscribing || --unsubscribed_ > 0) return;
  stage_ = Stage::kUp;
  connected_ = true;
  up_since_ = std::chrono::steady_clock::now();
  health_.connects += 1;
  health_.refused = false;
  set_health(MqttHealth::Link::kConnected, options_.url + ": connected");
  changed_.notify_all();
}

void PahoClient::failed(const mqtt::token& token, const std::string& what) {
  const std::scoped_lock lock(mutex_);
  if (!is_current(token)) return;
  answered_ = token.get_return_code() > 0;  // Of a CONNACK; Paho's own are negative.
  down(what + reason_of(token));
}

void PahoClient::broken(const std::string& reason) {
  const std::scoped_lock lock(mutex_);
  // Before the broker has answered the attempt fails by its own listener: this is about the one before.
  if (stage_ != Stage::kConnecting) down(reason);
}

void PahoClient::down(std::string reason) {
  if (stage_ == Stage::kDown) return;  // A broker's goodbye is followed by the loss; the first reason counts.
  reason_ = std::move(reason);
  if (stage_ == Stage::kUp && want_ == Want::kRun) {
    suspect_twin();
    health_.losses += 1;
    health_.last_loss = options_.url + ": " + reason_;
  }
  stage_ = Stage::kDown;
  changed_.notify_all();
}

/// A broker that gives the session to another client with our name says so in MQTT 5 at best, and
/// mosquitto 2.0 not even there: it closes the connection.
void PahoClient::suspect_twin() {
  if (refused_) {
    reason_ = "cut by us: a message could not be stored";
    short_lives_ = 0;
    return;
  }
  const bool soon = std::chrono::steady_clock::now() - up_since_ < kShortLife;
  short_lives_ = soon && reason_ == kConnectionLost ? short_lives_ + 1 : 0;
  if (short_lives_ < kSuspectLives) return;
  reason_ += fmt::format(
      " soon after it was made, {} times in a row: if another client connects as '{}', give each of the "
      "two a 'client-id' of its own",
      short_lives_, options_.client_id);
}

void PahoClient::receive(const mqtt::message& message) {
  Receipt receipt = Receipt::kRefused;
  try {
    const auto& paho = message.c_struct();
    const MqttMessage view{
        .topic = message.get_topic(),
        .payload = {static_cast<const char*>(paho.payload), static_cast<std::size_t>(paho.payloadlen)},
        .qos = paho.qos,
        .retained = paho.retained != 0,
        .duplicate = paho.dup != 0,
        .packet_id = static_cast<std::uint16_t>(paho.qos > 0 ? paho.msgid : 0)};
    receipt = events_.on_message(view);
  } catch (...) {
    // Refused: it comes again.
  }
  if (receipt != Receipt::kRefused) return;
  {
    // Paho remembers the QoS 2 messages that it has handed over, and would not hand over again one that was
    // refused: a new client knows nothing of them.
    const std::scoped_lock lock(mutex_);
    renew_ = true;
    refused_ = true;
  }
  if (socket_.found())
    socket_.cut();
  else
    events_.on_unrefused();
}

Status PahoClient::publish(const MqttPublication& message, Done done) {
  auto owned = std::make_unique<Done>(std::move(done));
  Done* const request = owned.get();
  std::shared_ptr<mqtt::async_client> client;
  {
    const std::scoped_lock lock(mutex_);
    client = client_;
    if (!client) return fail(ErrorCode::kUnavailable, options_.url + ": not connected");
    if (const std::size_t bytes = packet_bytes(message, options_.version); bytes > largest_packet_)
      return fail(ErrorCode::kInvalid, fmt::format("a packet of {} bytes, and the broker takes {} at most",
                                                   bytes, largest_packet_));
    publishing_.emplace(request, std::move(owned));
  }
  try {
    client->publish(paho_message(message, options_.version), request, publish_listener_);
    return {};
  } catch (const mqtt::exception& error) {
    const std::scoped_lock lock(mutex_);
    publishing_.erase(request);
    const bool full = error.get_return_code() == MQTTASYNC_MAX_BUFFERED_MESSAGES ||
                      error.get_return_code() == MQTTASYNC_NO_MORE_MSGIDS;
    return fail(full ? ErrorCode::kExhausted : ErrorCode::kUnavailable, error.what());
  }
}

void PahoClient::published(const mqtt::token& token, Status status) {
  std::unique_ptr<Done> done;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = publishing_.find(token.get_user_context());
    if (found == publishing_.end()) return;
    done = std::move(found->second);
    publishing_.erase(found);
  }
  (*done)(std::move(status));
}

}  // namespace

Result<std::unique_ptr<MqttClient>> make_mqtt_client(MqttClientOptions options, MqttEvents& events) {
  LEAT_ASSIGN(std::string url, paho_url(options.url));
  // Formatting trace lines that nobody reads costs Paho a quarter of its time.
  MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
  try {
    return std::make_unique<PahoClient>(std::move(options), std::move(url), events);
  } catch (const mqtt::exception& error) {
    return fail(ErrorCode::kInvalid, options.url + ": " + error.what());
  }
}

Status end_mqtt_session(MqttClientOptions options, Micros patience) {
  LEAT_ASSIGN(const std::string url, paho_url(options.url));
  options.clean_start = CleanStart::kClean;
  options.session_expiry = Micros(0);
  options.connect_timeout = std::min(options.connect_timeout, patience);
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::kUnavailable, options.url + ": " + why);
  };
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(patience);
  try {
    mqtt::async_client client(url, options.client_id, paho_create_options(options));
    mqtt::ssl_options ssl;
    const mqtt::token_ptr connecting = client.connect(paho_connect_options(options, ssl));
    for (const auto pause : kPrompts)
      if (!connecting->wait_for(pause)) paho_company().prompt_another(&client);
    if (!connecting->wait_for(wait)) return refuse("no answer");
    if (!client.disconnect()->wait_for(wait)) return refuse("no answer to the goodbye");
    return {};
  } catch (const mqtt::exception& error) {
    return refuse(paho_reason(error.get_return_code(), error.get_reason_code(), options.client_id));
  }
}

}  // namespace leat::sources
