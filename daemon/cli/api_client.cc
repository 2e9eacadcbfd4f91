#include "daemon/cli/api_client.h"

#include <fmt/format.h>
#include <httplib.h>

#include <charconv>

#include "daemon/config/config.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

/// Longer than anything the daemon does for one answer; a daemon that hangs must not hang the verb.
constexpr int kTimeoutSeconds = 30;

Result<config::ListenAddress> address_of_url(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  std::string_view text = url;
  if (text.starts_with(kScheme)) text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  auto address = config::parse_listen(text);
  if (!address || address->port == 0)
    return fail(
        ErrorCode::kInvalid,
        fmt::format("--api: expected a loopback address such as 'http://127.0.0.1:8463', found '{}'", url));
  return address;
}

Result<config::ListenAddress> address_of_config(const ApiOptions& options) {
  auto read = config::read_config(options.config);
  if (!read && read.error().code == ErrorCode::kNotFound && !options.config_given) read = config::Config{};
  if (!read) return tl::unexpected<Error>(read.error());
  if (read->api_listen.empty())
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: [api] listen is empty, the daemon has no API to ask", options.config));
  LEAT_ASSIGN(config::ListenAddress address, config::parse_listen(read->api_listen));
  if (address.port == 0)
    return fail(
        ErrorCode::kInvalid,
        fmt::format("{}: [api] listen has port 0, so the daemon chose one when it started: its log says "
                    "which ('ready', api=…); name it with --api",
                    options.config));
  return address;
}

ErrorCode code_of(int status) {
  switch (status) {
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kConflict;
    case 500:
      return ErrorCode::kInternal;
    case 503:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInvalid;
  }
}

/// The API's own words: "<title>: <detail>".
tl::unexpected<Error> refusal(int status, const ordered_json& problem) {
  const auto text = [&](const char* member) {
    const auto found = problem.is_object() ? problem.find(member) : problem.end();
    return found != problem.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const std::string title = text("title");
  const std::string detail = text("detail");
  if (title.empty()) return fail(code_of(status), fmt::format("the daemon answered with status {}", status));
  return fail(code_of(status), detail.empty() ? title : fmt::format("{}: {}", title, detail));
}

Result<ordered_json> read_answer(const httplib::Result& answer, const std::string& url,
                                 ApiClient::Refusals refusals = ApiClient::Refusals::kErrors) {
  if (!answer && answer.error() == httplib::Error::Connection)
    return fail(ErrorCode::kUnavailable,
                fmt::format("no daemon answers at {}: start it ('leat serve', or 'systemctl start leat'), or "
                            "name its address with --api",
                            url));
  if (!answer)
    return fail(ErrorCode::kUnavailable,
                fmt::format("the daemon at {} broke off: {}", url, httplib::to_string(answer.error())));
  ordered_json body = ordered_json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  const bool taken = answer->status == 503 && refusals == ApiClient::Refusals::kAnswers && body.is_object();
  if (answer->status / 100 != 2 && !taken) return refusal(answer->status, body);
  if (body.is_discarded())
    return fail(ErrorCode::kInvalid,
                fmt::format("what answers at {} is no Leat: its answer is no JSON", url));
  return body;
}

httplib::Client connection(const std::string& host, int port) {
  httplib::Client client(host, port);
  client.set_read_timeout(kTimeoutSeconds);
  client.set_write_timeout(kTimeoutSeconds);
  client.set_connection_timeout(kTimeoutSeconds);
  return client;
}

}  // namespace

Result<ApiClient> ApiClient::find(const ApiOptions& options) {
  LEAT_ASSIGN(const config::ListenAddress address,
              options.api.empty() ? address_of_config(options) : address_of_url(options.api));
  return ApiClient(address.host, address.port);
}

std::string ApiClient::url() const {
  const bool is_v6 = host_.find(':') != std::string::npos;
  return is_v6 ? fmt::format("http://[{}]:{}", host_, port_) : fmt::format("http://{}:{}", host_, port_);
}

Result<ordered_json> ApiClient::get(const std::string& path, Refusals refusals) const {
  return read_answer(connection(host_, port_).Get(path), url(), refusals);
}

Result<ordered_json> ApiClient::post(const std::string& path, const ordered_json& body) const {
  return read_answer(connection(host_, port_).Post(path, body.dump(), "application/json"), url());
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
