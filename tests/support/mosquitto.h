// A real mosquitto on a free loopback port, with everything it keeps in a temporary folder: to be started,
// stopped, killed, and started again with or without what it had persisted.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace leat::test {

class MosquittoServer {
 public:
  struct Options {
    /// "persistence true" keeps sessions over `stop` and `start` (not over `kill`: mosquitto writes its file
    /// when it ends).
    bool persistence = true;
    std::vector<std::string> extra_lines;  ///< Of the configuration.
  };

  /// Does not start it: `port()` and `url()` are known already, and nothing listens there yet.
  MosquittoServer() : MosquittoServer(Options{}) {}
  explicit MosquittoServer(Options options);
  MosquittoServer(const MosquittoServer&) = delete;
  MosquittoServer& operator=(const MosquittoServer&) = delete;
  ~MosquittoServer();

  /// False if this machine has no mosquitto: tests that need one say so and pass.
  static bool available();

  /// Returns when it accepts connections, which may be at once; while another process has its port, it is
  /// started again. False: it did not within the deadline.
  bool start();
  void stop();  ///< SIGTERM: it writes its persistence file.
  void kill();  ///< SIGKILL.
  /// Freezes the process (SIGSTOP), or lets it go on: a broker that is there and does not answer.
  void freeze();
  void thaw();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;
  /// What the broker has logged so far.
  [[nodiscard]] std::string log() const { return folder_.read("mosquitto.log"); }

  [[nodiscard]] std::size_t times_logged(std::string_view word) const;

  /// Publishes by a connection of its own (a socket and no library, which would share locks with the client
  /// under test) and returns when the broker has acknowledged everything. False: it did not.
  bool publish(const std::string& topic, const std::vector<std::string>& payloads, int qos,
               bool retained = false) const;

 private:
  void launch();
  [[nodiscard]] bool ended() const;
  void end(int signal);

  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace leat::test
