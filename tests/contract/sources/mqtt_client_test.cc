// The MQTT client that sources and sinks share, against a real broker: publishing, the will, TLS.
#include "sources/clients/mqtt_client.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/support/mosquitto.h"

namespace leat::sources {
namespace {

using test::eventually;

/// A connected client that keeps what it receives.
class Peer final : public MqttEvents {
 public:
  Peer(const std::string& url, const std::string& id) {
    options.url = url;
    options.client_id = id;
    options.clean_start = CleanStart::kClean;
    options.backoff_min = Micros(10'000);
    options.backoff_max = Micros(100'000);
  }
  ~Peer() override {
    if (client) client->stop();
  }
  void start() {
    auto made = make_mqtt_client(options, *this);
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
    client = *std::move(made);
    client->start();
    CHECK(client->health().link != MqttHealth::Link::kIdle);
  }
  bool connected() {
    return eventually([&] { return client->health().link == MqttHealth::Link::kConnected; });
  }
  bool received(const std::string& message) {
    return eventually([&] {
      const std::scoped_lock lock(mutex_);
      return std::find(messages_.begin(), messages_.end(), message) != messages_.end();
    });
  }
  Receipt on_message(const MqttMessage& message) override {
    const std::scoped_lock lock(mutex_);
    messages_.push_back(std::string(message.topic) + "=" + std::string(message.payload));
    return refuses ? Receipt::kRefused : Receipt::kTaken;
  }

  MqttClientOptions options;
  std::unique_ptr<MqttClient> client;
  std::atomic<bool> refuses{false};

 private:
  std::mutex mutex_;
  std::vector<std::string> messages_;
};

/// A broker, and who hears each will there.
struct WillWorld {
  WillWorld() {
    REQUIRE(broker.start());
    witness.options.subscriptions = {{"will/+"}};
    witness.start();
    REQUIRE(witness.connected());
  }

  test::MosquittoServer broker;
  Peer witness{broker.url(), "witness"};
};

TEST_CASE("a connection is made at once beside one that is quiet, and so is the end of a session") {
  test::MosquittoServer broker;
  REQUIRE(broker.start());
  Peer quiet(broker.url(), "quiet");
  quiet.options.subscriptions = {{"a/+"}};
  quiet.start();
  REQUIRE(quiet.connected());
  // Paho's thread would see it two rounds of a second later.
  const auto begin = std::chrono::steady_clock::now();
  Peer second(broker.url(), "second");
  second.start();
  REQUIRE(second.connected());
  MqttClientOptions third = second.options;
  third.client_id = "third";
  CHECK(end_mqtt_session(third, Micros(5'000'000)));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(1'900));
  CHECK(quiet.client->health().losses == 0);
}

TEST_CASE("a published message is acknowledged once and arrives") {
  test::MosquittoServer broker;
  REQUIRE(broker.start());
  Peer peer(broker.url(), "peer");
  peer.options.subscriptions = {{"a/+"}};
  peer.start();
  REQUIRE(peer.connected());
  std::atomic<int> done{0};
  REQUIRE(
      peer.client
          ->publish({.topic = "a/b", .payload = "hello"}, [&](Status status) { done += status ? 1 : 100; })
          .has_value());
  CHECK(peer.received("a/b=hello"));
  CHECK(eventually([&] { return done == 1; }));
}

TEST_CASE("publishing without a connection is unavailable") {
  test::MosquittoServer broker;
  Peer peer(broker.url(), "peer");
  peer.start();
  const Status published = peer.client->publish({.topic = "a", .payload = "b"}, [](Status) {});
  REQUIRE(!published.has_value());
  CHECK(published.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("the broker publishes the will of a client whose connection is cut, not of one that says goodbye") {
  WillWorld world;
  test::MosquittoServer& broker = world.broker;
  Peer& witness = world.witness;
  Peer leaving(broker.url(), "leaving");
  leaving.options.will = MqttWill{.topic = "will/leaving", .payload = "gone"};
  leaving.start();
  REQUIRE(leaving.connected());
  leaving.client->stop();
  Peer cut(broker.url(), "cut");
  cut.options.will = MqttWill{.topic = "will/cut", .payload = "gone"};
  cut.options.subscriptions = {{"poison"}};
  cut.refuses = true;
  cut.start();
  REQUIRE(cut.connected());
  REQUIRE(broker.publish("poison", {"x"}, 1));
  CHECK(witness.received("will/cut=gone"));
  REQUIRE(broker.publish("will/last", {"x"}, 1));
  REQUIRE(witness.received("will/last=x"));
  CHECK(broker.log().find("'will/leaving'") == std::string::npos);
}

TEST_CASE("the broker publishes the will of a connection that makes room for another, or that leaves it") {
  for (const MqttVersion version : {MqttVersion::k5, MqttVersion::k311}) {
    WillWorld world;
    test::MosquittoServer& broker = world.broker;
    Peer& witness = world.witness;
    Peer leaving(broker.url(), "leaving");
    leaving.options.version = version;
    leaving.options.will = MqttWill{.topic = "will/next", .payload = "gone"};
    int connects = 0;
    leaving.options.will_payload = [&connects] { return "gone " + std::to_string(++connects); };
    leaving.start();
    REQUIRE(leaving.connected());
    leaving.client->reconnect();
    CHECK(witness.received("will/next=gone 1"));
    REQUIRE(eventually([&] { return leaving.client->health().connects == 2; }));
    CHECK(leaving.client->health().losses == 0);
    leaving.client->leave_will();
    leaving.client->stop();
    CHECK(witness.received("will/next=gone 2"));
  }
}

MqttClientOptions keeper_options(const std::string& url) {
  MqttClientOptions options{.url = url, .client_id = "keeper", .receive_maximum = 64};
  options.backoff_min = Micros(10'000);
  options.backoff_max = Micros(10'000);
  options.subscriptions = {{"k/+"}};
  return options;
}

/// A client of a session that is kept. It refuses one message, once.
class Keeper final : public MqttEvents {
 public:
  explicit Keeper(const std::string& url, std::string refused = "") : refused_(std::move(refused)) {
    auto made = make_mqtt_client(keeper_options(url), *this);
    REQUIRE(made.has_value());
    client = *std::move(made);
    client->start();
    REQUIRE(eventually([&] { return client->health().link == MqttHealth::Link::kConnected; }));
  }
  ~Keeper() override { client->stop(); }

  Receipt on_message(const MqttMessage& message) override {
    const std::scoped_lock lock(mutex_);
    const std::string payload(message.payload);
    ++taken_[payload];
    last_ = std::stoi(payload);
    if (payload != refused_) return Receipt::kTaken;
    refused_.clear();
    --taken_[payload];
    waits_for_connection_ = true;
    return Receipt::kRefused;
  }
  void on_connected(SessionPresent) override {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(waits_for_connection_, false)) behind_refused = last_;
  }
  std::size_t distinct() const {
    const std::scoped_lock lock(mutex_);
    return taken_.size();
  }

  std::unique_ptr<MqttClient> client;
  int behind_refused = 0;  ///< The last message that was handed over before the connection that follows.

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> taken_;
  std::string refused_;
  int last_ = 0;
  bool waits_for_connection_ = false;
};

std::vector<std::string> numbers_to(int last) {
  std::vector<std::string> numbers;
  for (int number = 1; number <= last; ++number) numbers.push_back(std::to_string(number));
  return numbers;
}

TEST_CASE("behind a message that was refused nothing is handed over before it comes again") {
  test::MosquittoServer broker;
  REQUIRE(broker.start());
  Keeper keeper(broker.url(), "700");
  REQUIRE(broker.publish("k/a", numbers_to(3'000), 1));
  CHECK(eventually([&] { return keeper.distinct() == 3'000; }));
  CHECK(keeper.behind_refused == 700);
}

/// A client of a session with a backlog that is stopped at some moment.
class Passer final : public MqttEvents {
 public:
  Receipt on_message(const MqttMessage&) override {
    taken += 1;
    early += connected ? 0 : 1;
    return Receipt::kTaken;
  }
  void on_connected(SessionPresent) override { connected = true; }

  std::atomic<bool> connected{false};
  std::atomic<int> taken{0};
  std::atomic<int> early{0};
};

TEST_CASE(
    "a client that is stopped while it connects gives no message before it has told of the connection") {
  test::MosquittoServer broker;
  REQUIRE(broker.start());
  { const Keeper keeper(broker.url()); }
  REQUIRE(broker.publish("k/a", numbers_to(30'000), 1));
  int stopped_in_time = 0;
  for (int moment = 0; moment < 200; ++moment) {
    Passer passer;
    auto client = make_mqtt_client(keeper_options(broker.url()), passer);
    REQUIRE(client.has_value());
    (*client)->start();
    std::this_thread::sleep_for(std::chrono::microseconds(moment * 300));  // Any moment of the connecting.
    (*client)->stop();
    CHECK(passer.early == 0);
    stopped_in_time += passer.taken == 0 ? 1 : 0;
  }
  CHECK(stopped_in_time > 0);
  Passer last;
  auto client = make_mqtt_client(keeper_options(broker.url()), last);
  (*client)->start();
  CHECK(eventually([&] { return last.taken > 0; }));
  (*client)->stop();
}

/// A certificate for 127.0.0.1 that signs itself; made by openssl's program.
struct Certificate {
  Certificate() {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout " +
        key() + " -out " + file() + " >/dev/null 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);
  }
  [[nodiscard]] std::string file() const { return folder.file("certificate.pem"); }
  [[nodiscard]] std::string key() const { return folder.file("key.pem"); }
  test::TemporaryFolder folder;
};

TEST_CASE("over TLS a trusted broker is taken, an unknown one is not, unless nothing is checked") {
  const Certificate ours;
  const Certificate other;
  test::MosquittoServer broker({.extra_lines = {"certfile " + ours.file(), "keyfile " + ours.key()}});
  REQUIRE(broker.start());
  const std::string url = "mqtts://127.0.0.1:" + std::to_string(broker.port());
  Peer trusting(url, "trusting");
  trusting.options.tls = MqttTls{.ca_file = ours.file()};
  trusting.start();
  CHECK(trusting.connected());
  Peer doubting(url, "doubting");
  doubting.options.tls = MqttTls{.ca_file = other.file()};
  doubting.start();
  CHECK(eventually([&] { return doubting.client->health().link == MqttHealth::Link::kLost; }));
  Peer careless(url, "careless");
  careless.options.tls = MqttTls{.ca_file = other.file(), .peer = PeerCheck::kAcceptAnything};
  careless.start();
  CHECK(careless.connected());
}

TEST_CASE("a client certificate opens a broker that asks for one") {
  const Certificate server;
  const Certificate client;
  test::MosquittoServer broker({.extra_lines = {"certfile " + server.file(), "keyfile " + server.key(),
                                                "cafile " + client.file(), "require_certificate true"}});
  REQUIRE(broker.start());
  Peer peer("mqtts://127.0.0.1:" + std::to_string(broker.port()), "peer");
  peer.options.tls =
      MqttTls{.ca_file = server.file(), .certificate_file = client.file(), .key_file = client.key()};
  peer.start();
  CHECK(peer.connected());
}

}  // namespace
}  // namespace leat::sources
