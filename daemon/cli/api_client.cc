#include "daemon/cli/api_client.h"

#include <fmt/format.h>
#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "daemon/cli/configuration.h"
#include "daemon/config/config.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

/// To connect, and to say what is asked.
constexpr int kTimeoutSeconds = 30;
/// A stream of events says something, if only that it lives, every few seconds.
constexpr int kSilenceSeconds = 60;
constexpr std::size_t kLongestToken = 4096;
constexpr std::string_view kServiceConfig = "/etc/leat/leat.toml";
constexpr std::size_t kLongestRefusal = 1 << 20;

Result<ApiPlace> place_of_url(const std::string& url) {
  const auto refuse = [&] {
    return fail(ErrorCode::kInvalid,
                fmt::format("--api: expected an address such as 'http://127.0.0.1:8463', "
                            "'https://gateway.example:8463' or 'unix:/run/leat/leat.sock', found '{}'",
                            url));
  };
  std::string_view text = url;
  ApiPlace place;
  if (text.starts_with("unix:")) {
    place = {ApiPlace::Kind::kSocket, std::string(text.substr(5))};
    return place.host.starts_with('/') ? Result<ApiPlace>(place) : refuse();
  }
  if (text.starts_with("https://")) place.kind = ApiPlace::Kind::kHttps;
  for (const std::string_view scheme : {"https://", "http://"})
    if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  const auto address = config::parse_listen(text);
  if (!address || address->port == 0 || address->host.find_first_of("/?#@") != std::string::npos)
    return refuse();
  place.host = address->host;
  place.port = address->port;
  return place;
}

/// "0.0.0.0" is every address of this machine; a client needs one.
std::string reachable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

/// The socket of the service, or of its instance, that has this configuration: "/run/leat-north/leat.sock" of
/// "/etc/leat/north/leat.toml"; empty: it is none of theirs.
std::string usual_socket(const std::string& config) {
  if (config == kServiceConfig) return config::kDefaultSocket;
  const std::filesystem::path path(config);
  const std::filesystem::path folder = path.parent_path();
  const std::filesystem::path service(kServiceConfig);
  if (path.filename() != service.filename() || folder.parent_path() != service.parent_path()) return "";
  return fmt::format("/run/leat-{}/leat.sock", folder.filename().string());
}

/// A configuration that is wrong by now says nothing of a daemon that has run since before, but perhaps where
/// its socket is: a reload must reach it to be refused by it, with a line in its log.
Result<ApiPlace> place_despite(const ApiOptions& options, const Error& wrong) {
  const std::string told =
      config::socket_despite_errors(configuration_inputs(options.config, options.config_given));
  for (const std::string& socket : {told, usual_socket(options.config)}) {
    if (socket.empty() || ::access(socket.c_str(), R_OK | W_OK) != 0) continue;
    fmt::print(stderr, "{}\nthe daemon is asked at its socket all the same, {}\n", wrong.message, socket);
    return ApiPlace{ApiPlace::Kind::kSocket, socket};
  }
  return fail(wrong.code,
              fmt::format("{}\nthe configuration does not say where the daemon is: mend it, or name "
                          "the daemon's address with --api",
                          wrong.message));
}

Result<ApiPlace> place_of_config(const ApiOptions& options) {
  const auto loaded = load_configuration(options.config, options.config_given);
  if (!loaded) return place_despite(options, loaded.error());
  const config::Config& config = loaded->config;
  const std::string socket = config::socket_path(config);
  if (!socket.empty() && ::access(socket.c_str(), R_OK | W_OK) == 0)
    return ApiPlace{ApiPlace::Kind::kSocket, socket};
  const bool forbidden = !socket.empty() && errno == EACCES;
  if (config.api_listen.empty() && !socket.empty())
    return fail(ErrorCode::kUnavailable,
                forbidden ? fmt::format("this user may not use the daemon's socket {}: ask as root, or as a "
                                        "member of the socket's group",
                                        socket)
                          : fmt::format("no daemon answers at unix:{}: {}, or name its address with --api",
                                        socket, how_to_start(options)));
  if (config.api_listen.empty())
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: [api] listen is empty, the daemon has no API to ask", options.config));
  LEAT_ASSIGN(config::ListenAddress address, config::parse_listen(config.api_listen));
  if (address.port == 0)
    return fail(
        ErrorCode::kInvalid,
        fmt::format("{}: [api] listen has port 0, so the daemon chose one when it started: its log says "
                    "which ('ready', api=…); name it with --api",
                    options.config));
  const auto kind = config.api_tls_cert.empty() ? ApiPlace::Kind::kHttp : ApiPlace::Kind::kHttps;
  return ApiPlace{kind, reachable(address.host), address.port};
}

