#include "sources/listen/http_conversations.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "sources/listen/request_head.h"

namespace leat::listen {
namespace {

constexpr std::size_t kLongestPath = 1024;

Answer no_ranges() {
  return problem(416, "ranges are not served", "leave out the Range header");
}

Answer not_understood(const std::string& detail) {
  return problem(400, "not understood", detail);
}

/// The fields as they came in place of what httplib has made of them.
std::optional<Answer> refuse_head(std::string_view head, httplib::Request& request) {
  const auto fields = read_head(head);
  if (!fields) return not_understood(fields.error().message);
  request.headers.clear();
  for (const auto& [name, value] : *fields) request.headers.emplace(name, value);
  return std::nullopt;
}

bool is_chunked(std::string_view transfer) {
  constexpr std::string_view kChunked = "chunked";
  return std::ranges::equal(transfer, kChunked,
                            [](char given, char small) { return given == small || (given | 0x20) == small; });
}

std::optional<Answer> refuse_framing(const httplib::Request& request, BodyFrame& body) {
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  const std::size_t transfers = request.get_header_value_count("Transfer-Encoding");
  if (lengths + transfers > 1) return not_understood("the request says more than once how long its body is");
  // RFC 9112, 6.1: whoever wrote it does not know what it is.
  if (transfers == 1 && request.version == "HTTP/1.0")
    return not_understood("HTTP/1.0 has no Transfer-Encoding; send a Content-Length");
  if (transfers == 1 && !is_chunked(request.get_header_value("Transfer-Encoding")))
    return not_understood("the only Transfer-Encoding is 'chunked'");
  body = {transfers == 1, transfers == 0 ? std::optional<std::size_t>(0) : std::nullopt};
  if (lengths == 0) return std::nullopt;
  const std::string text = request.get_header_value("Content-Length");
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size())
    return not_understood("the Content-Length is no number");
  body = {size > 0, size};
  return std::nullopt;
}

/// The exchange whose request this thread handles: httplib has no room for it in its own types.
thread_local Exchange* current = nullptr;
thread_local const Peer* current_peer = nullptr;

}  // namespace

HttpConversations::HttpConversations(HttpHandler& handler, ExchangeLimits limits, Events& events)
    : handler_(handler), limits_(std::move(limits)), events_(events) {
  // Whoever asks httplib whether it stops asks for this.
  svr_sock_ = 0;
  set_keep_alive_max_count(1'000'000);
  const auto idle = std::chrono::duration_cast<std::chrono::seconds>(limits_.idle);
  set_keep_alive_timeout(static_cast<time_t>(idle.count()));
  set_payload_max_length(limits_.body_bytes);
  route();
}

void HttpConversations::serve(Wire& wire, const Peer& peer) {
  Exchange exchange(wire, peer, limits_, events_, [this] { return svr_sock_ == INVALID_SOCKET; });
  current = &exchange;
  current_peer = &peer;
  while (svr_sock_ != INVALID_SOCKET && exchange.begin_request()) {
    bool closed = false;
    const auto read_headers = [&](httplib::Request& request) { headers_are_read(exchange, request, peer); };
    const bool done = process_request(exchange, false, closed, read_headers);
    if (!done || closed || !exchange.is_whole()) break;
  }
  exchange.finish();
  current = nullptr;
  current_peer = nullptr;
}

void HttpConversations::route() {
  // One handler for every path and method: it is called once the body is read, so that what is refused
  // leaves no bytes behind that the next request of the connection would begin with.
  // httplib goes on with one that was refused and has no body.
  const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
    if (current->is_refused()) return;
    current->request_is_read();
    handler_.answer(request, *current_peer, response);
  };
  const char* any = ".*";
  Get(any, handle).Post(any, handle).Put(any, handle).Patch(any, handle);
  Delete(any, handle).Options(any, handle);
  set_exception_handler([this](const httplib::Request& request, httplib::Response& response,
                               std::exception_ptr) { handler_.refuse(request, 500, response); });
  set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
    if (current->is_refused() || !response.body.empty()) return;
    // Of a Range that it cannot read, httplib serves what it has understood, of its own error.
    if (!request.ranges.empty()) return current->refuse(no_ranges());
    handler_.refuse(request, response.status, response);
  });
}

/// What the line and the headers are refused for is answered before the body is read.
void HttpConversations::headers_are_read(Exchange& exchange, httplib::Request& request, const Peer& peer) {
  exchange.headers_are_read();
  // httplib finds its handler by a regular expression that takes stack for each byte of the path.
  const std::size_t path_bytes = request.path.size();
  if (path_bytes > kLongestPath) request.path = "/";
  if (auto refused = handler_.admit(peer)) return exchange.refuse(*std::move(refused));
  if (path_bytes > kLongestPath) {
    events_.refused(Refused::kSize);
    return exchange.refuse(problem(414, "the path is too long",
                                   fmt::format("it has {} bytes, {} are taken", path_bytes, kLongestPath)));
  }
  if (auto refused = refuse_head(exchange.head(), request)) return exchange.refuse(*std::move(refused));
  BodyFrame body;
  if (auto refused = refuse_framing(request, body)) return exchange.refuse(*std::move(refused));
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (body.there && reads) return exchange.refuse(not_understood("a GET takes no body"));
  if (!request.ranges.empty()) return exchange.refuse(no_ranges());
  // Without a length httplib would read until the peer closes.
  if (body.size && !request.has_header("Content-Length")) request.set_header("Content-Length", "0");
  if (body.size && *body.size > limits_.body_bytes) {
    events_.refused(Refused::kSize);
    return exchange.refuse(problem(
        413, "too large",
        fmt::format("the body has {} bytes, {} is {}", *body.size, limits_.body_name, limits_.body_bytes)));
  }
  if (auto refused = handler_.judge(request, peer, body)) exchange.refuse(*std::move(refused));
}

void send_and_hang_up(int socket, Answer answer, Events& events) {
  const Peer nobody;
  const ExchangeLimits limits;
  const auto wire = plain_wire(socket);
  Exchange exchange(*wire, nobody, limits, events);
  exchange.refuse(std::move(answer));
  exchange.finish();
}

bool speaks_plainly(int socket, Moment until) {
  char first = 0;
  return plain_wire(socket)->wait(until) == Wired::kDone && ::recv(socket, &first, 1, MSG_PEEK) == 1 &&
         first >= 'A' && first <= 'Z';
}

}  // namespace leat::listen
