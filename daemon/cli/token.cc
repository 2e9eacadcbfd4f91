#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "daemon/api/tokens.h"
#include "daemon/cli/configuration.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/token_verb.h"
#include "daemon/config/config.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

int complain(const Error& error) {
  fmt::print(stderr, "leat token: {}\n", error.message);
  return error.code == ErrorCode::kInvalid ? kUsage : kFailed;
}

std::int64_t now() {
  return std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t whole_seconds(std::int64_t micros) {
  return micros - micros % kMicrosPerSecond;
}

std::string time_text(std::int64_t micros) {
  return format_rfc3339(Timestamp(Micros(micros)));
}

Result<config::Config> configuration(const TokenOptions& options) {
  if (!options.data_dir.empty()) {
    config::Config config;
    config.data_dir = options.data_dir;
    return config;
  }
  return load_configuration(options.config, options.config_given).map([](const config::Loaded& loaded) {
    return loaded.config;
  });
}

ordered_json as_json(const api::Token& token) {
  return {{"name", token.name},
          {"role", to_string(token.role)},
          {"created", time_text(token.created)},
          {"expires", token.expires ? ordered_json(time_text(*token.expires)) : nullptr},
          {"expired", token.expires && now() >= *token.expires}};
}

Result<api::Token> wanted(const TokenOptions& options) {
  api::Token token{.name = options.name, .created = whole_seconds(now())};
  const auto role = api::parse_role(options.role);
  if (!role)
    return fail(ErrorCode::kInvalid,
                fmt::format("--role: expected 'read' or 'admin', found '{}'", options.role));
  token.role = *role;
  if (options.expires.empty()) return token;
  const auto lasts = parse_duration(options.expires);
  if (!lasts) return fail(lasts.error(), "--expires");
  if (lasts->count() < kMicrosPerSecond || lasts->count() > INT64_MAX - token.created)
    return fail(ErrorCode::kInvalid, "--expires: expected a second or more, such as '90 d'");
  token.expires = whole_seconds(token.created + lasts->count());
  return token;
}

int create(const api::TokenFile& file, const TokenOptions& options) {
  auto token = wanted(options);
  if (!token) return complain(token.error());
  const auto text = file.create(*token);
  if (!text) return complain(text.error());
  if (options.json) {
    ordered_json body = as_json(*token);
    body["token"] = text->reveal();
    print_json(body);
    return kOk;
  }
  // The token alone on standard output, for a file or a pipe.
  fmt::print("{}\n", text->reveal());
  std::fflush(stdout);
  fmt::print(
      stderr,
      "'{}' may {}, {}. It is shown this once: keep it like a password. From now on the API asks for a "
      "token, on loopback, too.\n",
      token->name, token->role == api::Role::kAdmin ? "look and change" : "look",
      token->expires ? "until " + time_text(*token->expires) : "for ever");
  return kOk;
}

int list(const api::TokenFile& file, const TokenOptions& options) {
  const auto tokens = file.read();
  if (!tokens) return complain(tokens.error());
  if (options.json) {
    ordered_json all = ordered_json::array();
    for (const api::Token& token : *tokens) all.push_back(as_json(token));
    print_json({{"tokens", std::move(all)}});
    return kOk;
  }
  const auto line = [](const auto&... cells) { fmt::print("{:<24} {:<6} {:<21} {}\n", cells...); };
  line("NAME", "ROLE", "CREATED", "EXPIRES");
  for (const api::Token& token : *tokens) {
    const bool over = token.expires && now() >= *token.expires;
    line(token.name, to_string(token.role), time_text(token.created),
         token.expires ? time_text(*token.expires) + (over ? " (expired)" : "") : "never");
  }
  return kOk;
}

/// What the API is like without any token.
void tell_open(const config::Config& config) {
  const auto address = config::parse_listen(config.api_listen);
  if (config.api_listen.empty() || !address) return;
  if (config::is_loopback(address->host))
    fmt::print(stderr, "No token is left: at {} the API is open to every user of this machine.\n",
               config.api_listen);
  else if (config.api_tls_client_ca.empty())
    fmt::print(stderr,
               "No token is left: at {} nobody gets in, and the daemon will not start again like this.\n",
               config.api_listen);
}

int revoke(const api::TokenFile& file, const TokenOptions& options, const config::Config& config) {
  if (const Status done = file.revoke(options.name); !done) return complain(done.error());
  fmt::print("'{}' is revoked; a daemon that runs knows it within a second\n", options.name);
  if (const auto left = file.read(); left && left->empty()) tell_open(config);
  return kOk;
}

}  // namespace

int token(const TokenOptions& options) {
  const auto config = configuration(options);
  if (!config) {
    complain(config.error());
    return kBadConfig;
  }
  const api::TokenFile file(config->data_dir);
  switch (options.task) {
    case TokenOptions::Task::kCreate:
      return create(file, options);
    case TokenOptions::Task::kList:
      return list(file, options);
    case TokenOptions::Task::kRevoke:
      return revoke(file, options, *config);
  }
  return kUsage;
}

}  // namespace leat::cli
