// The verbs' way to the daemon: its REST API on this machine, one question after the other. The daemon is
// found by --api, else by [api] listen of the configuration it was started with.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::cli {

/// How a verb finds the daemon; the same options for all of them.
struct ApiOptions {
  std::string api;  ///< --api URL; empty: from the configuration.
  std::string config = "/etc/leat/leat.toml";
  bool config_given = false;  ///< A default file that is missing is no error.
};

class ApiClient {
 public:
  /// Reads the address only; nothing is asked yet. Errors: invalid (no http URL, a wrong configuration, an
  /// API that is off or has no fixed port), not found (the named configuration).
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
  /// POST of a JSON object; errors as for `get`. It is never sent a second time.
  [[nodiscard]] Result<nlohmann::ordered_json> post(const std::string& path,
                                                    const nlohmann::ordered_json& body) const;

  [[nodiscard]] std::string url() const;

 private:
  ApiClient(std::string host, int port) : host_(std::move(host)), port_(port) {}

  std::string host_;
  int port_;
};

/// A name as one segment of a path: everything but letters, digits, '_', '-', '.' and '~' as %XX.
std::string segment(std::string_view name);

}  // namespace leat::cli
