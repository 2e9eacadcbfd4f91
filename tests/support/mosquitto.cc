#include "tests/support/mosquitto.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "tests/support/eventually.h"

namespace leat::test {
namespace {

constexpr const char* kPrograms[] = {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto",
                                     "/usr/bin/mosquitto"};

const char* program() {
  for (const char* path : kPrograms)
    if (::access(path, X_OK) == 0) return path;
  return nullptr;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A port that was free a moment ago. mosquitto does not tell which one it has taken, so 0 is of no use.
std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  ::bind(probe, reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(probe);
  return ntohs(address.sin_port);
}

bool accepts(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  const bool accepted = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(probe);
  return accepted;
}

/// The few packets of MQTT 3.1.1 that a publisher needs (OASIS standard, sections 3.1 to 3.14).
class Publisher {
 public:
  explicit Publisher(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in address = loopback(port);
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ok_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() { ::close(socket_); }

  /// CONNECT with a clean session and no client id; CONNACK.
  bool connect() {
    send('\x10', text("MQTT") + std::string("\x04\x02\0\0", 4) + text(""));
    return receive() == '\x20';
  }
  void publish(const std::string& topic, const std::string& payload, int qos, bool retained, std::size_t id) {
    const int flags = 0x30 | qos << 1 | (retained ? 1 : 0);
    send(static_cast<char>(flags), text(topic) + (qos > 0 ? number(id) : "") + payload);
  }
  /// The acknowledgement of one message.
  bool acknowledged(int qos) {
    if (qos == 0) return ok_;
    if (qos == 1) return receive() == '\x40';
    if (receive() != '\x50') return false;
    send('\x62', body_);
    return receive() == '\x70';
  }
  void disconnect() {
    send('\xE0', "");
    char end = 0;
    ::recv(socket_, &end, 1, 0);  // The broker has read everything when it closes.
  }

 private:
  static std::string number(std::size_t value) {
    return {static_cast<char>(value >> 8 & 255), static_cast<char>(value & 255)};
  }
  static std::string text(const std::string& value) { return number(value.size()) + value; }

  void send(char type, const std::string& body) {
    std::string packet(1, type);
    std::size_t length = body.size();
    do {
      packet += static_cast<char>((length & 127) | (length > 127 ? 128 : 0));
      length >>= 7;
    } while (length > 0);
    packet += body;
    for (std::size_t sent = 0; ok_ && sent < packet.size();) {
      const ssize_t n = ::send(socket_, packet.data() + sent, packet.size() - sent, MSG_NOSIGNAL);
      ok_ = n > 0;
      sent += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    }
  }
  /// One packet: all that come to a publisher are shorter than 128 bytes.
  char receive() {
    std::array<char, 2> head{};
    ok_ = ok_ && ::recv(socket_, head.data(), 2, MSG_WAITALL) == 2;
    if (!ok_) return 0;
    body_.resize(static_cast<std::size_t>(head[1]));
    if (!body_.empty())
      ok_ = ::recv(socket_, body_.data(), body_.size(), MSG_WAITALL) == static_cast<ssize_t>(body_.size());
    return ok_ ? head[0] : '\0';
  }

  const int socket_;
  bool ok_ = false;
  std::string body_;
};

}  // namespace

MosquittoServer::MosquittoServer(Options options) : port_(free_port()) {
  // Without these a broker drops on its own what a test counts.
  std::ofstream config(folder_.file("mosquitto.conf"));
  config << "listener " << port_ << " 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
         << "max_inflight_messages 1000\nset_tcp_nodelay true\nlog_type all\n"
         << "log_dest file " << folder_.file("mosquitto.log") << "\nuser root\n";
  if (options.persistence) config << "persistence true\npersistence_location " << folder_.path() << "/\n";
  for (const std::string& line : options.extra_lines) config << line << "\n";
}

MosquittoServer::~MosquittoServer() {
  kill();
}

bool MosquittoServer::available() {
  return program() != nullptr;
}

std::string MosquittoServer::url() const {
  return "mqtt://127.0.0.1:" + std::to_string(port_);
}

bool MosquittoServer::start() {
  if (!ended()) return true;
  // A connection that is accepted does not tell by whom.
  const auto running = [this] { return times_logged(" running\n"); };
  const std::size_t before = running();
  launch();
  return eventually([&] {
    if (ended()) launch();  // Somebody else had the port: whoever answers there now is another broker.
    return running() > before && accepts(port_);
  });
}

std::size_t MosquittoServer::times_logged(std::string_view word) const {
  const std::string logged = log();
  std::size_t times = 0;
  for (std::size_t at = logged.find(word); at != std::string::npos; at = logged.find(word, at + 1)) ++times;
  return times;
}

void MosquittoServer::launch() {
  const std::string config = folder_.file("mosquitto.conf");
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // A test that dies takes its broker along.
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::execl(program(), "mosquitto", "-c", config.c_str(), nullptr);
    ::_exit(127);
  }
}

bool MosquittoServer::ended() const {
  return process_ <= 0 || ::waitpid(process_, nullptr, WNOHANG) == process_;
}

void MosquittoServer::stop() {
  end(SIGTERM);
}
void MosquittoServer::kill() {
  end(SIGKILL);
}

void MosquittoServer::freeze() {
  if (process_ > 0) ::kill(process_, SIGSTOP);
}
void MosquittoServer::thaw() {
  if (process_ > 0) ::kill(process_, SIGCONT);
}

void MosquittoServer::end(int signal) {
  if (process_ <= 0) return;
  ::kill(process_, SIGCONT);
  ::kill(process_, signal);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

bool MosquittoServer::publish(const std::string& topic, const std::vector<std::string>& payloads, int qos,
                              bool retained) const {
  constexpr std::size_t kInFlight = 100;
  Publisher publisher(port_);
  if (!publisher.connect()) return false;
  std::size_t acknowledged = 0;
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    publisher.publish(topic, payloads[i], qos, retained, i % 60'000 + 1);
    if (i + 1 - acknowledged < (qos == 1 ? kInFlight : 1)) continue;
    if (!publisher.acknowledged(qos)) return false;
    ++acknowledged;
  }
  for (; acknowledged < payloads.size(); ++acknowledged)
    if (!publisher.acknowledged(qos)) return false;
  publisher.disconnect();
  return true;
}

}  // namespace leat::test
