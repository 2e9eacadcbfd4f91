#include "daemon/api/server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <charconv>
#include <utility>

#include "daemon/api/dispatch.h"
#include "daemon/api/exchange.h"
#include "daemon/api/gate.h"
#include "daemon/api/listener.h"
#include "daemon/api/routes.h"
#include "daemon/api/tls.h"
#include "daemon/config/config.h"
#include "daemon/log/log.h"

namespace leat::api {
namespace {

constexpr std::chrono::seconds kHandshakeTime{10};
/// A stream that has nothing to say says so, to whoever waits between the two ends.
constexpr std::chrono::seconds kAliveEvery{10};
constexpr std::string_view kAlive = ": alive\n\n";
constexpr std::string_view kEvents = "text/event-stream";
/// Of pages: scripts, styles and data from here only, and nowhere in a frame.
constexpr const char* kPagePolicy =
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

Incoming read_request(const httplib::Request& from, const Peer& peer) {
  return {.method = from.method,
          .path = from.path,
          .query = {from.params.begin(), from.params.end()},
          .body = from.body,
          .content_type = from.get_header_value("Content-Type"),
          .host = from.get_header_value("Host"),
          .origin = from.get_header_value("Origin"),
          .fetch_site = from.get_header_value("Sec-Fetch-Site"),
          .authorization = from.get_header_value("Authorization"),
          .accept_encoding = from.get_header_value("Accept-Encoding"),
          .if_none_match = from.get_header_value("If-None-Match"),
          .peer = peer};
}

/// What an answer says of itself, unless its handler has said it.
void set_guards(httplib::Response& to, const std::string& content_type) {
  const auto set = [&](const char* name, const char* value) {
    if (!to.has_header(name)) to.set_header(name, value);
  };
  set("X-Content-Type-Options", "nosniff");
  set("Cache-Control", "no-store");
  set("Referrer-Policy", "no-referrer");
  set("Cross-Origin-Resource-Policy", "same-origin");
  if (content_type.starts_with("text/html")) set("Content-Security-Policy", kPagePolicy);
  if (content_type.starts_with("text/html")) set("X-Frame-Options", "DENY");
}

/// Writes the pieces as they come.
class PieceWriter {
 public:
  explicit PieceWriter(const Response& from)
      : next_(from.pieces), says_alive_(from.content_type.starts_with(kEvents)) {}

  bool operator()(httplib::DataSink& reader) {
    const std::optional<std::string> piece = next_();
    if (!piece) {
      reader.done();
      return true;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!piece->empty()) {
      last_ = now;
      return reader.write(piece->data(), piece->size());
    }
    if (!says_alive_ || now - last_ < kAliveEvery) return reader.is_writable();
    last_ = now;
    return reader.write(kAlive.data(), kAlive.size());
  }

 private:
  const Pieces next_;
  const bool says_alive_;
  Moment last_ = std::chrono::steady_clock::now();
};

/// A body that is compressed already: the library compresses those of `set_content` by itself, and so twice.
void answer_packed(const Response& from, httplib::Response& to) {
  to.set_header("Accept-Ranges", "none");
  const auto body = std::make_shared<const std::string>(from.body);
  to.set_content_provider(body->size(), from.content_type.c_str(),
                          [body](std::size_t offset, std::size_t length, httplib::DataSink& reader) {
                            return reader.write(body->data() + offset, length);
                          });
}

void answer_with(const Response& from, httplib::Response& to) {
  to.status = from.status;
  if (!from.allow.empty()) to.set_header("Allow", from.allow);
  for (const auto& [name, value] : from.headers) to.set_header(name, value);
  set_guards(to, from.content_type);
  if (to.has_header("Content-Encoding")) return answer_packed(from, to);
  if (!from.pieces) return to.set_content(from.body, from.content_type.c_str());
  const auto writer = std::make_shared<PieceWriter>(from);
  to.set_chunked_content_provider(
      from.content_type.c_str(),
      [writer](std::size_t, httplib::DataSink& reader) { return (*writer)(reader); });
}

/// How a request says how long its body is; none: it comes in chunks.
struct Body {
  bool there = false;
  std::optional<std::size_t> size = 0;
};

std::optional<Response> refuse_framing(const httplib::Request& request, Body& body) {
  const auto bad = [](const std::string& detail) { return problem(400, "not understood", detail); };
  const std::string encoding = request.get_header_value("Content-Encoding");
  if (!encoding.empty() && encoding != "identity")
    return problem(415, "compressed", "send the body as it is, without a Content-Encoding");
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  const std::string transfer = request.get_header_value("Transfer-Encoding");
  if (lengths > 1 || (lengths == 1 && !transfer.empty()))
    return bad("the request says more than once how long its body is");
  if (!transfer.empty() && transfer != "chunked") return bad("the only Transfer-Encoding is 'chunked'");
  body = {!transfer.empty(), transfer.empty() ? std::optional<std::size_t>(0) : std::nullopt};
  if (lengths == 0) return std::nullopt;
  const std::string text = request.get_header_value("Content-Length");
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size()) return bad("the Content-Length is no number");
  body = {size > 0, size};
  return std::nullopt;
}

/// A browser that was sent to http:// in place of https://: TLS begins with another byte than a method.
bool speaks_plainly(int socket, Moment until) {
  char first = 0;
  return plain_wire(socket)->wait(until) == Wired::kDone && ::recv(socket, &first, 1, MSG_PEEK) == 1 &&
         first >= 'A' && first <= 'Z';
}

/// The exchange whose request this thread handles: httplib has no room for it in its own types.
thread_local Exchange* current = nullptr;
thread_local const Peer* current_peer = nullptr;

}  // namespace

