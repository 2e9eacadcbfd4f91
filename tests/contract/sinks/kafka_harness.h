// The kafka sink and one topic of the broker.
#pragma once

#include <atomic>
#include <set>
#include <string>
#include <utility>

#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/kafka_broker.h"

namespace leat::contract {

class KafkaHarness final : public RemoteHarness {
 public:
  KafkaHarness() { broker_.create_topic(topic_); }

  std::unique_ptr<sinks::Sink> build() override { return build_with({}); }

  std::unique_ptr<sinks::Sink> build_with(const OptionMap& more,
                                          const sinks::SinkContext& context = test_context()) {
    OptionMap options = more;
    options.emplace("topic", topic_);
    options.emplace("properties.bootstrap.servers", broker_.address());
    options.emplace("properties.message.timeout.ms", "2000");
    options.emplace("properties.reconnect.backoff.max.ms", "500");
    options.emplace("properties.topic.metadata.propagation.max.ms", "1000");
    return build_sink("kafka", options, context);
  }

  std::unique_ptr<sinks::Sink> build_for_nobody() override {
    return build_with({{"properties.bootstrap.servers", "127.0.0.1:1"}});
  }
  std::unique_ptr<sinks::Sink> build_unwelcome() override {
    return build_with({{"topic", topic_ + ".not-there"}});
  }
  void go_away() override { broker_.go_away(); }
  void come_back() override { broker_.come_back(); }

  Payloads arrived() override {
    std::set<std::pair<std::string, std::string>> seen;
    Payloads all;
    for (const SeenMessage& message : messages())
      if (seen.emplace(message.shipment, message.payload).second) all.push_back(message.payload);
    return all;
  }

  [[nodiscard]] std::vector<SeenMessage> messages() const { return broker_.messages(topic_); }
  [[nodiscard]] bool real() const { return broker_.real(); }
  [[nodiscard]] const std::string& topic() const { return topic_; }
  [[nodiscard]] KafkaBroker& broker() { return broker_; }

 private:
  static std::string next_topic() {
    static std::atomic<int> count = 0;
    return "contract-" + std::to_string(++count);
  }

  KafkaBroker& broker_ = KafkaBroker::the_one();
  std::string topic_ = next_topic();
};

}  // namespace leat::contract
