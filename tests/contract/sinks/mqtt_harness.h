// The mqtt sink, a real mosquitto, and a subscriber of another make: mosquitto_sub, whose session the broker
// keeps while one of the two is away.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/contract/sinks/external_process.h"
#include "tests/contract/sinks/harness.h"
#include "tests/support/mosquitto.h"
#include "tests/support/temporary_folder.h"

namespace leat::contract {

struct SeenPublication {
  std::string topic;
  std::string record;  ///< The user property leat-record.
  std::string payload;
  bool retained = false;
  int qos = 0;
};

class MqttHarness final : public RemoteHarness {
 public:
  MqttHarness();

  std::unique_ptr<sinks::Sink> build() override { return build_with({}); }
  std::unique_ptr<sinks::Sink> build_with(const OptionMap& more);
  std::unique_ptr<sinks::Sink> build_for_nobody() override;
  /// To a topic that the broker lets nobody publish to.
  std::unique_ptr<sinks::Sink> build_unwelcome() override;
  void go_away() override;
  void come_back() override;
  Payloads arrived() override;

  /// All that the subscriber has got so far, repeated ones too; waits for what the broker has already.
  std::vector<SeenPublication> seen();
  test::MosquittoServer& broker() { return *broker_; }

 private:
  void subscribe();
  void wait_for_subscriber();
  [[nodiscard]] std::vector<SeenPublication> read() const;

  test::TemporaryFolder folder_;
  std::unique_ptr<test::MosquittoServer> broker_;
  std::unique_ptr<ExternalProcess> subscriber_;
  int markers_ = 0;
  std::size_t subscriptions_ = 0;
  bool away_ = false;
};

}  // namespace leat::contract