// ---- httplib over our own connections --------------------------------------------------------------------

class Http final : public httplib::Server {
 public:
  Http(const ApiContext& context, const Dispatcher& dispatcher, Access& access, Counters& counters,
       ExchangeLimits limits)
      : context_(context), dispatcher_(dispatcher), access_(access), counters_(counters), limits_(limits) {
    // Whoever asks httplib whether it stops asks for this.
    svr_sock_ = 0;
    set_keep_alive_max_count(1'000'000);
    const auto idle = std::chrono::duration_cast<std::chrono::seconds>(limits_.idle);
    set_keep_alive_timeout(static_cast<time_t>(idle.count()));
    set_payload_max_length(limits_.body_bytes);
    route();
  }
  ~Http() override { end(); }

  /// Streams end with their next piece.
  void end() { svr_sock_ = INVALID_SOCKET; }

  /// Answers requests until the connection ends.
  void serve(Wire& wire, const Peer& peer) {
    Exchange exchange(wire, peer, limits_, counters_);
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

 private:
  void route() {
    // One handler for every path and method: it is called once the body is read, so that what is refused
    // leaves no bytes behind that the next request of the connection would begin with.
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      current->request_is_read();
      answer_with(dispatcher_.dispatch(context_, read_request(request, *current_peer)), response);
    };
    const char* any = ".*";
    Get(any, handle).Post(any, handle).Put(any, handle).Patch(any, handle);
    Delete(any, handle).Options(any, handle);
    set_exception_handler(
        [](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
          log::error("an API handler failed", {{"path", request.path}});
          answer_with(problem(500, "internal error", "the handler failed; see the log"), response);
        });
    set_error_handler([](const httplib::Request& request, httplib::Response& response) {
      if (!response.body.empty()) return;
      const bool missing = response.status == 404;
      const std::string detail = missing ? fmt::format("there is nothing at {}", request.path) : "";
      answer_with(problem(response.status, missing ? "not found" : "the request was refused", detail),
                  response);
    });
  }

  /// What the line and the headers are refused for is answered before the body is read.
  void headers_are_read(Exchange& exchange, httplib::Request& request, const Peer& peer) {
    counters_.requests.fetch_add(1, std::memory_order_relaxed);
    exchange.headers_are_read();
    if (auto refused = access_.refuse_rate(peer)) return exchange.refuse(*refused);
    Body body;
    if (auto refused = refuse_framing(request, body)) return exchange.refuse(*refused);
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (body.there && reads) return exchange.refuse(problem(400, "not understood", "a GET takes no body"));
    if (!request.ranges.empty())
      return exchange.refuse(problem(416, "ranges are not served", "leave out the Range header"));
    // Without a length httplib would read until the peer closes.
    if (body.size && !request.has_header("Content-Length")) request.set_header("Content-Length", "0");
    if (!body.there) return;
    if (body.size && *body.size > limits_.body_bytes) counters_.turn(Turned::kSize);
    if (body.size && *body.size > limits_.body_bytes)
      return exchange.refuse(problem(
          413, "too large",
          fmt::format("the body has {} bytes, [api] max_body is {}", *body.size, limits_.body_bytes)));
    if (auto refused = dispatcher_.refuse_early(read_request(request, peer), body.size))
      exchange.refuse(*refused);
  }

  const ApiContext& context_;
  const Dispatcher& dispatcher_;
  Access& access_;
  Counters& counters_;
  const ExchangeLimits limits_;
};

// ---- All of it -------------------------------------------------------------------------------------------

class Server::Running {
 public:
  Running(const ApiContext& context, const config::Config& config)
      : config_(config),
        context_(with_counters(context)),
        tokens_(config.data_dir, *context.clock),
        access_(config, &tokens_, *context.clock, counters_),
        dispatcher_(routes(), access_),
        http_(context_, dispatcher_, access_, counters_, limits_of(config)) {}
  ~Running() { stop(); }

  Status start() {
    LEAT_TRY(check_exposure(config_));
    if (context_.gates != nullptr) context_.gates->tails.allow(config_.api_max_tails);
    LEAT_TRY(open_tcp());
    LEAT_TRY(open_socket());
    if (tcp_) tcp_->start();
    if (local_) local_->start();
    return {};
  }

  void stop() {
    http_.end();
    if (tcp_) tcp_->stop();
    if (local_) local_->stop();
  }

