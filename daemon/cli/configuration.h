// The daemon's configuration as the verbs read it: the file that --config names or the default one, its
// drop-ins, the environment, and --set.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/layers.h"

namespace leat::cli {

/// `given`: somebody named the file, which must be there then.
config::Inputs configuration_inputs(const std::string& file, bool given,
                                    const std::vector<std::string>& settings = {});
/// What they come to. Errors: as config::load.
Result<config::Loaded> load_configuration(const std::string& file, bool given,
                                          const std::vector<std::string>& settings = {});

/// The same, with all that `leat serve` would refuse of it: who is let in, certificates and folders that are
/// looked at.
Result<config::Loaded> checked_configuration(const std::string& file, bool given,
                                             const std::vector<std::string>& settings);
Result<config::Loaded> checked_configuration(const config::Inputs& inputs);

struct ConfigOptions {
  std::string config = "/etc/leat/leat.toml";
  bool config_given = false;
  std::vector<std::string> settings;  ///< --set
  bool json = false;                  ///< show: --json
};
/// leat config show: every key, its value, and where that comes from.
int show_config(const ConfigOptions& options);
/// leat config check: what `leat serve` would refuse of it.
int check_config(const ConfigOptions& options);

}  // namespace leat::cli
