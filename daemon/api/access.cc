#include "daemon/api/access.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "daemon/log/log.h"

namespace leat::api {
namespace {

constexpr double kRequestsOfOthers = 200;
/// Wrong tokens of one peer: that many at once, then one every six seconds.
constexpr RateLimit::Rate kFailures{1.0 / 6, 10};

/// "localhost:8463", "[::1]:8463" → without the port and the brackets.
std::string name_in(const std::string& host) {
  const std::size_t end = host.starts_with('[') ? host.find(']') : host.rfind(':');
  const std::string port = end == std::string::npos ? "" : host.substr(host.starts_with('[') ? end + 1 : end);
  // "[::1].example" and "127.0.0.1:80@example" are names of somebody else.
  if (!port.empty() && (port[0] != ':' || port.find_first_not_of("0123456789", 1) != std::string::npos))
    return host;
  return host.starts_with('[') ? host.substr(1, end - 1) : host.substr(0, end);
}

bool same_name(const std::string& a, const std::string& b) {
  const auto same = [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

RateLimit::Rate request_rate(const config::Config& config) {
  const double per_second = config.api_requests_per_second
                                ? static_cast<double>(*config.api_requests_per_second)
                                : kRequestsOfOthers;
  return {per_second, 2 * per_second};
}

Response try_later(Micros wait, const std::string& detail) {
  Response response = problem(429, "too many requests", detail);
  const std::int64_t seconds = (wait.count() + kMicrosPerSecond - 1) / kMicrosPerSecond;
  response.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(seconds, 1)));
  return response;
}

}  // namespace

Access::Access(const config::Config& config, TokenBook* tokens, const loop::Clock& clock, Counters& counters)
    : names_(config.api_names),
      certificate_role_(parse_role(config.api_tls_client_role).value_or(Role::kRead)),
      admins_(config.api_tls_admins),
      bounds_this_machine_(config.api_requests_per_second.has_value()),
      tokens_(tokens),
      counters_(counters),
      requests_(request_rate(config), clock),
      failures_(kFailures, clock) {}

std::optional<Response> Access::refuse_rate(const Peer& peer) {
  if (peer.way == Peer::Way::kSocket) return std::nullopt;
  if (!bounds_this_machine_ && config::is_loopback(peer.address)) return std::nullopt;
  const auto wait = requests_.take(rate_key(peer.address));
  if (!wait) return std::nullopt;
  counters_.turn(Turned::kRate);
  return try_later(*wait,
                   fmt::format("{} asks more often than [api] requests_per_second allows", peer.address));
}

bool Access::is_our_name(const std::string& name, const Peer& peer) const {
  if (config::is_loopback(name)) return true;
  if (!peer.to_loopback && name == peer.asked) return true;
  return std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& each) { return same_name(each, name); });
}

std::optional<Response> Access::refuse_stranger(const Incoming& incoming) {
  const auto refuse = [&](const std::string& title, const std::string& detail) {
    counters_.turn(Turned::kStranger);
    return problem(403, title, detail);
  };
  const Peer& peer = incoming.peer;
  const bool local = peer.way == Peer::Way::kSocket;  // No page reaches it, and no name leads there.
  if (!local && !incoming.host.empty() && !is_our_name(name_in(incoming.host), peer))
    return refuse(
        "not our name",
        fmt::format("the Host '{}' is no loopback address and no name of this gateway: ask for 127.0.0.1 "
                    "or localhost, or add the name to [api] names",
                    incoming.host));
  const std::string scheme = peer.way == Peer::Way::kHttps ? "https://" : "http://";
  if (!incoming.origin.empty() && incoming.origin != scheme + incoming.host)
    return refuse("another page's request",
                  fmt::format("a page of '{}' may not use this API", incoming.origin));
  // A link to the dashboard may stand anywhere; data is for its own page only.
  const bool page = incoming.path == "/" || incoming.path.starts_with("/assets/") ||
                    incoming.path == "/healthz" || incoming.path == "/readyz";
  const bool looks = incoming.method == "GET" || incoming.method == "HEAD";
  const std::string& site = incoming.fetch_site;
  if (!(page && looks) && !site.empty() && site != "same-origin" && site != "none")
    return refuse("another page's request", "a page from elsewhere gets nothing here and changes nothing");
  return std::nullopt;
}

