#include "sources/clients/proxy_tunnel.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "sources/clients/http_client.h"

namespace leat::clients {
namespace {

constexpr std::size_t kLongestHead = 16 << 10;

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Byte by byte: what follows the head is the server's. Empty: the proxy has closed, or does not come to an
/// end.
std::string receive_head(int socket) {
  std::string head;
  char byte = 0;
  while (head.size() < kLongestHead && ::recv(socket, &byte, 1, 0) == 1) {
    head += byte;
    if (head.ends_with("\r\n\r\n")) return head;
  }
  return {};
}

}  // namespace

std::string HttpProxy::authority() const {
  return authority_of(host, port);
}

std::string tunnel_request(const HttpProxy& proxy, const std::string& authority) {
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", authority);
  if (!proxy.user.empty())
    request +=
        fmt::format("Proxy-Authorization: {}\r\n", basic_authorization(proxy.user, proxy.password.reveal()));
  return request + "\r\n";
}

Status read_tunnel_answer(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  const std::size_t space = line.find(' ');
  int status = 0;
  if (line.starts_with("HTTP/1.") && space != std::string_view::npos)
    std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  if (status >= 200 && status < 300) return {};
  if (status == 0) return fail(ErrorCode::kUnavailable, "it answered with what is no HTTP");
  std::string shown(line.substr(space + 1, 100));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  const bool refused = status == 401 || status == 403 || status == 407;
  return fail(refused ? ErrorCode::kInvalid : ErrorCode::kUnavailable, fmt::format("it answered {}", shown));
}

Status open_tunnel(int socket, const HttpProxy& proxy, const std::string& authority) {
  if (!send_all(socket, tunnel_request(proxy, authority)))
    return fail(ErrorCode::kUnavailable, "the connection broke while it was asked for a way");
  const std::string head = receive_head(socket);
  if (head.empty()) return fail(ErrorCode::kUnavailable, "the connection broke before its answer was whole");
  return read_tunnel_answer(head);
}

}  // namespace leat::clients
