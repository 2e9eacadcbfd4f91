// Where the configuration comes from, layer upon layer; a later one wins, key by key:
//
//   1  the defaults, which are built in
//   2  leat.toml
//   3  leat.d/*.toml beside it, in the order of their names: the file's name with '.d' in place of '.toml'
//   4  the environment: LEAT_ and the key in capitals, '.' as '__': LEAT_DATA_DIR, LEAT_API__LISTEN
//   5  --set api.listen=…, in the order of the command line
//
// Values of 4 and 5 are texts without quotes; the elements of a list are separated by ';'. Whatever is wrong
// in any layer is refused with its place, also where a later layer would win. A name of the environment that
// begins with LEAT_ is the configuration's when it has '__', or is near to one that is: others are free for
// pipelines ('${env:LEAT_PASSWORD}') and for what starts the daemon.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/config.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::config {

enum class Layer : std::uint8_t {
  kDefault,
  kFile,         ///< leat.toml or a drop-in.
  kEnvironment,  ///< LEAT_…
  kOption,       ///< --set
};
std::string_view to_string(Layer layer);

struct Origin {
  Layer layer = Layer::kDefault;
  std::string place;  ///< "leat.toml:3:1", "environment variable LEAT_LOG__LEVEL", "--set log.level"; or "".
};

using Environment = std::vector<std::pair<std::string, std::string>>;

struct Inputs {
  std::string file;  ///< leat.toml; empty: none, nor drop-ins.
  enum class Missing : std::uint8_t {
    kError,     ///< Somebody named the file.
    kDefaults,  ///< It is the default one, which need not be there.
  };
  Missing missing = Missing::kError;
  Environment environment = {};
  std::vector<std::string> settings = {};  ///< KEY=VALUE of each --set.
};

/// A key's effective value.
struct Value {
  OptionDoc doc;
  std::string text;  ///< As written; of a secret: ***. Empty and by default: not set.
  Origin origin;
};

struct Loaded {
  Config config;
  std::vector<Value> values;       ///< Every key, in the order of documentation.
  std::vector<std::string> files;  ///< That were read, in the order of their layers.
};

/// Errors: not found (the file), invalid (one line for each thing that is wrong, with its place).
Result<Loaded> load(const Inputs& inputs);

/// The same of one text; `name` is for messages.
Result<Config> parse_config(std::string_view text, const std::string& name);

/// What the inputs have for [api] socket, whatever else is wrong with them; "": nothing that is right.
std::string socket_despite_errors(const Inputs& inputs);

/// Of this process.
Environment process_environment();

/// "LEAT_API__LISTEN" of "api.listen".
std::string variable_of(std::string_view key);
/// "/etc/leat/leat.d" of "/etc/leat/leat.toml".
std::string drop_in_folder(const std::string& file);

/// The keys whose effective values differ, in the order of documentation.
std::vector<std::string> changed_keys(const Loaded& before, const Loaded& now);

}  // namespace leat::config