Result<Secret> read_token(const ApiOptions& options) {
  std::string token;
  std::string from = "LEAT_TOKEN";
  if (const char* const given = std::getenv("LEAT_TOKEN"); given != nullptr) token = given;
  if (!options.token_file.empty()) {
    from = options.token_file;
    std::ifstream file(options.token_file, std::ios::binary);
    if (!file)
      return fail(ErrorCode::kIo,
                  fmt::format("--token-file: '{}' cannot be read: {}", from, std::strerror(errno)));
    if (!std::getline(file, token))
      return fail(ErrorCode::kIo, fmt::format("--token-file: '{}' is empty", from));
  }
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  const auto printable = [](unsigned char c) { return c > 0x20 && c < 0x7F; };
  if (token.size() > kLongestToken || !std::all_of(token.begin(), token.end(), printable))
    return fail(ErrorCode::kInvalid,
                fmt::format("{} holds no token: expected one line, as 'leat token create' prints it", from));
  return Secret(token);
}

ErrorCode code_of(int status) {
  switch (status) {
    case 429:
      return ErrorCode::kExhausted;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kConflict;
    case 500:
      return ErrorCode::kInternal;
    case 401:
    case 403:
    case 503:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInvalid;
  }
}

/// The API names members of a body, here there are options.
std::string in_options(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"'cold' = 'accept'", "--accept-cold"},
      {"'all': true", "--all"},
      {"(ids, pipeline, origin, since, until)", "(their IDs, --pipeline, --origin, --since, --until)"},
      {"'limit' is", "--limit is"},
      {"'seconds' is", "--seconds is"},
      {"'rows' is", "--rows is"},
      {"'pipeline' says", "--pipeline says"},
      {"'table' says", "--table says"},
  };
  for (const auto& [word, option] : kWords)
    if (const std::size_t at = text.find(word); at != std::string::npos)
      text.replace(at, word.size(), option);
  return text;
}

/// Of 401 the API speaks of headers.
std::string token_wanted(const std::string& title, const std::string& detail) {
  if (title == "not known") return title + ": " + detail;
  return "the daemon asks for a token: name its file with --token-file, or set LEAT_TOKEN ('leat token "
         "create' on the "
         "gateway makes one)";
}

/// The API's own words: "<title>: <detail>".
tl::unexpected<Error> refusal(int status, const ordered_json& problem) {
  const auto text = [&](const char* member) {
    const auto found = problem.is_object() ? problem.find(member) : problem.end();
    return found != problem.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const std::string title = text("title");
  const std::string detail = text("detail");
  // Of wrong SQL: every error with the caret under its place.
  if (const std::string rendered = text("text"); !rendered.empty()) return fail(code_of(status), rendered);
  if (title.empty()) return fail(code_of(status), fmt::format("the daemon answered with status {}", status));
  if (status == 401) return fail(code_of(status), token_wanted(title, detail));
  return fail(code_of(status), in_options(detail.empty() ? title : fmt::format("{}: {}", title, detail)));
}

Result<ordered_json> read_answer(int status, const std::string& text, const std::string& url,
                                 ApiClient::Refusals refusals) {
  ordered_json body = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool taken = status == 503 && refusals == ApiClient::Refusals::kAnswers && body.is_object();
  if (status / 100 != 2 && !taken) return refusal(status, body);
  if (body.is_discarded())
    return fail(ErrorCode::kInvalid,
                fmt::format("what answers at {} is no Leat: its answer is no JSON", url));
  return body;
}

}  // namespace

std::string how_to_start(const ApiOptions& options) {
  if (options.config_given) return fmt::format("start it ('leat serve --config {}')", options.config);
  return "start it ('leat serve', or 'systemctl start leat')";
}

std::string with_place(std::string text, const ApiOptions& options) {
  constexpr std::string_view kCommand = "'leat ";
  // These look at the gateway's files, and ask nobody.
  constexpr std::string_view kLocal[] = {"serve", "store", "token", "check"};
  if (options.api.empty() && !options.config_given) return text;
  for (std::size_t at = text.find(kCommand); at != std::string::npos; at = text.find(kCommand, at + 1)) {
    const std::size_t end = text.find('\'', at + kCommand.size());
    if (end == std::string::npos) break;
    const std::string_view verb = std::string_view(text).substr(at + kCommand.size());
    const bool local =
        std::ranges::any_of(kLocal, [&](std::string_view each) { return verb.starts_with(each); });
    if (options.config_given)
      text.insert(end, " --config " + options.config);
    else if (!local)
      text.insert(end, " --api " + options.api);
  }
  return text;
}

Error ApiClient::placed(Error error) const {
  error.message = with_place(std::move(error.message), options_);
  return error;
}

Result<ApiClient> ApiClient::find(const ApiOptions& options) {
  if (options.certificate.empty() != options.key.empty())
    return fail(ErrorCode::kInvalid, "--certificate and --key belong together");
  LEAT_ASSIGN(Secret token, read_token(options));
  LEAT_ASSIGN(const ApiPlace place,
              options.api.empty() ? place_of_config(options) : place_of_url(options.api));
  return ApiClient(place, std::move(token), options);
}

std::string ApiClient::url() const {
  if (place_.kind == ApiPlace::Kind::kSocket) return "unix:" + place_.host;
  const char* const scheme = place_.kind == ApiPlace::Kind::kHttps ? "https" : "http";
  const bool is_v6 = place_.host.find(':') != std::string::npos;
  return fmt::format("{}://{}:{}", scheme, is_v6 ? "[" + place_.host + "]" : place_.host, place_.port);
}

