// leat token: the tokens of the API. It writes the file in the data folder; a daemon that runs notices within
// a second.
#pragma once

#include <cstdint>
#include <string>

namespace leat::cli {

struct TokenOptions {
  enum class Task : std::uint8_t { kCreate, kList, kRevoke } task = Task::kList;
  std::string config = "/etc/leat/leat.toml";
  bool config_given = false;  ///< A default file that is missing is no error.
  std::string data_dir;       ///< Wins over the configuration's.
  std::string name;
  std::string role;     ///< Of kCreate: read, admin.
  std::string expires;  ///< Of kCreate: "90 d"; empty: never.
  bool json = false;    ///< --json
};
int token(const TokenOptions& options);

}  // namespace leat::cli
