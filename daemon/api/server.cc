#include "daemon/api/server.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "daemon/api/conversation.h"
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

}  // namespace

listen::TlsFiles tls_files_of(const config::Config& config) {
  return {config.api_tls_cert, config.api_tls_key, config.api_tls_client_ca};
}

listen::TlsNames tls_names() {
  return {"api.tls_cert", "api.tls_key", "api.tls_client_ca"};
}

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
    if (context_.gates != nullptr)
      context_.gates->tails.allow(static_cast<std::size_t>(config_.api_max_tails));
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
    limits.header_bytes = static_cast<std::size_t>(config.api_max_header.bytes);
    limits.body_bytes = static_cast<std::size_t>(config.api_max_body.bytes);
    limits.request = std::chrono::microseconds(config.api_request_timeout.count());
    return limits;
  }

  [[nodiscard]] Listener::Limits connections() const {
    const auto most = static_cast<std::size_t>(config_.api_max_connections);
    return {most, (most + 1) / 2};
  }

  Status open_tcp() {
    if (config_.api_listen.empty()) return {};
    if (!config_.api_tls_cert.empty()) {
      LEAT_ASSIGN(tls_, listen::RenewedTls::open(tls_files_of(config_), tls_names(),
                                                 {[this] { return context_.clock->monotonic(); },
                                                  [](const Status& read) { tell_renewed(read); }}));
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
  Conversation handler_;
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
