#include "daemon/api/server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <chrono>
#include <utility>

#include "daemon/api/dispatch.h"
#include "daemon/api/gate.h"
#include "daemon/api/routes.h"
#include "daemon/config/config.h"
#include "daemon/log/log.h"
#include "sources/listen/http_conversations.h"
#include "sources/listen/listener.h"

namespace leat::api {

using listen::BoundSocket;
using listen::ExchangeLimits;
using listen::Listener;
using listen::Moment;

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

/// How a response that is no page goes out by itself.
listen::Answer answer_of(const Response& from) {
  listen::Answer answer{from.status, from.body, from.content_type, from.headers};
  if (!from.allow.empty()) answer.headers.emplace_back("Allow", from.allow);
  return answer;
}

std::optional<listen::Answer> answer_of(const std::optional<Response>& from) {
  return from ? std::optional(answer_of(*from)) : std::nullopt;
}

}  // namespace

// ---- Requests --------------------------------------------------------------------------------------------

class Http final : public listen::HttpHandler {
 public:
  Http(const ApiContext& context, const Dispatcher& dispatcher, Access& access, Counters& counters)
      : context_(context), dispatcher_(dispatcher), access_(access), counters_(counters) {}

  std::optional<listen::Answer> admit(const Peer& peer) override {
    counters_.requests.fetch_add(1, std::memory_order_relaxed);
    return answer_of(access_.refuse_rate(peer));
  }

  std::optional<listen::Answer> judge(httplib::Request& request, const Peer& peer,
                                      const listen::BodyFrame& body) override {
    const std::string encoding = request.get_header_value("Content-Encoding");
    if (!encoding.empty() && encoding != "identity")
      return listen::problem(415, "compressed", "send the body as it is, without a Content-Encoding");
    if (!body.there) return std::nullopt;
    return answer_of(dispatcher_.refuse_early(read_request(request, peer), body.size));
  }

  void answer(const httplib::Request& request, const Peer& peer, httplib::Response& response) override {
    answer_with(dispatcher_.dispatch(context_, read_request(request, peer)), response);
  }

  void refuse(const httplib::Request& request, int status, httplib::Response& response) override {
    if (status == 500) {
      log::error("an API handler failed", {{"path", request.path}});
      return answer_with(problem(500, "internal error", "the handler failed; see the log"), response);
    }
    const bool missing = status == 404;
    const std::string detail = missing ? fmt::format("there is nothing at {}", request.path) : "";
    answer_with(problem(status, missing ? "not found" : "the request was refused", detail), response);
  }

 private:
  const ApiContext& context_;
  const Dispatcher& dispatcher_;
  Access& access_;
  Counters& counters_;
};

listen::TlsFiles tls_files_of(const config::Config& config) {
  return {config.api_tls_cert, config.api_tls_key, config.api_tls_client_ca};
}

listen::TlsNames tls_names() {
  return {"api.tls_cert", "api.tls_key", "api.tls_client_ca"};
}

// ---- All of it -------------------------------------------------------------------------------------------

class Server::Running {
 public:
  Running(const ApiContext& context, const config::Config& config)
      : config_(config),
        context_(with_counters(context)),
        tokens_(config.data_dir, *context.clock),
        access_(config, &tokens_, *context.clock, counters_),
        dispatcher_(routes(), access_),
        handler_(context_, dispatcher_, access_, counters_),
        http_(handler_, limits_of(config), counters_) {}
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
    auto address = config::parse_listen(config_.api_listen);
    address->port = tcp_->bound().port();
    return fmt::format("{}://{}", tls_ ? "https" : "http", listen::to_string(*address));
  }
  [[nodiscard]] std::string socket() const { return local_ ? config::socket_path(config_) : "off"; }

 private:
  ApiContext with_counters(ApiContext context) {
    context.counters = &counters_;
    return context;
  }

  static ExchangeLimits limits_of(const config::Config& config) {
    ExchangeLimits limits{.header_name = "[api] max_header", .body_name = "[api] max_body"};
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
      LEAT_ASSIGN(tls_, listen::RenewedTls::open(tls_files_of(config_), tls_names(),
                                                 {[this] { return context_.clock->monotonic(); },
                                                  [this](const Status& read) { tell_renewed(read); }}));
    }
    LEAT_ASSIGN(const config::ListenAddress address, config::parse_listen(config_.api_listen));
    auto found = BoundSocket::tcp(address.host, address.port);
    if (!found)
      return fail(found.error().code,
                  fmt::format("the API {}; set [api] listen to a free address of this machine",
                              found.error().message));
    std::unique_ptr<BoundSocket> bound = *std::move(found);
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
    if (!bound) return fail(bound.error(), "api.socket");
    local_ = std::make_unique<Listener>(
        *std::move(bound), Peer::Way::kSocket, connections(),
        [this](int socket, const Peer& peer) { serve(socket, peer); },
        [this](int socket) { send_busy(socket); }, counters_);
    return {};
  }

  void serve(int socket, const Peer& peer) {
    const auto wire = listen::plain_wire(socket);
    http_.serve(*wire, peer);
  }

  void serve_tls(int socket, Peer peer) {
    const Moment until = std::chrono::steady_clock::now() + kHandshakeTime;
    const auto keys = tls_->keys();
    if (listen::speaks_plainly(socket, until)) {
      counters_.turn(Turned::kHandshake);
      return listen::send_and_hang_up(
          socket,
          listen::problem(400, "https only", "this address speaks https: ask for https://, not http://"),
          counters_);
    }
    const auto wire = listen::tls_wire(socket, *keys, until, peer.certificate);
    if (!wire) return counters_.turn(Turned::kHandshake);
    http_.serve(*wire, peer);
  }

  void send_busy(int socket) {
    listen::Answer busy = listen::problem(
        503, "too many connections",
        fmt::format("there are {} already ([api] max_connections); try again", config_.api_max_connections));
    busy.headers.emplace_back("Retry-After", "1");
    listen::send_and_hang_up(socket, std::move(busy), counters_);
  }

  static void tell_renewed(const Status& read) {
    if (read)
      log::info("the API has a renewed certificate");
    else
      log::error("the API keeps its old certificate, as the new one is wrong",
                 {{"reason", read.error().message}});
  }

  const config::Config& config_;
  Counters counters_;
  const ApiContext context_;
  TokenBook tokens_;
  Access access_;
  const Dispatcher dispatcher_;
  Http handler_;
  listen::HttpConversations http_;
  std::unique_ptr<listen::RenewedTls> tls_;
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
