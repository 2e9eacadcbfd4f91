#include "daemon/config/layers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <tuple>

#include "daemon/config/config_keys.h"
#include "daemon/config/toml_layer.h"
#include "pipelines/base/nearest.h"

namespace leat::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "LEAT_";

struct Assigned {
  std::string text;
  Origin origin;
  std::size_t order = 0;  // Of its layer and place.
};

struct Complaint {
  std::size_t order = 0;
  std::string line;
};

/// What was read so far.
struct Stack {
  std::map<std::string, Assigned> effective;  // Of what is right in itself.
  std::vector<Complaint> complaints;
  std::vector<std::string> files;
  std::size_t order = 0;  // Of what comes next.
};

void complain(Stack& stack, const std::string& place, const std::string& message) {
  stack.complaints.push_back({stack.order++, fmt::format("{}: {}", place, message)});
}

/// SQL takes it for milliseconds, as Flink does; here nobody means these.
bool lacks_unit(const std::string& key, const std::string& text) {
  const auto is_this = [&](const OptionDoc& doc) {
    return doc.key == key && doc.type == option_text::name_of(static_cast<const Micros*>(nullptr));
  };
  return !text.empty() && text.find_first_not_of("0123456789 ") == std::string::npos &&
         std::ranges::any_of(config_docs(), is_this);
}

/// What is wrong with a key and its value by themselves.
std::optional<std::string> refused(const std::string& key, const std::string& text) {
  if (lacks_unit(key, text))
    return fmt::format("{}: expected a duration with its unit, such as '{} s' or '{} ms', found '{}'", key,
                       text, text, text);
  std::vector<OptionError> errors;
  (void)config_table().read({{key, text}}, {}, errors);
  return errors.empty() ? std::nullopt : std::optional(errors.front().message);
}

void assign(Stack& stack, const std::string& key, const std::string& text, Origin origin) {
  if (const auto message = refused(key, text))
    complain(stack, origin.place, *message);
  else
    stack.effective[key] = {text, std::move(origin), stack.order++};
}

std::string place_of(const std::string& name, const TomlEntry& entry) {
  return fmt::format("{}:{}:{}", name, entry.line, entry.column);
}

Status add_text(Stack& stack, std::string_view text, const std::string& name) {
  LEAT_ASSIGN(const TomlLayer layer, read_toml(text, name, config_docs()));
  std::vector<const std::pair<const std::string, TomlEntry>*> entries;
  for (const auto& entry : layer.entries) entries.push_back(&entry);
  std::ranges::sort(entries, {},
                    [](const auto* entry) { return std::tuple(entry->second.line, entry->second.column); });
  for (const auto* entry : entries) {
    const auto& [key, value] = *entry;
    // A value of the wrong type is reported once, as that; the field keeps what it had, which is right.
    const auto wrong = std::ranges::find(layer.errors, key, &OptionError::key);
    if (wrong != layer.errors.end())
      complain(stack, place_of(name, value), wrong->message);
    else
      assign(stack, key, value.value, {Layer::kFile, place_of(name, value)});
  }
  stack.files.push_back(name);
  return {};
}

Status add_file(Stack& stack, const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    return fail(ErrorCode::kInvalid, fmt::format("{}: is a folder, expected a configuration file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInvalid,
                fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  const Status read = add_text(stack, text.str(), path);
  if (!read) stack.complaints.push_back({stack.order++, read.error().message});
  return {};
}

Status add_drop_ins(Stack& stack, const std::string& file) {
  const std::string folder = drop_in_folder(file);
  std::error_code failed;
  if (!fs::exists(folder, failed) && !failed) return {};
  std::vector<std::string> files;
  for (const auto& each : fs::directory_iterator(folder, failed))
    if (each.path().extension() == ".toml" && !each.path().filename().string().starts_with('.'))
      files.push_back(each.path().string());
  if (failed)
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: the folder cannot be read: {}", folder, failed.message()));
  std::ranges::sort(files);
  for (const std::string& each : files) LEAT_TRY(add_file(stack, each));
  return {};
}

/// "api.listen" of "LEAT_API__LISTEN".
std::string key_of(std::string_view variable) {
  std::string key;
  for (std::size_t i = kPrefix.size(); i < variable.size(); ++i) {
    const bool dot = variable.substr(i, 2) == "__";
    key += dot ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(variable[i])));
    if (dot) ++i;
  }
  return key;
}

std::vector<std::string> all_variables() {
  std::vector<std::string> names;
  for (const OptionDoc& doc : config_docs()) names.push_back(variable_of(doc.key));
  return names;
}

