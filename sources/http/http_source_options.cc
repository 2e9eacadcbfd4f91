#include "sources/http/http_source_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipelines/base/option_judgement.h"

namespace leat::sources {
namespace {

using Options = HttpSourceOptions;
using Errors = std::vector<OptionError>;
using Part = OptionError::Part;
constexpr auto kOptional = Necessity::kOptional;
constexpr std::uint32_t kMostConnections = 4000;
constexpr std::uint32_t kMostKeys = 1'000'000;

void wrong(Errors& errors, const std::string& key, const std::string& why) {
  errors.push_back({key, Part::kValue, fmt::format("option '{}': {}", key, why)});
}

void check_address(const Options& options, Errors& errors) {
  if (const auto address = listen::parse_address(options.listen); !address)
    return wrong(errors, "listen", address.error().message);
  if (const Status exposed = check_http_exposure(options); !exposed)
    wrong(errors, "listen", exposed.error().message);
}

void check_path(const Options& options, Errors& errors) {
  const auto plain = [](char c) {
    return c > ' ' && c < '\x7f' && std::string_view("?#%\"<>\\^`{|}").find(c) == std::string_view::npos;
  };
  if (!options.path.starts_with('/') || !std::all_of(options.path.begin(), options.path.end(), plain))
    wrong(errors, "path",
          fmt::format("expected a path such as '/readings', without a query, found '{}'", options.path));
}

void check_secrets(const OptionMap& map, const Options& options, Errors& errors) {
  const std::string& token = options.token.reveal();
  const auto plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (map.contains("token") && token.empty())
    wrong(errors, "token", "it is empty; leave it out where no token is asked for");
  if (!std::all_of(token.begin(), token.end(), plain))
    wrong(errors, "token", "expected letters, digits and marks of ASCII, without blanks");
}

void check_tls(const Options& options, Errors& errors) {
  if (options.certificate_file.empty() != options.key_file.empty())
    errors.push_back({options.key_file.empty() ? "tls.key-file" : "tls.certificate-file", Part::kMissing,
                      "'tls.certificate-file' and 'tls.key-file' need each other"});
  if (!options.client_ca_file.empty() && options.certificate_file.empty())
    errors.push_back({"tls.certificate-file", Part::kMissing,
                      "'tls.client-ca-file' needs 'tls.certificate-file' and 'tls.key-file': without TLS no "
                      "client shows a certificate"});
}

void check_limits(const Options& options, Errors& errors) {
  check_journal(options, "max-body", options.max_body, errors);
  if (options.max_connections == 0 || options.max_connections > kMostConnections)
    wrong(errors, "max-connections", fmt::format("expected 1 to {}", kMostConnections));
  if (options.request_timeout.count() <= 0) wrong(errors, "request.timeout", "expected more than 0");
  if (options.remembered_keys == 0 || options.remembered_keys > kMostKeys)
    wrong(errors, "idempotency.keys", fmt::format("expected 1 to {}", kMostKeys));
}

}  // namespace

const OptionTable<Options>& http_source_options() {
  using Rows = JournalRows<Options>;
  static const OptionTable<Options> table{
      option("listen", &Options::listen, Necessity::kRequired,
             "Address and port to listen on: '127.0.0.1:8464', '0.0.0.0:8464'. Tables may share one: their "
             "paths tell them apart, and they must agree on TLS and limits. It is not the API's."),
      option("path", &Options::path, kOptional,
             "Path that takes the records, by POST or PUT; all others are answered with 404."),
      option("token", &Options::token, kOptional,
             "Whoever sends must show it (Authorization: Bearer …). An address that other machines reach "
             "needs a token, or 'tls.client-ca-file', or 'insecure'."),
      option("insecure", &Options::insecure, kOptional,
             "Whether anyone who reaches the address may send, without token or certificate."),
      option("tls.certificate-file", &Options::certificate_file, kOptional,
             "PEM file of the server's certificate chain; with it the address speaks https only. A renewed "
             "file is read without a restart."),
      option("tls.key-file", &Options::key_file, kOptional, "PEM file of the server's key."),
      option("tls.client-ca-file", &Options::client_ca_file, kOptional,
             "PEM file of the authorities whose clients may come in; nobody does without a certificate."),
      choice("body", &Options::body,
             {{"single", formats::Framing::kMessage}, {"lines", formats::Framing::kLines}}, kOptional,
             "How records lie in a request: a single one (in JSON an array of them gives several rows, all "
             "or none), or each line by itself."),
      option("max-body", &Options::max_body, kOptional,
             "Larger bodies are refused with 413: as they come, and as they are when expanded."),
      option("max-connections", &Options::max_connections, kOptional,
             "Connections at once; more are answered with 503. Another machine gets at most half of them."),
      option("request.timeout", &Options::request_timeout, kOptional,
             "How long a request may take to come in."),
      option("idempotency.keys", &Options::remembered_keys, kOptional,
             "How many Idempotency-Keys are remembered, in the commit: a request with one of them was taken "
             "already, and is answered so again."),
      Rows::journal(),
      Rows::size(),
      Rows::sync_interval()};
  return table;
}

Status check_http_exposure(const Options& options) {
  const auto address = listen::parse_address(options.listen);
  if (!address || listen::is_loopback(address->host) || options.insecure) return {};
  if (!options.token.empty() || !options.client_ca_file.empty()) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("'{}' is open to other machines, and anyone there could send records: give a "
                          "'token', or 'tls.client-ca-file', or listen on 127.0.0.1; where anyone shall "
                          "send, say so with 'insecure' = 'true'",
                          options.listen));
}

Options read_http_source_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                 std::vector<OptionError>& errors) {
  Options options = http_source_options().read(map, foreign, errors);
  judge_together(errors, [&](Errors& found) {
    check_address(options, found);
    check_path(options, found);
    check_secrets(map, options, found);
    check_tls(options, found);
    check_limits(options, found);
    if (options.body == formats::Framing::kLines) formats::check_in_files(map, found);
  });
  return options;
}

Options read_http_source_options(const OptionMap& map) {
  std::vector<OptionError> ignored;
  return http_source_options().read(map, {}, ignored);
}

HttpPortSettings port_settings_of(const Options& options) {
  const auto address = listen::parse_address(options.listen);
  return {.address = address ? *address : listen::Address{},
          .tls = {options.certificate_file, options.key_file, options.client_ca_file},
          .max_body = options.max_body.bytes,
          .max_connections = options.max_connections,
          .request_timeout = options.request_timeout};
}

}  // namespace leat::sources
