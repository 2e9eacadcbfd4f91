#include "tests/contract/sinks/mqtt_harness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace leat::contract {

using namespace leat::sinks;

namespace {

constexpr const char* kMarkers = "contract/marker";

/// "topic|leat-gateway:gw1 leat-record:…|retained|qos|payload"
SeenPublication read_line(const std::string& line) {
  std::istringstream parts(line);
  SeenPublication seen;
  std::string properties;
  std::string retained;
  std::string qos;
  std::getline(parts, seen.topic, '|');
  std::getline(parts, properties, '|');
  std::getline(parts, retained, '|');
  std::getline(parts, qos, '|');
  std::getline(parts, seen.payload);
  std::istringstream words(properties);
  const std::string name = "leat-record:";
  for (std::string word; words >> word;)
    if (word.starts_with(name)) seen.record = word.substr(name.size());
  seen.retained = retained == "1";
  seen.qos = qos.empty() ? -1 : std::stoi(qos);
  return seen;
}

/// At most `count` of them.
std::string last_lines(const std::string& text, int count) {
  std::size_t at = text.size();
  for (int line = 0; line <= count && at != std::string::npos && at > 0; ++line)
    at = text.rfind('\n', at - 1);
  return at == std::string::npos ? text : text.substr(at);
}

}  // namespace

MqttHarness::MqttHarness() {
  folder_.write("acl", "topic readwrite contract/#\n");
  broker_ = std::make_unique<test::MosquittoServer>(
      test::MosquittoServer::Options{.extra_lines = {"acl_file " + folder_.file("acl")}});
  REQUIRE(broker_->start());
  subscribe();
}

void MqttHarness::subscribe() {
  const std::string command = "exec mosquitto_sub -V 5 -p " + std::to_string(broker_->port()) +
                              " -c -i witness -q 2 -x 3600 -t 'contract/#' -F '%t|%P|%r|%q|%p' >>" +
                              folder_.file("seen");
  subscriber_ = std::make_unique<ExternalProcess>(std::vector<std::string>{"sh", "-c", command});
  wait_for_subscriber();
}

/// mosquitto 2.0 keeps nothing for a session that it has read from its file as long as the client is away, if
/// there is an acl_file: what it may read is known only when it connects.
void MqttHarness::wait_for_subscriber() {
  ++subscriptions_;
  REQUIRE(eventually([&] { return broker_->times_logged("Sending SUBACK to witness") >= subscriptions_; }));
}

std::unique_ptr<Sink> MqttHarness::build_with(const OptionMap& more) {
  OptionMap options = more;
  options.emplace("url", broker_->url());
  options.emplace("topic", "contract/up");
  options.emplace("reconnect.min-delay", "50 ms");
  options.emplace("reconnect.max-delay", "500 ms");
  return build_sink("mqtt", options);
}

std::unique_ptr<Sink> MqttHarness::build_for_nobody() {
  return build_with({{"url", "mqtt://127.0.0.1:1"}});
}

std::unique_ptr<Sink> MqttHarness::build_unwelcome() {
  return build_with({{"topic", "forbidden/up"}});
}

void MqttHarness::go_away() {
  seen();  // The subscriber's acknowledgements are with the broker.
  broker_->stop();
  away_ = true;
}

void MqttHarness::come_back() {
  REQUIRE(broker_->start());
  wait_for_subscriber();
  away_ = false;
}

std::vector<SeenPublication> MqttHarness::read() const {
  std::istringstream lines(folder_.read("seen"));
  std::vector<SeenPublication> all;
  for (std::string line; std::getline(lines, line);) all.push_back(read_line(line));
  return all;
}

std::vector<SeenPublication> MqttHarness::seen() {
  if (!away_) {
    const std::string marker = std::to_string(++markers_);
    REQUIRE(broker_->publish(kMarkers, {marker}, 1));
    INFO(last_lines(broker_->log(), 40));
    REQUIRE(eventually([&] {
      const auto all = read();
      return std::any_of(all.begin(), all.end(), [&](const SeenPublication& each) {
        return each.topic == kMarkers && each.payload == marker;
      });
    }));
  }
  auto all = read();
  std::erase_if(all, [](const SeenPublication& each) { return each.topic == kMarkers; });
  return all;
}

Payloads MqttHarness::arrived() {
  std::set<std::string> records;
  Payloads payloads;
  for (const SeenPublication& each : seen())
    if (records.insert(each.record).second) payloads.push_back(each.payload);
  return payloads;
}

}  // namespace leat::contract
