// The verbs' way to the daemon: its REST API, one question after the other. The daemon is found by --api,
// else as the configuration says that it was started with: over its Unix socket where this user may use it,
// else at [api] listen.
//
// A token for the API comes from --token-file, else from LEAT_TOKEN; never from the command line, which every
// user of the machine can read.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/cli/event_stream.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace httplib {
class Client;
struct Request;
struct Response;
}  // namespace httplib

namespace leat::cli {

/// How a verb finds the daemon; the same options for all of them.
struct ApiOptions {
  std::string api;  ///< --api: a URL of http or https, "unix:/path"; empty: from the configuration.
  std::string config = "/etc/leat/leat.toml";
  bool config_given = false;  ///< A default file that is missing is no error.
  std::string token_file;     ///< --token-file; empty: LEAT_TOKEN, else no token.
  std::string ca;             ///< --ca: PEM of who vouches for the daemon; empty: whom the system trusts.
  std::string certificate;    ///< --certificate: PEM of this client, with --key.
  std::string key;
};

/// Where a daemon answers.
struct ApiPlace {
  enum class Kind : std::uint8_t { kSocket, kHttp, kHttps } kind = Kind::kHttp;
  std::string host;  ///< Of kSocket: its path.
  int port = 0;
};

/// Commands in a text ("'leat outbox resume mill upstream'") find the same daemon when they are typed: they
/// get the
/// --config or --api that was given.
std::string with_place(std::string text, const ApiOptions& options);

/// "start it ('leat serve --config …')", with the configuration that was given.
std::string how_to_start(const ApiOptions& options);

class ApiClient {
 public:
  /// Reads address and token only; nothing is asked yet. Errors: invalid (no such URL, a wrong configuration,
  /// an API that is off or has no fixed port), not found (the named configuration), io (the token's file).
  static Result<ApiClient> find(const ApiOptions& options);

  /// GET. `path` with its query, in which every name is percent-encoded (`segment`). Errors: unavailable (no
  /// daemon answers there, or it has no store to ask), and in the API's own words: not found, invalid,
  /// conflict.
  enum class Refusals : std::uint8_t {
    kErrors,
    kAnswers,  ///< 503 with a JSON body is an answer, too (`/readyz`).
  };
  [[nodiscard]] Result<nlohmann::ordered_json> get(const std::string& path,
                                                   Refusals refusals = Refusals::kErrors) const;
  /// How long an answer may take; half a minute otherwise.
  void wait_for_answers(std::chrono::seconds time) { read_timeout_ = time; }
  /// POST of a JSON object; errors as for `get`. It is never sent a second time.
  [[nodiscard]] Result<nlohmann::ordered_json> post(const std::string& path,
                                                    const nlohmann::ordered_json& body) const;
  /// PUT, as `post`.
  [[nodiscard]] Result<nlohmann::ordered_json> put(const std::string& path,
                                                   const nlohmann::ordered_json& body) const;
  /// DELETE; its parameters are in the query.
  [[nodiscard]] Result<nlohmann::ordered_json> remove(const std::string& path) const;

  /// Reads server-sent events, and calls on this thread for each of them until it says false or the daemon
  /// has ended them, which are no errors. `method` is "GET" (the body is not sent) or "POST". Errors: as for
  /// `get`, and unavailable when the connection breaks, or is silent for a minute.
  [[nodiscard]] Status stream(const std::string& method, const std::string& path,
                              const nlohmann::ordered_json& body, const OnEvent& on_event) const;

  [[nodiscard]] std::string url() const;

 private:
  ApiClient(ApiPlace place, Secret token, const ApiOptions& options)
      : place_(std::move(place)),
        token_(std::move(token)),
        ca_(options.ca),
        certificate_(options.certificate),
        key_(options.key),
        options_(options) {}

  [[nodiscard]] Result<nlohmann::ordered_json> ask(const char* method, const std::string& path,
                                                   const std::string& body, Refusals refusals) const;
  [[nodiscard]] httplib::Client connection() const;
  [[nodiscard]] httplib::Request request(const std::string& method, const std::string& path,
                                         const std::string& body) const;
  [[nodiscard]] Error failure(int error) const;
  [[nodiscard]] Error placed(Error error) const;

  /// Longer than anything the daemon does for most answers; a daemon that hangs must not hang the verb.
  std::chrono::seconds read_timeout_{30};
  ApiPlace place_;
  Secret token_;
  std::string ca_;
  std::string certificate_;
  std::string key_;
  ApiOptions options_;
};

/// A name as one segment of a path: everything but letters, digits, '_', '-', '.' and '~' as %XX.
std::string segment(std::string_view name);

}  // namespace leat::cli