Response Access::refuse_token(const Peer& peer, const std::string& why) {
  if (const auto wait = failures_.take(rate_key(peer.address))) {
    counters_.turn(Turned::kRate);
    return try_later(*wait, fmt::format("too many wrong tokens from {}", peer.address));
  }
  counters_.turn(Turned::kToken);
  log::warn("somebody showed a wrong token to the API", {{"from", peer.address}});
  Response response = problem(401, "not known", why);
  response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="leat", error="invalid_token")");
  return response;
}

std::variant<Caller, Response> Access::identify(const Incoming& incoming) {
  const Peer& peer = incoming.peer;
  if (peer.way == Peer::Way::kSocket) return Caller{"socket:" + peer.address, Role::kAdmin};
  if (!incoming.authorization.empty()) {
    constexpr std::string_view kScheme = "bearer ";
    const std::string scheme = incoming.authorization.substr(0, kScheme.size());
    if (!same_name(scheme, std::string(kScheme)))
      return refuse_token(peer,
                          "the Authorization header must be 'Bearer' and a token of 'leat token create'");
    const auto found =
        tokens_ == nullptr ? std::nullopt : tokens_->find(incoming.authorization.substr(kScheme.size()));
    if (!found) return refuse_token(peer, "the token is not known here, has expired or was revoked");
    return Caller{"token:" + found->name, found->role};
  }
  if (peer.certificate) {
    const bool admin = std::find(admins_.begin(), admins_.end(), *peer.certificate) != admins_.end();
    return Caller{"certificate:" + *peer.certificate, admin ? Role::kAdmin : certificate_role_};
  }
  if (peer.to_loopback && (tokens_ == nullptr || !tokens_->asks())) return Caller{"loopback", Role::kAdmin};
  return Caller{"anyone", Role::kAnyone};
}

std::optional<Response> Access::refuse_role(const Caller& caller, Role needed) {
  if (caller.role >= needed) return std::nullopt;
  if (caller.role != Role::kAnyone) {
    counters_.turn(Turned::kRole);
    return problem(403, "not allowed",
                   fmt::format("'{}' has the role '{}', this asks for '{}'", caller.name,
                               to_string(caller.role), to_string(needed)));
  }
  counters_.turn(Turned::kToken);
  Response response = problem(401, "a token is asked for",
                              "send 'Authorization: Bearer TOKEN' with a token of 'leat token create'");
  response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="leat")");
  return response;
}

Status check_exposure(const config::Config& config) {
  if (config.api_listen.empty() || !config.api_tls_client_ca.empty()) return {};
  LEAT_ASSIGN(const config::ListenAddress address, config::parse_listen(config.api_listen));
  if (config::is_loopback(address.host)) return {};
  const auto tokens = TokenFile(config.data_dir).read();
  if (tokens && !tokens->empty()) return {};
  const std::string place = config.api_listen_place.empty() ? "" : config.api_listen_place + ": ";
  const std::string why = tokens ? "there is no token" : tokens.error().message;
  return fail(
      ErrorCode::kInvalid,
      fmt::format("{}api.listen: '{}' is open to other machines, and {}: anyone there could steer this "
                  "gateway; make a token ('leat token create NAME --role admin'), or set tls_client_ca, or "
                  "listen on loopback (127.0.0.1)",
                  place, config.api_listen, why));
}

std::string rate_key(const std::string& address) {
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1) return address;
  // An IPv4 peer of a socket that takes both.
  if (IN6_IS_ADDR_V4MAPPED(&v6) != 0) return address;
  std::string key;
  for (int i = 0; i < 8; ++i) key += fmt::format("{:02x}", v6.s6_addr[i]);
  return key;
}

}  // namespace leat::api
