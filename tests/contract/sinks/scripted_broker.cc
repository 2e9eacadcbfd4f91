#include "tests/contract/sinks/scripted_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <utility>

namespace leat::contract {
namespace {

enum Kind : std::uint8_t { kConnect = 1, kPublish = 3, kUnsubscribe = 10, kPing = 12, kDisconnect = 14 };

struct Packet {
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
  std::string body;
};

std::optional<std::string> read_bytes(int client, std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = ::recv(client, bytes.data() + have, count - have, 0);
    if (got <= 0) return std::nullopt;
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::optional<Packet> read_packet(int client) {
  const auto first = read_bytes(client, 1);
  if (!first) return std::nullopt;
  std::size_t length = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = read_bytes(client, 1);
    if (!byte) return std::nullopt;
    length |= static_cast<std::size_t>((*byte)[0] & 0x7F) << shift;
    if (((*byte)[0] & 0x80) == 0) break;
  }
  auto body = read_bytes(client, length);
  if (!body) return std::nullopt;
  const auto head = static_cast<std::uint8_t>((*first)[0]);
  return Packet{static_cast<std::uint8_t>(head >> 4), static_cast<std::uint8_t>(head & 0x0F),
                *std::move(body)};
}

void send_bytes(int client, const std::string& bytes) {
  (void)::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

/// Reads on until the client leaves: what comes to a socket that is closed already is answered with a reset,
/// which takes acknowledgements along that the client has not read yet.
void hang_up(int client) {
  ::shutdown(client, SHUT_WR);
  while (read_bytes(client, 1)) continue;
}

/// Reads a length of properties at `at` and steps behind them.
void skip_properties(const std::string& body, std::size_t& at) {
  std::size_t length = 0;
  for (int shift = 0;; shift += 7) {
    const char byte = body[at++];
    length |= static_cast<std::size_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) break;
  }
  at += length;
}

}  // namespace

ScriptedBroker::ScriptedBroker(Script script) : script_(std::move(script)) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error("cannot listen");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

ScriptedBroker::~ScriptedBroker() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (const int client : clients_) ::shutdown(client, SHUT_RDWR);
  for (std::thread& thread : threads_) thread.join();
  for (const int client : clients_) ::close(client);
  ::close(listener_);
}

std::string ScriptedBroker::url() const {
  return "mqtt://127.0.0.1:" + std::to_string(port_);
}

std::vector<ScriptedBroker::Publication> ScriptedBroker::publications() const {
  const std::scoped_lock lock(mutex_);
  return publications_;
}

std::vector<std::string> ScriptedBroker::taken() const {
  const std::scoped_lock lock(mutex_);
  return taken_;
}

std::vector<int> ScriptedBroker::ends() const {
  const std::scoped_lock lock(mutex_);
  return ends_;
}

void ScriptedBroker::accept() {
  for (;;) {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    clients_.push_back(client);
    threads_.emplace_back([this, client] { serve(client); });
  }
}

void ScriptedBroker::ended(int how) {
  const std::scoped_lock lock(mutex_);
  ends_.push_back(how);
}

void ScriptedBroker::serve(int client) {
  using namespace std::string_literals;
  bool is_v5 = false;
  int connection = 0;
  while (const auto packet = read_packet(client)) {
    switch (packet->kind) {
      case kConnect:
        is_v5 = packet->body.at(6) == 5;
        connection = ++connects_;
        send_bytes(client, is_v5 ? "\x20\x03\x00\x00\x00"s : "\x20\x02\x00\x00"s);
        break;
      case kPublish:
        if (publish(client, connection, is_v5, packet->flags, packet->body)) break;
        hang_up(client);
        return;
      case kUnsubscribe:
        send_bytes(client, (is_v5 ? "\xB0\x04"s : "\xB0\x02"s) + packet->body.substr(0, 2) +
                               (is_v5 ? "\x00\x11"s : ""s));
        break;
      case kPing:
        send_bytes(client, "\xD0\x00"s);
        break;
      case kDisconnect:
        ended(packet->body.empty() ? 0 : static_cast<std::uint8_t>(packet->body[0]));
        ::shutdown(client, SHUT_RDWR);
        return;
      default:
        break;
    }
  }
  ended(kWithoutGoodbye);
}

bool ScriptedBroker::publish(int client, int connection, bool is_v5, std::uint8_t flags,
                             const std::string& body) {
  const std::size_t length = static_cast<std::uint8_t>(body[0]) * 256U + static_cast<std::uint8_t>(body[1]);
  Publication seen{.connection = connection, .topic = body.substr(2, length), .retained = (flags & 1) != 0};
  std::size_t at = 2 + length;
  const std::string id = (flags & 6) != 0 ? body.substr(at, 2) : std::string();
  at += id.size();
  if (is_v5) skip_properties(body, at);
  seen.payload = body.substr(at);
  const std::scoped_lock lock(mutex_);
  publications_.push_back(seen);
  const int answer = script_(seen);
  if (answer == kTake) taken_.push_back(seen.payload);
  if (answer == kHangUp) return false;
  if (answer == kSayNothing || id.empty()) return true;
  const bool plain = answer == kTake || !is_v5;
  send_bytes(client, (plain ? std::string("\x40\x02") : std::string("\x40\x03")) + id +
                         (plain ? std::string() : std::string(1, static_cast<char>(answer))));
  return true;
}

}  // namespace leat::contract
