#include "sources/clients/webhdfs_options.h"

#include <fmt/format.h>

#include <string_view>

namespace leat::clients {
namespace {

using Part = OptionError::Part;

constexpr std::string_view kFileScheme = "file:";
constexpr std::string_view kThisMachine = "//localhost";

/// What a path begins with that is a URL: "file:". Empty: it is a plain one, which may have a ':' in a name.
std::string_view scheme_of(std::string_view path) {
  const std::size_t slash = path.find('/');
  const bool has_scheme = slash != std::string_view::npos && slash > 1 && path[slash - 1] == ':';
  if (path.starts_with(kFileScheme) || has_scheme) return path.substr(0, path.find(':') + 1);
  return {};
}

/// What is wrong with a path that is none of WebHDFS, as it goes on behind "expected"; empty: nothing.
std::string what_is_expected(const std::string& path) {
  const std::string_view scheme = scheme_of(path);
  if (scheme.empty()) return {};
  if (scheme == kFileScheme) {
    const std::string local = local_path_of(path);
    const bool whole = local.starts_with('/') && !local.starts_with("//");
    return whole ? "" : "a whole path of this machine, such as 'file:///folder'";
  }
  std::string expected = "a path, or a URL with the scheme file, webhdfs or swebhdfs";
  if (scheme == "hdfs:")
    expected += "; for hdfs:// that is 'webhdfs://namenode:9870/…', the name node's HTTP port";
  return expected;
}

void check_webhdfs(const std::string& path, const WebHdfsSettings& settings, const OptionMap& map,
                   std::vector<OptionError>& errors) {
  if (const auto parsed = parse_webhdfs_path(path); !parsed)
    errors.push_back({"path", Part::kValue, fmt::format("'path': {}", parsed.error().message)});
  if (settings.hdfs_timeout.count() <= 0)
    errors.push_back({"webhdfs.timeout", Part::kValue, "option 'webhdfs.timeout': expected more than 0"});
  for (const char* key : {"tls.ca-file", "tls.verification"})
    if (map.contains(key) && !path.starts_with("swebhdfs://"))
      errors.push_back(
          {key, Part::kKey, fmt::format("option '{}' is for a path that begins with swebhdfs://", key)});
}

}  // namespace

void check_files_path(const std::string& path, const WebHdfsSettings& settings, const OptionMap& map,
                      std::vector<OptionError>& errors) {
  if (is_webhdfs(path)) return check_webhdfs(path, settings, map, errors);
  if (const std::string expected = what_is_expected(path); !expected.empty())
    errors.push_back({"path", Part::kValue, fmt::format("'path' = '{}': expected {}", path, expected)});
  for (const char* key :
       {"webhdfs.user", "webhdfs.delegation-token", "webhdfs.timeout", "tls.ca-file", "tls.verification"})
    if (map.contains(key))
      errors.push_back(
          {key, Part::kKey,
           fmt::format("option '{}' is for a path that begins with webhdfs:// or swebhdfs://", key)});
}

std::string local_path_of(std::string path) {
  if (!path.starts_with(kFileScheme)) return path;
  path.erase(0, kFileScheme.size());
  const bool named = path.starts_with(kThisMachine) && path.find('/', 2) == kThisMachine.size();
  if (named || path.starts_with("///")) path.erase(0, named ? kThisMachine.size() : 2);
  return path;
}

WebHdfsOptions webhdfs_options(const WebHdfsPath& path, const WebHdfsSettings& settings) {
  WebHdfsOptions options;
  options.name_node = {
      .url = path.name_node,
      .connect_timeout = std::min(settings.hdfs_timeout, HttpClientOptions{}.connect_timeout),
      .request_timeout = settings.hdfs_timeout,
      .ca_file = settings.ca_file,
      .certificate_file = {},
      .key_file = {},
      .verification = settings.verification};
  options.root = path.root;
  options.user = settings.hdfs_user;
  options.delegation_token = settings.delegation_token;
  return options;
}

}  // namespace leat::clients