httplib::Client ApiClient::connection() const {
  const auto make = [&]() -> httplib::Client {
    if (place_.kind != ApiPlace::Kind::kHttps) return httplib::Client(place_.host, std::max(place_.port, 1));
    if (certificate_.empty()) return httplib::Client(url());
    return httplib::Client(url(), certificate_, key_);
  };
  httplib::Client client = make();
  if (place_.kind == ApiPlace::Kind::kSocket) client.set_address_family(AF_UNIX);
  if (place_.kind == ApiPlace::Kind::kHttps && !ca_.empty()) client.set_ca_cert_path(ca_);
  client.set_tcp_nodelay(place_.kind != ApiPlace::Kind::kSocket);
  client.set_read_timeout(static_cast<time_t>(read_timeout_.count()));
  client.set_write_timeout(kTimeoutSeconds);
  client.set_connection_timeout(kTimeoutSeconds);
  return client;
}

httplib::Request ApiClient::request(const std::string& method, const std::string& path,
                                    const std::string& body) const {
  httplib::Request request;
  request.method = method;
  request.path = path;
  if (place_.kind == ApiPlace::Kind::kSocket) request.set_header("Host", "localhost");
  if (!token_.empty()) request.set_header("Authorization", "Bearer " + token_.reveal());
  if (method == "POST" || method == "PUT") {
    request.set_header("Content-Type", "application/json");
    request.body = body;
  }
  return request;
}

Error ApiClient::failure(int error) const {
  const auto text = [&]() -> std::string {
    switch (static_cast<httplib::Error>(error)) {
      case httplib::Error::Connection:
      case httplib::Error::ConnectionTimeout:
        return fmt::format("no daemon answers at {}: {}, or name its address with --api", url(),
                           how_to_start(options_));
      case httplib::Error::SSLServerVerification:
        return fmt::format(
            "the certificate of {} is not trusted: name who vouches for it with --ca, and ask "
            "by a name that it holds",
            url());
      case httplib::Error::SSLLoadingCerts:
        return fmt::format("--ca: '{}' holds no certificates (PEM)", ca_);
      case httplib::Error::SSLConnection:
        return fmt::format(
            "no TLS with {}: it may speak plain http, or want a certificate (--certificate, --key)", url());
      default:
        return fmt::format("the daemon at {} broke off: {}", url(),
                           httplib::to_string(static_cast<httplib::Error>(error)));
    }
  };
  return {ErrorCode::kUnavailable, text()};
}

Result<ordered_json> ApiClient::ask(const char* method, const std::string& path, const std::string& body,
                                    Refusals refusals) const {
  httplib::Client client = connection();
  if (!client.is_valid())
    return fail(ErrorCode::kInvalid, "--certificate and --key: expected a PEM certificate and its key");
  const httplib::Result answer = client.send(request(method, path, body));
  if (!answer) return tl::unexpected<Error>(failure(static_cast<int>(answer.error())));
  return read_answer(answer->status, answer->body, url(), refusals).map_error([this](Error error) {
    return placed(std::move(error));
  });
}

Result<ordered_json> ApiClient::get(const std::string& path, Refusals refusals) const {
  return ask("GET", path, {}, refusals);
}

Result<ordered_json> ApiClient::post(const std::string& path, const ordered_json& body) const {
  return ask("POST", path, body.dump(), Refusals::kErrors);
}

Result<ordered_json> ApiClient::put(const std::string& path, const ordered_json& body) const {
  return ask("PUT", path, body.dump(), Refusals::kErrors);
}

Result<ordered_json> ApiClient::remove(const std::string& path) const {
  return ask("DELETE", path, {}, Refusals::kErrors);
}

Status ApiClient::stream(const std::string& method, const std::string& path, const ordered_json& body,
                         const OnEvent& on_event) const {
  httplib::Client client = connection();
  client.set_read_timeout(kSilenceSeconds);
  bool enough = false;
  int status = 0;
  std::string refused;
  EventStream events([&](std::string_view name, std::string_view data) {
    enough = !on_event(name, data);
    return !enough;
  });
  httplib::Request ask = request(method, path, body.dump());
  ask.set_header("Accept", "text/event-stream");
  ask.response_handler = [&](const httplib::Response& response) {
    status = response.status;
    return true;
  };
  ask.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (status == 200) return events.take({data, size});
    refused.append(data, size);
    return refused.size() <= kLongestRefusal;
  };
  const httplib::Result answer = client.send(ask);
  if (enough) return {};
  if (status != 0 && status != 200)
    return read_answer(status, refused, url(), Refusals::kErrors)
        .map([](const ordered_json&) {})
        .map_error([this](Error error) { return placed(std::move(error)); });
  if (!answer) return tl::unexpected<Error>(failure(static_cast<int>(answer.error())));
  return {};
}

std::string segment(std::string_view name) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~";
  std::string text;
  for (const char c : name) {
    if (kPlain.find(c) != std::string_view::npos)
      text += c;
    else
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

}  // namespace leat::cli
