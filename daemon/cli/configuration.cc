// leat config show, check: what the layers of the configuration come to.
#include "daemon/cli/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/api/access.h"
#include "daemon/api/server.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/printable.h"
#include "sources/listen/listener.h"

namespace leat::cli {
namespace {

using config::Value;
using nlohmann::ordered_json;

constexpr std::size_t kCommentColumn = 44;

int complain(const Error& error) {
  fmt::print(stderr, "leat config: {}\n", printable_lines(error.message));
  return kBadConfig;
}

bool is_list(const Value& value) {
  return value.doc.type == option_text::name_of(static_cast<const std::vector<std::string>*>(nullptr));
}

/// By default, and the default is that there is none.
bool is_unset(const Value& value) {
  return value.origin.layer == config::Layer::kDefault && value.text.empty() && !is_list(value);
}

ordered_json json_of(const Value& value) {
  if (is_unset(value)) return nullptr;
  if (!is_list(value)) return value.text;
  std::vector<std::string> elements;
  (void)option_text::read(value.text, elements);
  return elements;
}

/// As TOML has it: JSON's strings and arrays of them are TOML's.
std::string toml_of(const Value& value) {
  return json_of(value).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string place_of(const Value& value) {
  return value.origin.layer == config::Layer::kDefault ? "default" : value.origin.place;
}

void print_line(const Value& value) {
  const std::size_t dot = value.doc.key.find('.');
  const std::string key = dot == std::string::npos ? value.doc.key : value.doc.key.substr(dot + 1);
  const std::string line =
      is_unset(value) ? fmt::format("# {} is not set", key) : fmt::format("{} = {}", key, toml_of(value));
  fmt::print("{:<{}}  # {}\n", line, kCommentColumn, printable(place_of(value)));
}

/// A TOML file that says the same, with the places as comments.
void print_toml(const config::Loaded& loaded) {
  std::string table;
  for (const Value& value : loaded.values) {
    const std::size_t dot = value.doc.key.find('.');
    const std::string its = dot == std::string::npos ? "" : value.doc.key.substr(0, dot);
    if (its != table) fmt::print("\n[{}]\n", its);
    table = its;
    print_line(value);
  }
}

ordered_json all_json(const config::Loaded& loaded) {
  ordered_json keys = ordered_json::array();
  for (const Value& value : loaded.values)
    keys.push_back({{"key", value.doc.key},
                    {"value", json_of(value)},
                    {"type", value.doc.type},
                    {"origin", to_string(value.origin.layer)},
                    {"place", value.origin.place},
                    {"variable", config::variable_of(value.doc.key)},
                    {"doc", value.doc.doc}});
  return {{"files", loaded.files}, {"keys", std::move(keys)}};
}

/// Not a place below /run whose folder systemd makes at the start (RuntimeDirectory).
Status check_socket(const config::Loaded& loaded) {
  const std::string path = loaded.config.api_socket.value_or("");
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (path.empty() || (path.starts_with("/run/") && !std::filesystem::exists(folder, failed))) return {};
  return listen::check_socket_path(path).map_error([&](Error error) {
    error.message = "api.socket: " + error.message;
    for (const Value& value : loaded.values)
      if (value.doc.key == "api.socket") error.message = place_of(value) + ": " + error.message;
    return error;
  });
}

/// What no table of keys knows: folders and certificates that are looked at, and who is let in.
Status check_api(const config::Loaded& loaded) {
  const config::Config& config = loaded.config;
  LEAT_TRY(api::check_exposure(config));
  LEAT_TRY(check_socket(loaded));
  if (config.api_tls_cert.empty()) return {};
  return listen::TlsKeys::load(api::tls_files_of(config), api::tls_names()).map([](const auto&) {});
}

}  // namespace

config::Inputs configuration_inputs(const std::string& file, bool given,
                                    const std::vector<std::string>& settings) {
  using Missing = config::Inputs::Missing;
  return {.file = file,
          .missing = given ? Missing::kError : Missing::kDefaults,
          .environment = config::process_environment(),
          .settings = settings};
}

Result<config::Loaded> load_configuration(const std::string& file, bool given,
                                          const std::vector<std::string>& settings) {
  return config::load(configuration_inputs(file, given, settings));
}

Result<config::Loaded> checked_configuration(const std::string& file, bool given,
                                             const std::vector<std::string>& settings) {
  return checked_configuration(configuration_inputs(file, given, settings));
}

Result<config::Loaded> checked_configuration(const config::Inputs& inputs) {
  LEAT_ASSIGN(config::Loaded loaded, config::load(inputs));
  LEAT_TRY(check_api(loaded));
  return loaded;
}

int show_config(const ConfigOptions& options) {
  const auto loaded = load_configuration(options.config, options.config_given, options.settings);
  if (!loaded) return complain(loaded.error());
  if (options.json) return print_json(all_json(*loaded)), kOk;
  print_toml(*loaded);
  return kOk;
}

int check_config(const ConfigOptions& options) {
  const auto loaded = checked_configuration(options.config, options.config_given, options.settings);
  if (!loaded) return complain(loaded.error());
  if (loaded->files.empty()) fmt::print("{}: is not there; the defaults are in force\n", options.config);
  for (const std::string& file : loaded->files) fmt::print("{}: ok\n", file);
  return kOk;
}

}  // namespace leat::cli
