// A broker of MQTT 3.1.1 and 5 that does with each publication what the test says: what no real one can be
// brought to do at will. It knows no subscriptions.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace leat::contract {

class ScriptedBroker {
 public:
  struct Publication {
    int connection = 0;  ///< From 1.
    std::string topic;
    std::string payload;
    bool retained = false;
  };
  /// A reason code of MQTT 5 (3.1.1 has none: it is acknowledged), or:
  static constexpr int kTake = 0;
  static constexpr int kSayNothing = -1;
  static constexpr int kHangUp = -2;
  using Script = std::function<int(const Publication&)>;
  /// How a connection has ended: the reason code of the client's DISCONNECT (3.1.1: 0), or:
  static constexpr int kWithoutGoodbye = -1;

  /// `script` is called on threads of the broker, one call at a time.
  explicit ScriptedBroker(Script script);
  ~ScriptedBroker();
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  [[nodiscard]] std::string url() const;
  [[nodiscard]] int connects() const { return connects_; }
  [[nodiscard]] std::vector<Publication> publications() const;
  /// Those that the client has ended, in their order.
  [[nodiscard]] std::vector<int> ends() const;
  /// Payloads that were taken, in their order, repeats too.
  [[nodiscard]] std::vector<std::string> taken() const;

 private:
  void accept();
  void serve(int client);
  /// False: hang up.
  bool publish(int client, int connection, bool is_v5, std::uint8_t flags, const std::string& body);
  void ended(int how);

  const Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connects_{0};
  mutable std::mutex mutex_;
  std::vector<Publication> publications_;
  std::vector<std::string> taken_;
  std::vector<int> ends_;
  std::vector<int> clients_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace leat::contract
