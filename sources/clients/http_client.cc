#include "sources/clients/http_client.h"

#include <fmt/format.h>
#include <httplib.h>

#include "pipelines/base/bytes.h"
#include "sources/clients/connect_diagnosis.h"
#include "sources/clients/file_stamps.h"
#include "sources/clients/pipe_signal.h"
#include "sources/clients/response_stream.h"
#include "sources/clients/socket_watch.h"
#include "sources/clients/tls_diagnosis.h"

namespace leat::clients {

namespace {

/// A longer response, unless more of it is to be kept, is cut off; its status counts all the same.
constexpr std::size_t kMaxBodyBytes = 1 << 20;

bool needs_a_human(httplib::Error error) {
  return error == httplib::Error::SSLLoadingCerts || error == httplib::Error::SSLServerVerification;
}

std::string_view describe(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "no connection";
    case httplib::Error::ConnectionTimeout:
      return "no connection within the time-out";
    case httplib::Error::Read:
      return "the connection broke before the response was whole";
    case httplib::Error::Write:
      return "the connection broke while the request was sent";
    case httplib::Error::SSLConnection:
      return "the TLS handshake failed";
    case httplib::Error::SSLServerVerification:
      return "the server's certificate is not trusted";
    default:
      return "the request failed";
  }
}

/// Takes the response as it comes in.
struct Receiver {
  std::size_t kept = 0;
  HttpResponse response = {};
  std::size_t received = 0;

  bool head(const httplib::Response& head) {
    response.status = head.status;
    response.retry_after = head.get_header_value("Retry-After");
    response.location = head.get_header_value("Location");
    return true;
  }
  bool body(const char* data, std::size_t size) {
    const std::size_t room = kept - std::min(kept, response.body.size());
    response.body.append(data, std::min(room, size));
    received += size;
    return !too_long();
  }
  [[nodiscard]] bool too_long() const { return received > std::max(kMaxBodyBytes, kept); }
};

/// TLS with a server behind a proxy.
class TunnelledClient final : public GuardedClient<httplib::SSLClient> {
 public:
  TunnelledClient(const HttpClientOptions& options, bool& head_too_long)
      : GuardedClient(head_too_long, options.url.host, options.url.port, options.certificate_file,
                      options.key_file),
        proxy_(options.proxy),
        authority_(authority_of(options.url.host, options.url.port)) {}

  /// Why there was no way through the proxy, the last time.
  [[nodiscard]] const Status& way() const { return way_; }

 private:
  bool create_and_connect_socket(Socket& socket, httplib::Error& error) override {
    way_ = {};
    // The library connects with a proxy where it knows one, but must not ask it.
    set_proxy(proxy_.host, proxy_.port);
    const bool connected = is_valid() && ClientImpl::create_and_connect_socket(socket, error);
    set_proxy("", -1);
    if (!connected) return false;
    way_ = open_tunnel(socket.sock, proxy_, authority_);
    if (way_) return true;
    error = httplib::Error::Connection;
    shutdown_socket(socket);
    close_socket(socket);
    return false;
  }

  const HttpProxy proxy_;
  const std::string authority_;
  Status way_;
};

}  // namespace

class HttpClient::Connection {
 public:
  explicit Connection(HttpClientOptions options) : options_(std::move(options)) {}

  Result<HttpResponse> send(const HttpRequest& request) {
    if (!watch_.begin(options_.request_timeout)) return fail(ErrorCode::kCancelled, "interrupted");
    const PipeSignalBlock no_signal;
    look_for_renewed_files();
    LEAT_TRY(check_key());
    if (!client_) client_ = make_client();
    Receiver receiver{.kept = options_.kept_body_bytes};
    httplib::Request out = to_library(request, receiver);
    httplib::Response in;
    httplib::Error error = httplib::Error::Success;
    head_too_long_ = false;
    const auto begin = std::chrono::steady_clock::now();
    const bool whole = client_->send(out, in, error);
    const Status way = tunnelled_ != nullptr ? tunnelled_->way() : Status();
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    const SocketWatch::Verdict verdict = watch_.end();
    if (!whole) {
      tunnelled_ = nullptr;
      client_.reset();
    }
    // The library shows no head of a response that has no body (204).
    if (whole) receiver.head(in);
    if (whole || receiver.too_long()) return std::move(receiver.response);
    return failure(verdict, error, took, way);
  }

