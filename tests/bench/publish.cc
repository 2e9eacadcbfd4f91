// leat_bench_publish HOST:PORT QOS RATE FILE: publishes every line of a file as one MQTT message, over a bare
// socket, so that the publisher takes little of the machine. Lines go to 100 topics in turn. RATE is messages
// per second, 0: as fast as the broker takes them. Prints the number of messages when the broker has them all
// (QoS 1: acknowledged).
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace {

constexpr std::size_t kTopics = 100;
constexpr std::uint64_t kWindow = 5'000;  // Unacknowledged QoS 1 messages.
constexpr std::size_t kFlushBytes = 16 * 1024;
constexpr std::uint8_t kPubAck = 0x40;

void append_remaining_length(std::string& out, std::size_t length) {
  do {
    auto byte = static_cast<std::uint8_t>(length % 128);
    length /= 128;
    if (length > 0) byte |= 0x80;
    out.push_back(static_cast<char>(byte));
  } while (length > 0);
}

void append_u16(std::string& out, std::size_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xFF));
}

class Publisher {
 public:
  Publisher(const std::string& host, std::uint16_t port, int qos) : qos_(qos) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    good_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && greet();
  }
  ~Publisher() { ::close(socket_); }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

  void publish(std::string_view payload) {
    const std::string topic = fmt::format("bench/{:02}", sent_ % kTopics);
    out_.push_back(static_cast<char>(0x30 | (qos_ << 1)));
    append_remaining_length(out_, 2 + topic.size() + (qos_ > 0 ? 2U : 0U) + payload.size());
    append_u16(out_, topic.size());
    out_ += topic;
    if (qos_ > 0) append_u16(out_, static_cast<std::size_t>(sent_ % 65'535 + 1));
    out_ += payload;
    ++sent_;
    if (out_.size() >= kFlushBytes) flush();
  }

  void flush() {
    for (std::size_t done = 0; done < out_.size() && good_;) {
      const ssize_t wrote = ::write(socket_, out_.data() + done, out_.size() - done);
      good_ = wrote > 0;
      done += static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
    }
    out_.clear();
    while (good_ && qos_ > 0 && sent_ - acked_ > kWindow) read_acks();
  }

  bool finish() {
    flush();
    while (good_ && qos_ > 0 && acked_ < sent_) read_acks();
    const std::array<char, 2> bye{static_cast<char>(0xE0), 0};
    return good_ && ::write(socket_, bye.data(), bye.size()) == 2;
  }

 private:
  bool greet() {
    const std::string id = fmt::format("bench-{}", ::getpid());
    std::string packet("\x10", 1);
    append_remaining_length(packet, 12 + id.size());
    packet +=
        std::string("\x00\x04MQTT\x04\x02\x00\x00", 10);  // Version 3.1.1, clean session, no keep-alive.
    append_u16(packet, id.size());
    packet += id;
    std::array<char, 4> answer{};
    return ::write(socket_, packet.data(), packet.size()) == static_cast<ssize_t>(packet.size()) &&
           ::recv(socket_, answer.data(), answer.size(), MSG_WAITALL) == 4 && answer[3] == 0;
  }

  /// Every answer of the broker is a PUBACK of four bytes.
  void read_acks() {
    std::array<char, 16 * 1024> bytes{};
    const ssize_t got = ::read(socket_, bytes.data(), bytes.size());
    good_ = got > 0 && (rest_ > 0 || static_cast<std::uint8_t>(bytes[0]) == kPubAck);
    rest_ += static_cast<std::uint64_t>(std::max<ssize_t>(got, 0));
    acked_ += rest_ / 4;
    rest_ %= 4;
  }

  const int qos_;
  int socket_ = -1;
  bool good_ = false;
  std::string out_;
  std::uint64_t sent_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t rest_ = 0;  // Bytes of an acknowledgement that is not complete yet.
};

/// Keeps to `rate` messages a second on the whole.
void pace(std::chrono::steady_clock::time_point begin, std::uint64_t sent, double rate) {
  const auto due = begin + std::chrono::duration<double>(static_cast<double>(sent) / rate);
  std::this_thread::sleep_until(due);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string address = argc > 4 ? argv[1] : "";
  const std::size_t colon = address.find(':');
  std::ifstream file(argc > 4 ? argv[4] : "");
  if (colon == std::string::npos || !file) {
    fmt::print(stderr, "usage: leat_bench_publish HOST:PORT QOS RATE FILE\n");
    return 2;
  }
  const double rate = std::atof(argv[3]);
  Publisher publisher(address.substr(0, colon),
                      static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)), std::atoi(argv[2]));
  const auto begin = std::chrono::steady_clock::now();
  std::string line;
  constexpr std::uint64_t kPaceEvery = 100;
  while (publisher.good() && std::getline(file, line)) {
    publisher.publish(line);
    if (rate <= 0 || publisher.sent() % kPaceEvery != 0) continue;
    publisher.flush();
    pace(begin, publisher.sent(), rate);
  }
  if (!publisher.finish()) {
    fmt::print(stderr, "leat_bench_publish: the broker at {} cannot be reached or closed the connection\n",
               address);
    return 1;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("{} {:.3f}\n", publisher.sent(), seconds);
  return 0;
}
