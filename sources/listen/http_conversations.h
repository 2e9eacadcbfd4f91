// Requests over connections that a Listener has taken: httplib parses requests and writes answers; reading
// and writing are our own (exchange.h), because httplib has no bounds for a request as a whole and known weak
// spots. A request is bounded in size and time, says once how long its body is, has no ranges; exceptions end
// here.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "sources/listen/answer.h"
#include "sources/listen/exchange.h"

namespace leat::listen {

/// How a request says how long its body is.
struct BodyFrame {
  bool there = false;
  std::optional<std::size_t> size = 0;  ///< None: it comes in chunks.
};

/// Who answers. Called from the threads of connections, several at once.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// The line and the headers have been read. An answer: the request is refused with it and its body is not
  /// read. Comes before anything else is judged.
  virtual std::optional<Answer> admit(const Peer& peer) = 0;
  /// The same, of a request that is well formed so far. May change the headers, by which httplib reads the
  /// body (Content-Encoding: it would be expanded).
  virtual std::optional<Answer> judge(httplib::Request& request, const Peer& peer, const BodyFrame& body) = 0;
  /// The whole request is there.
  virtual void answer(const httplib::Request& request, const Peer& peer, httplib::Response& response) = 0;
  /// httplib refuses the request with this status, or `answer` has thrown (500).
  virtual void refuse(const httplib::Request& request, int status, httplib::Response& response) = 0;
};

class HttpConversations final : public httplib::Server {
 public:
  /// Handler and events outlive it.
  HttpConversations(HttpHandler& handler, ExchangeLimits limits, Events& events);
  ~HttpConversations() override { end(); }

  /// Answers that last end with their next piece, and no request is begun any more.
  void end() { svr_sock_ = INVALID_SOCKET; }

  /// Answers requests until the connection ends.
  void serve(Wire& wire, const Peer& peer);

 private:
  void route();
  void headers_are_read(Exchange& exchange, httplib::Request& request, const Peer& peer);

  HttpHandler& handler_;
  const ExchangeLimits limits_;
  Events& events_;
};

/// Sends one answer to whatever was asked, or will be, over a plain connection, and hangs up.
void send_and_hang_up(int socket, Answer answer, Events& events);

/// A peer of an address that speaks TLS has sent a request without: TLS begins with another byte than a
/// method.
bool speaks_plainly(int socket, Moment until);

}  // namespace leat::listen