  ~Connection() {
    const PipeSignalBlock no_signal;  // TLS says good-bye.
    client_.reset();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void interrupt() { watch_.interrupt(); }

 private:
  void look_for_renewed_files() {
    if (options_.url.scheme != HttpUrl::Scheme::kHttps) return;
    auto stamps = file_stamps({options_.ca_file, options_.certificate_file, options_.key_file});
    if (stamps != stamps_) client_.reset();
    stamps_ = std::move(stamps);
  }

  /// OpenSSL would ask for a password on the terminal, and wait.
  Status check_key() const {
    if (client_ || options_.key_file.empty()) return {};
    const std::string wrong = sources::judge_key(options_.key_file, "");
    if (wrong.empty()) return {};
    return fail(ErrorCode::kInvalid, fmt::format("{}: {}", options_.url.origin(), wrong));
  }

  /// For the scheme and the proxy, if there is one.
  std::unique_ptr<httplib::ClientImpl> make_bare_client() {
    const HttpUrl& url = options_.url;
    const HttpProxy& proxy = options_.proxy;
    tunnelled_ = nullptr;
    if (url.scheme == HttpUrl::Scheme::kHttps && !proxy.host.empty()) {
      auto tunnelled = std::make_unique<TunnelledClient>(options_, head_too_long_);
      tunnelled_ = tunnelled.get();
      return tunnelled;
    }
    if (url.scheme == HttpUrl::Scheme::kHttps)
      return std::make_unique<GuardedClient<httplib::SSLClient>>(
          head_too_long_, url.host, url.port, options_.certificate_file, options_.key_file);
    auto client = std::make_unique<GuardedClient<httplib::ClientImpl>>(head_too_long_, url.host, url.port);
    if (!proxy.host.empty()) client->set_proxy(proxy.host, proxy.port);
    if (!proxy.user.empty()) client->set_proxy_basic_auth(proxy.user, proxy.password.reveal());
    return client;
  }

  std::unique_ptr<httplib::ClientImpl> make_client() {
    std::unique_ptr<httplib::ClientImpl> client = make_bare_client();
    client->set_ca_cert_path(options_.ca_file);
    client->enable_server_certificate_verification(options_.verification == PeerVerification::kFull);
    client->set_connection_timeout(options_.connect_timeout);
    client->set_read_timeout(options_.request_timeout);
    client->set_write_timeout(options_.request_timeout);
    client->set_tcp_nodelay(true);
    client->set_keep_alive(true);
    client->set_follow_location(false);
    client->set_url_encode(false);
    client->set_decompress(false);
    client->set_socket_options([this](socket_t socket) { watch_.watch(socket); });
    return client;
  }

  httplib::Request to_library(const HttpRequest& request, Receiver& receiver) const {
    httplib::Request out;
    out.method = request.method;
    out.path = request.target.empty() ? options_.url.target : request.target;
    out.body = request.body;
    for (const auto& [name, value] : request.headers) out.headers.emplace(name, value);
    out.headers.emplace("Accept-Encoding", "identity");
    out.response_handler = [&receiver](const httplib::Response& head) { return receiver.head(head); };
    out.content_receiver = [&receiver](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      return receiver.body(data, size);
    };
    return out;
  }

  /// Asked only where the attempt failed at once: then this does, too, and nobody waits for it.
  [[nodiscard]] std::string why_not_connected(httplib::Error error, std::chrono::milliseconds took) const {
    constexpr std::chrono::milliseconds kAtOnce{1'000};
    if (error != httplib::Error::Connection || took > kAtOnce) return {};
    const HttpProxy& proxy = options_.proxy;
    const bool direct = proxy.host.empty();
    const std::string found = sources::diagnose_connection(direct ? options_.url.host : proxy.host,
                                                           direct ? options_.url.port : proxy.port, kAtOnce);
    return found.empty() ? found : ": " + found;
  }

  [[nodiscard]] tl::unexpected<Error> failure(SocketWatch::Verdict verdict, httplib::Error error,
                                              std::chrono::milliseconds took, const Status& way) const {
    const std::string by = options_.proxy.host.empty() ? "" : " by the proxy " + options_.proxy.authority();
    const std::string origin = options_.url.origin() + by;
    if (verdict == SocketWatch::Verdict::kInterrupted) return fail(ErrorCode::kCancelled, "interrupted");
    if (verdict == SocketWatch::Verdict::kTimedOut)
      return fail(ErrorCode::kUnavailable, fmt::format("{}: no whole response within {}", origin,
                                                       format_duration(options_.request_timeout)));
    if (head_too_long_)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{}: the head of the response has more than {}", origin,
                              format_byte_size(ResponseStream::kLongestHead)));
    if (!way) return fail(way.error().code, fmt::format("{}: {}", origin, way.error().message));
    if (error == httplib::Error::SSLLoadingCerts)
      return fail(ErrorCode::kInvalid,
                  fmt::format("{}: the CA certificates ('{}') or the client's ('{}') could not be read",
                              origin, options_.ca_file, options_.certificate_file));
    return fail(needs_a_human(error) ? ErrorCode::kInvalid : ErrorCode::kUnavailable,
                fmt::format("{}: {}{}", origin, describe(error), why_not_connected(error, took)));
  }

  HttpClientOptions options_;
  SocketWatch watch_;           // Before the client, whose sockets it watches.
  bool head_too_long_ = false;  // Of the present response.
  std::unique_ptr<httplib::ClientImpl> client_;
  const TunnelledClient* tunnelled_ = nullptr;  // The same, if it is one.
  std::vector<std::int64_t> stamps_;            // Of the files that the client was made with.
};

HttpClient::HttpClient(HttpClientOptions options)
    : connection_(std::make_unique<Connection>(std::move(options))) {}

HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  return connection_->send(request);
}

void HttpClient::interrupt() {
  connection_->interrupt();
}

std::string basic_authorization(const std::string& user, const std::string& password) {
  return httplib::make_basic_authentication_header(user, password).second;
}

}  // namespace leat::clients
