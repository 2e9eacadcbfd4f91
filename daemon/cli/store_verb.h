// leat store: the store's file, beside a daemon that runs (check, backup) or without one (all).
#pragma once

#include <cstdint>
#include <string>

namespace leat::cli {

struct StoreFileOptions {
  enum class Task : std::uint8_t { kCheck, kBackup, kRepair } task = Task::kCheck;
  std::string config = "/etc/leat/leat.toml";
  bool config_given = false;  ///< A default file that is missing is no error.
  std::string data_dir;       ///< Wins over the configuration's.
  std::string target;         ///< Of a backup.
};
int store_file(const StoreFileOptions& options);

}  // namespace leat::cli