void add_environment(Stack& stack, const Environment& environment) {
  const std::vector<std::string> known = all_variables();
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string place = "environment variable " + name;
    if (std::ranges::find(known, name) != known.end()) {
      assign(stack, key_of(name), value, {Layer::kEnvironment, place});
      continue;
    }
    // The prefix is theirs all: without it a name counts for itself.
    std::vector<std::string> bare;
    for (const std::string& each : known) bare.push_back(each.substr(kPrefix.size()));
    const auto nearest = nearest_name(name.substr(kPrefix.size()), bare);
    if (!nearest && name.find("__") == std::string::npos) continue;
    complain(stack, place,
             "no key of the configuration is called so" +
                 (nearest ? fmt::format(" (did you mean '{}{}'?)", kPrefix, *nearest) : std::string()));
  }
}

void add_settings(Stack& stack, const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    const std::string key = setting.substr(0, equals);
    const std::string place = "--set " + key;
    if (equals == std::string::npos || key.empty())
      complain(stack, place, "expected KEY=VALUE, such as api.listen=127.0.0.1:8463");
    else
      assign(stack, key, setting.substr(equals + 1), {Layer::kOption, place});
  }
}

/// All complaints, one line each, in the order of layers and places.
Error invalid(Stack& stack) {
  std::ranges::stable_sort(stack.complaints, {}, &Complaint::order);
  std::string text;
  for (const Complaint& complaint : stack.complaints) text += (text.empty() ? "" : "\n") + complaint.line;
  return {ErrorCode::kInvalid, text};
}

Result<Loaded> settled(Stack& stack) {
  OptionMap map;
  for (const auto& [key, assigned] : stack.effective) map[key] = assigned.text;
  std::vector<OptionError> errors;
  Loaded loaded{.config = config_table().read(map, {}, errors), .values = {}, .files = stack.files};
  check_words(loaded.config, errors);
  for (const OptionError& error : errors) {  // Of keys that somebody has set: the defaults are right.
    const Assigned& at = stack.effective.at(error.key);
    stack.complaints.push_back({at.order, fmt::format("{}: {}", at.origin.place, error.message)});
  }
  if (!stack.complaints.empty()) return tl::unexpected<Error>(invalid(stack));
  for (const OptionDoc& doc : config_docs()) {
    const auto at = stack.effective.find(doc.key);
    Value& value = loaded.values.emplace_back(Value{.doc = doc, .text = doc.default_text, .origin = {}});
    if (at == stack.effective.end()) continue;
    value.text = doc.type == "secret" ? "***" : at->second.text;
    value.origin = at->second.origin;
  }
  if (const auto listen = stack.effective.find("api.listen"); listen != stack.effective.end())
    loaded.config.api_listen_place = listen->second.origin.place;
  return loaded;
}

}  // namespace

std::string_view to_string(Layer layer) {
  switch (layer) {
    case Layer::kFile:
      return "file";
    case Layer::kEnvironment:
      return "environment";
    case Layer::kOption:
      return "option";
    case Layer::kDefault:
      break;
  }
  return "default";
}

std::string variable_of(std::string_view key) {
  std::string name(kPrefix);
  for (const char c : key)
    name += c == '.' ? std::string("__")
                     : std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  return name;
}

std::string drop_in_folder(const std::string& file) {
  return fs::path(file).replace_extension(".d").string();
}

Environment process_environment() {
  Environment all;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view text(*each);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::ranges::sort(all);
  return all;
}

namespace {

Status read_all(const Inputs& inputs, Stack& stack) {
  if (!inputs.file.empty()) {
    const Status read = add_file(stack, inputs.file);
    const bool missing = !read && read.error().code == ErrorCode::kNotFound;
    if (!read && !(missing && inputs.missing == Inputs::Missing::kDefaults))
      return tl::unexpected<Error>(read.error());
    LEAT_TRY(add_drop_ins(stack, inputs.file));
  }
  add_environment(stack, inputs.environment);
  add_settings(stack, inputs.settings);
  return {};
}

}  // namespace

Result<Loaded> load(const Inputs& inputs) {
  Stack stack;
  LEAT_TRY(read_all(inputs, stack));
  return settled(stack);
}

std::string socket_despite_errors(const Inputs& inputs) {
  Stack stack;
  (void)read_all(inputs, stack);
  const auto socket = stack.effective.find("api.socket");
  return socket == stack.effective.end() ? "" : socket->second.text;
}

Result<Config> parse_config(std::string_view text, const std::string& name) {
  Stack stack;
  LEAT_TRY(add_text(stack, text, name));
  return settled(stack).map([](const Loaded& loaded) { return loaded.config; });
}

std::vector<std::string> changed_keys(const Loaded& before, const Loaded& now) {
  // No text may be that of a key that is not set, or of one that is turned off.
  const auto is_off = [](const Value& value) {
    return value.text.empty() && value.origin.layer != Layer::kDefault;
  };
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < now.values.size(); ++i)
    if (before.values[i].text != now.values[i].text || is_off(before.values[i]) != is_off(now.values[i]))
      keys.push_back(now.values[i].doc.key);
  return keys;
}

}  // namespace leat::config
