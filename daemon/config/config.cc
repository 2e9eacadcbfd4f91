#include "daemon/config/config.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace leat::config {
namespace {

const OptionTable<Config>& config_table() {
  static const OptionTable<Config> table{
      option("data_dir", &Config::data_dir, Necessity::kOptional, "Folder of the store and the journals."),
      option("pipelines_dir", &Config::pipelines_dir, Necessity::kOptional,
             "Folder whose *.sql files are run, one pipeline per file."),
      option("stop_timeout", &Config::stop_timeout, Necessity::kOptional,
             "How long a stop may take to drain before it commits and ends."),
      option("gateway.id", &Config::gateway_id, Necessity::kOptional,
             "Name of this gateway in headers, keys and metrics; default: from the store's id."),
      option("api.listen", &Config::api_listen, Necessity::kOptional,
             "Loopback address and port of the REST API; port 0 picks a free one; empty turns it off."),
      option("log.level", &Config::log_level, Necessity::kOptional, "debug, info, warn or error."),
      option("log.format", &Config::log_format, Necessity::kOptional,
             "text, json or auto (journald's form under systemd, else text)."),
      option("dead_letters.max_bytes", &Config::dead_letters_max_bytes, Necessity::kOptional,
             "Dead letters above this push out the oldest, which are counted."),
      option("dead_letters.max_count", &Config::dead_letters_max_count, Necessity::kOptional,
             "As do dead letters above this number."),
      option("store.max_bytes", &Config::store_max_bytes, Necessity::kOptional,
             "What the store may hold; at least 1 mb. Sinks that may drop make room, the oldest results "
             "first; pipelines whose sinks block wait. Default: no bound.")};
  return table;
}

constexpr std::uint64_t kLeastStore = 1 << 20;

struct Entry {
  std::string value;
  toml::node_type type = toml::node_type::string;
  toml::source_position place;
};

/// "a string, such as "5 s"" of a key's documented type; texts in quotes are TOML's.
std::string expected_text(const OptionDoc& doc) {
  return doc.default_text.empty() ? fmt::format("a {} in quotes", doc.type)
                                  : fmt::format("a {} in quotes, such as \"{}\"", doc.type, doc.default_text);
}

std::string_view found_text(toml::node_type type) {
  switch (type) {
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::array:
      return "an array";
    default:
      return "a date or time";
  }
}

/// All values of this table are text, as a number without a unit says too little; a size in bytes and a count
/// may be one.
void check_types(const std::map<std::string, Entry>& entries, std::vector<OptionError>& errors) {
  const std::string_view kSize = option_text::name_of(static_cast<const ByteSize*>(nullptr));
  const std::string_view kCount = option_text::name_of(static_cast<const std::uint64_t*>(nullptr));
  for (const OptionDoc& doc : config_table().docs()) {
    const auto entry = entries.find(doc.key);
    if (entry == entries.end() || entry->second.type == toml::node_type::string) continue;
    const bool may_be_bare = doc.type == kSize || doc.type == kCount;
    if (entry->second.type == toml::node_type::integer && may_be_bare) continue;
    errors.push_back({doc.key, OptionError::Part::kValue,
                      fmt::format("{}: expected {}, found {}", doc.key, expected_text(doc),
                                  found_text(entry->second.type))});
  }
}

/// The leaves of the document as dotted keys with text values.
void flatten(const toml::table& table, const std::string& prefix, std::map<std::string, Entry>& entries) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table(); inner != nullptr) {
      flatten(*inner, name + ".", entries);
      continue;
    }
    std::string text;
    if (const auto* string = node.as_string(); string != nullptr) {
      text = string->get();
    } else {
      std::ostringstream printed;
      printed << toml::node_view<const toml::node>(node);
      text = printed.str();
    }
    entries[name] = {text, node.type(), key.source().begin};
  }
}

/// What the types of the table do not know. The messages name the key, the caller adds the place.
void check_words(const Config& config, std::vector<OptionError>& errors) {
  const auto refuse = [&](const std::string& key, const std::string& message) {
    errors.push_back({key, OptionError::Part::kValue, message});
  };
  if (const auto level = log::parse_level(config.log_level); !level)
    refuse("log.level", "log.level: " + level.error().message);
  if (config.log_format != "auto" && config.log_format != "text" && config.log_format != "json")
    refuse("log.format",
           fmt::format("log.format: expected 'auto', 'text' or 'json', found '{}'", config.log_format));
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  if (!std::all_of(config.gateway_id.begin(), config.gateway_id.end(), plain))
    refuse("gateway.id",
           "gateway.id: only letters, digits, '-', '_' and '.' are allowed, as it travels in headers");
  if (config.store_max_bytes && config.store_max_bytes->bytes < kLeastStore)
    refuse("store.max_bytes", "store.max_bytes: expected 1 mb or more, as the store's own tables need room");
  if (config.api_listen.empty()) return;
  if (const auto address = parse_listen(config.api_listen); !address)
    refuse("api.listen", address.error().message);
}

void in_order_of_place(const std::map<std::string, Entry>& entries, std::vector<OptionError>& errors) {
  const auto place = [&](const OptionError& error) {
    const toml::source_position& at = entries.at(error.key).place;
    return std::pair(at.line, at.column);
  };
  std::stable_sort(errors.begin(), errors.end(),
                   [&](const OptionError& a, const OptionError& b) { return place(a) < place(b); });
}

Result<Config> from_table(const toml::table& document, const std::string& name) {
  std::map<std::string, Entry> entries;
  flatten(document, "", entries);
  OptionMap map;
  for (const auto& [key, entry] : entries) map[key] = entry.value;
  std::vector<OptionError> errors;
  check_types(entries, errors);
  // A value of the wrong type is reported once, as that; the field keeps its default, which is right.
  for (const OptionError& error : errors) map.erase(error.key);
  Config config = config_table().read(map, {}, errors);
  check_words(config, errors);
  in_order_of_place(entries, errors);
  std::string messages;
  for (const OptionError& error : errors) {
    const auto& place = entries.at(error.key).place;
    if (!messages.empty()) messages += '\n';
    messages += fmt::format("{}:{}:{}: {}", name, place.line, place.column, error.message);
  }
  if (!messages.empty()) return fail(ErrorCode::kInvalid, messages);
  return config;
}

}  // namespace

bool is_loopback(std::string_view host) {
  in_addr address{};
  const bool is_v4 = ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
  return host == "localhost" || host == "::1" || (is_v4 && host.starts_with("127."));
}

std::vector<OptionDoc> config_docs() {
  return config_table().docs();
}

Result<Config> parse_config(std::string_view text, const std::string& name) {
  try {
    return from_table(toml::parse(text, name), name);
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    return fail(ErrorCode::kInvalid,
                fmt::format("{}:{}:{}: {}", name, place.line, place.column, error.description()));
  }
}

Result<Config> read_config(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return fail(ErrorCode::kInvalid, fmt::format("{}: is a folder, expected a configuration file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kNotFound, fmt::format("{}: cannot be read", path));
  std::ostringstream text;
  text << file.rdbuf();
  return parse_config(text.str(), path);
}

Result<ListenAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  ListenAddress address;
  const auto refuse = [&](std::string_view why) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("api.listen: {}, found '{}' (expected a form such as '127.0.0.1:8463')", why, text));
  };
  if (colon == std::string_view::npos) return refuse("the port is missing");
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size())
    return refuse("the port is not a number to 65535");
  if (!is_loopback(address.host))
    return refuse("only a loopback address is allowed, because the API asks for no password in this version");
  return address;
}

}  // namespace leat::config
