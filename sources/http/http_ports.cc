#include "sources/http/http_ports.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <set>
#include <utility>

#include "sources/listen/http_conversations.h"
#include "sources/listen/listener.h"

namespace leat::sources {
namespace {

using listen::Answer;
using listen::Peer;
using listen::problem;

constexpr std::chrono::seconds kHandshakeTime{10};

std::int64_t monotonic() {
  return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

listen::ExchangeLimits limits_of(const HttpPortSettings& settings) {
  listen::ExchangeLimits limits{.header_name = "the header limit", .body_name = "'max-body'"};
  limits.body_bytes = static_cast<std::size_t>(settings.max_body);
  limits.request = std::chrono::microseconds(settings.request_timeout.count());
  return limits;
}

void answer_with(const Answer& from, httplib::Response& to) {
  to.status = from.status;
  for (const auto& [name, value] : from.headers) to.set_header(name, value);
  to.set_header("Cache-Control", "no-store");
  to.set_header("X-Content-Type-Options", "nosniff");
  if (!from.body.empty()) to.set_content(from.body, from.content_type.c_str());
}

std::string_view name_of(listen::Refused why) {
  switch (why) {
    case listen::Refused::kConnections:
      return "more connections than 'max-connections'";
    case listen::Refused::kSlow:
      return "a request was slower than 'request.timeout'";
    case listen::Refused::kSize:
      return "a request was too large";
    case listen::Refused::kHandshake:
      return "a connection without TLS, or without a certificate that is known here";
  }
  return "";
}

/// A table's receiver as long as it has its path. Whoever ends it waits for the calls that are inside, and
/// for no others: however busy the senders are, that is soon.
class Receiving {
 public:
  explicit Receiving(HttpReceiver& receiver) : receiver_(receiver) {}

  /// False: it has ended, and is not called.
  template <class Call>
  bool call(const Call& call) {
    {
      const std::scoped_lock lock(mutex_);
      if (ended_) return false;
      ++inside_;
    }
    const Inside inside(*this);
    call(receiver_);
    return true;
  }
  void end() {
    std::unique_lock lock(mutex_);
    ended_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  /// Leaves, with an exception, too.
  class Inside {
   public:
    explicit Inside(Receiving& receiving) : receiving_(receiving) {}
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() {
      const std::scoped_lock lock(receiving_.mutex_);
      if (--receiving_.inside_ == 0) receiving_.left_.notify_all();
    }

   private:
    Receiving& receiving_;
  };

  HttpReceiver& receiver_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t inside_ = 0;
  bool ended_ = false;
};

using Routes = std::map<std::string, std::shared_ptr<Receiving>>;

}  // namespace

/// One address. Routes come and go; no lock is held while a receiver has a request.
class HttpPorts::Port final : private listen::HttpHandler, private listen::Events {
 public:
  explicit Port(HttpPortSettings settings)
      : settings_(std::move(settings)), http_(*this, limits_of(settings_), *this) {}
  ~Port() override {
    http_.end();
    if (listener_) listener_->stop();
  }

  Status start() {
    if (!settings_.tls.certificate.empty()) {
      LEAT_ASSIGN(
          tls_, listen::RenewedTls::open(settings_.tls,
                                         {"'tls.certificate-file'", "'tls.key-file'", "'tls.client-ca-file'"},
                                         {monotonic, [this](const Status& read) { tell_renewed(read); }}));
    }
    LEAT_ASSIGN(auto bound, listen::BoundSocket::tcp(settings_.address.host, settings_.address.port));
    if (!bound->is_loopback() && listen::is_loopback(settings_.address.host))
      return fail(ErrorCode::kInvalid,
                  fmt::format("'{}' is no loopback address here; write 127.0.0.1", settings_.address.host));
    port_ = bound->port();
    listener_ = std::make_unique<listen::Listener>(
        std::move(bound), tls_ ? Peer::Way::kHttps : Peer::Way::kHttp,
        listen::Listener::Limits{settings_.max_connections, (settings_.max_connections + 1) / 2},
        [this](int socket, Peer peer) { serve(socket, std::move(peer)); },
        [this](int socket) { send_busy(socket); }, static_cast<listen::Events&>(*this));
    listener_->start();
    return {};
  }

  Status add(const std::string& path, HttpReceiver& receiver) {
    const std::scoped_lock lock(mutex_);
    left_.erase(path);
    if (routes_.try_emplace(path, std::make_shared<Receiving>(receiver)).second) return {};
    return fail(ErrorCode::kConflict, fmt::format("another table takes {} at {} already", path,
                                                  listen::to_string(settings_.address)));
  }
  void remove(const std::string& path) {
    Routes::node_type route;
    {
      const std::scoped_lock lock(mutex_);
      route = routes_.extract(path);
      left_.insert(path);
    }
    route.mapped()->end();
  }

  [[nodiscard]] const HttpPortSettings& settings() const { return settings_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  // HttpHandler
  std::optional<Answer> admit(const Peer&) override { return std::nullopt; }
  std::optional<Answer> judge(httplib::Request& request, const Peer& peer,
                              const listen::BodyFrame&) override {
    std::optional<Answer> refused;
    const auto judge = [&](HttpReceiver& receiver) { refused = receiver.judge(request, peer); };
    return call(request.path, judge) ? std::move(refused) : nothing_at(request.path);
  }
  void answer(const httplib::Request& request, const Peer& peer, httplib::Response& response) override {
    Answer given;
    const auto take = [&](HttpReceiver& receiver) { given = receiver.take(request, peer); };
    answer_with(call(request.path, take) ? given : nothing_at(request.path), response);
  }
  void refuse(const httplib::Request& /*request*/, int status, httplib::Response& response) override {
    turned_away(fmt::format("a request was answered with {}", status));
    answer_with(
        problem(status, "the request was refused",
                "its head or its body cannot be read: a line of more than 8 kb, a chunk that is broken, or "
                "fewer bytes than were announced"),
        response);
  }
  /// A path whose table has just ended may come back (a new version of its pipeline): the sender tries again.
  Answer nothing_at(const std::string& path) {
    if (has_left(path)) return listen::stopping();
    turned_away("404: a path that no table has");
    return problem(404, "not found", "no table takes records at this path");
  }
  bool has_left(const std::string& path) {
    const std::scoped_lock lock(mutex_);
    return left_.contains(path);
  }
  /// False: nobody has the path now.
  template <class Call>
  bool call(const std::string& path, const Call& call) {
    std::shared_ptr<Receiving> receiving;
    {
      const std::scoped_lock lock(mutex_);
      const auto route = routes_.find(path);
      if (route != routes_.end()) receiving = route->second;
    }
    return receiving && receiving->call(call);
  }

  // Events
  void refused(listen::Refused why) override { turned_away(std::string(name_of(why))); }
  void takes_none(std::string_view reason) override {
    turned_away(fmt::format("no connections can be taken now: {}", reason));
  }
  void failed(std::string_view reason) override {
    turned_away(fmt::format("a connection failed: {}", reason));
  }
  void turned_away(const std::string& why) {
    Routes routes;
    {
      const std::scoped_lock lock(mutex_);
      routes = routes_;
    }
    for (const auto& [path, receiving] : routes)
      receiving->call([&](HttpReceiver& receiver) { receiver.turned_away(why); });
  }
  void tell_renewed(const Status& read) {
    if (!read) turned_away("the old certificate is kept, as the new one is wrong: " + read.error().message);
  }

  void serve(int socket, Peer peer) {
    if (!tls_) {
      const auto wire = listen::plain_wire(socket);
      return http_.serve(*wire, peer);
    }
    const listen::Moment until = std::chrono::steady_clock::now() + kHandshakeTime;
    if (listen::speaks_plainly(socket, until)) {
      refused(listen::Refused::kHandshake);
      return listen::send_and_hang_up(
          socket, problem(400, "https only", "this address speaks https: ask for https://, not http://"),
          *this);
    }
    const auto wire = listen::tls_wire(socket, *tls_->keys(), until, peer.certificate);
    wire ? http_.serve(*wire, peer) : refused(listen::Refused::kHandshake);
  }
  void send_busy(int socket) {
    if (tls_) return;
    Answer busy = problem(503, "too many connections", "there are as many as there may be; try again");
    busy.headers.emplace_back("Retry-After", "1");
    listen::send_and_hang_up(socket, std::move(busy), *this);
  }

  const HttpPortSettings settings_;
  std::mutex mutex_;            // Guards what follows.
  Routes routes_;               // By path.
  std::set<std::string> left_;  // Paths that had one.
  listen::HttpConversations http_;
  std::unique_ptr<listen::RenewedTls> tls_;
  std::uint16_t port_ = 0;
  std::unique_ptr<listen::Listener> listener_;  // Last: its connections use the rest.
};

class HttpPorts::OpenRoute final : public Route {
 public:
  OpenRoute(std::shared_ptr<Port> port, std::string path) : port_(std::move(port)), path_(std::move(path)) {}
  ~OpenRoute() override { port_->remove(path_); }
  [[nodiscard]] std::uint16_t port() const override { return port_->port(); }

 private:
  const std::shared_ptr<Port> port_;
  const std::string path_;
};

HttpPorts::HttpPorts() = default;
HttpPorts::~HttpPorts() = default;

Result<std::unique_ptr<HttpPorts::Route>> HttpPorts::open(const HttpPortSettings& settings,
                                                          const std::string& path, HttpReceiver& receiver) {
  LEAT_ASSIGN(auto port, port_at(settings));
  LEAT_TRY(port->add(path, receiver));
  return std::make_unique<OpenRoute>(std::move(port), path);
}

Result<std::shared_ptr<HttpPorts::Port>> HttpPorts::port_at(const HttpPortSettings& settings) {
  const std::scoped_lock lock(mutex_);
  const std::string name = listen::to_string(settings.address);
  if (auto known = ports_[name].lock(); known && settings.address.port != 0) {
    if (known->settings() == settings) return known;
    return fail(ErrorCode::kConflict,
                fmt::format("another table listens on {} with other settings: tables that share an address "
                            "must agree on 'tls.*', 'max-body', 'max-connections' and 'request.timeout'",
                            name));
  }
  auto port = std::make_shared<Port>(settings);
  LEAT_TRY(port->start());
  ports_[name] = port;
  return port;
}

}  // namespace leat::sources