  [[nodiscard]] std::string url() const {
    if (!tcp_) return "off";
    const auto address = config::parse_listen(config_.api_listen);
    const bool is_v6 = address->host.find(':') != std::string::npos;
    return fmt::format("{}://{}:{}", tls_ ? "https" : "http",
                       is_v6 ? "[" + address->host + "]" : address->host, tcp_->bound().port());
  }
  [[nodiscard]] std::string socket() const { return local_ ? config::socket_path(config_) : "off"; }

 private:
  ApiContext with_counters(ApiContext context) {
    context.counters = &counters_;
    return context;
  }

  static ExchangeLimits limits_of(const config::Config& config) {
    ExchangeLimits limits;
    limits.header_bytes = config.api_max_header.bytes;
    limits.body_bytes = config.api_max_body.bytes;
    limits.request = std::chrono::microseconds(config.api_request_timeout.count());
    return limits;
  }

  [[nodiscard]] Listener::Limits connections() const {
    return {config_.api_max_connections, (config_.api_max_connections + 1) / 2};
  }

  Status open_tcp() {
    if (config_.api_listen.empty()) return {};
    if (!config_.api_tls_cert.empty()) {
      LEAT_ASSIGN(tls_,
                  RenewedTls::open({config_.api_tls_cert, config_.api_tls_key, config_.api_tls_client_ca},
                                   *context_.clock));
    }
    LEAT_ASSIGN(const config::ListenAddress address, config::parse_listen(config_.api_listen));
    LEAT_ASSIGN(auto bound, BoundSocket::tcp(address.host, address.port));
    if (!bound->is_loopback() && config::is_loopback(address.host))
      return fail(ErrorCode::kInvalid,
                  fmt::format("api.listen: '{}' is no loopback address here; write 127.0.0.1", address.host));
    if (!bound->is_loopback() && !tls_)
      log::warn("the API is open to other machines without TLS: tokens can be read on the way",
                {{"listen", config_.api_listen}});
    const auto refuse = [this](int socket) {
      if (!tls_) send_busy(socket);
    };
    tcp_ = std::make_unique<Listener>(
        std::move(bound), tls_ ? Peer::Way::kHttps : Peer::Way::kHttp, connections(),
        [this](int socket, Peer peer) { tls_ ? serve_tls(socket, std::move(peer)) : serve(socket, peer); },
        refuse, counters_);
    return {};
  }

  Status open_socket() {
    const std::string path = config::socket_path(config_);
    if (path.empty()) return {};
    auto bound = BoundSocket::unix_file(path);
    if (!bound && !config_.api_socket) {
      // Nobody asked for it.
      log::warn("the API has no socket", {{"reason", bound.error().message}});
      return {};
    }
    if (!bound) return tl::unexpected<Error>(bound.error());
    local_ = std::make_unique<Listener>(
        *std::move(bound), Peer::Way::kSocket, connections(),
        [this](int socket, const Peer& peer) { serve(socket, peer); },
        [this](int socket) { send_busy(socket); }, counters_);
    return {};
  }

  void serve(int socket, const Peer& peer) {
    const auto wire = plain_wire(socket);
    http_.serve(*wire, peer);
  }

  void serve_tls(int socket, Peer peer) {
    const Moment until = std::chrono::steady_clock::now() + kHandshakeTime;
    const auto keys = tls_->keys();
    if (speaks_plainly(socket, until)) {
      counters_.turn(Turned::kHandshake);
      return send(socket,
                  problem(400, "https only", "this address speaks https: ask for https://, not http://"));
    }
    const auto wire = tls_wire(socket, *keys, until, peer.certificate);
    if (!wire) return counters_.turn(Turned::kHandshake);
    http_.serve(*wire, peer);
  }

  void send_busy(int socket) {
    Response busy = problem(
        503, "too many connections",
        fmt::format("there are {} already ([api] max_connections); try again", config_.api_max_connections));
    busy.headers.emplace_back("Retry-After", "1");
    send(socket, std::move(busy));
  }

  /// An answer to whatever was asked, or will be.
  void send(int socket, Response response) {
    const Peer nobody;
    const ExchangeLimits limits;
    const auto wire = plain_wire(socket);
    Exchange exchange(*wire, nobody, limits, counters_);
    exchange.refuse(std::move(response));
    exchange.finish();
  }

  const config::Config& config_;
  Counters counters_;
  const ApiContext context_;
  TokenBook tokens_;
  Access access_;
  const Dispatcher dispatcher_;
  Http http_;
  std::unique_ptr<RenewedTls> tls_;
  std::unique_ptr<Listener> tcp_;
  std::unique_ptr<Listener> local_;
};

Server::Server(const ApiContext& context, const config::Config& config)
    : running_(std::make_unique<Running>(context, config)) {}

Server::~Server() = default;

Status Server::start() {
  return running_->start();
}

void Server::stop() {
  running_->stop();
}

std::string Server::url() const {
  return running_->url();
}

std::string Server::socket() const {
  return running_->socket();
}

}  // namespace leat::api
