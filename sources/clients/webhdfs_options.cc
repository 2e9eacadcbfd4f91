#include "sources/clients/webhdfs_options.h"

#include <fmt/format.h>

#include <string_view>

namespace leat::clients {
namespace {

using Part = OptionError::Part;

constexpr std::string_view kFileScheme = "file://";

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
  const std::size_t scheme = path.find("://");
  if (scheme != std::string::npos && scheme < path.find('/') && !path.starts_with(kFileScheme)) {
    const bool native = path.starts_with("hdfs://");
    errors.push_back(
        {"path", Part::kValue,
         fmt::format("'path' = '{}': expected a path, or a URL with the scheme file, webhdfs or "
                     "swebhdfs{}",
                     path,
                     native ? "; for hdfs:// that is 'webhdfs://namenode:9870/…', the name node's "
                              "HTTP port"
                            : "")});
  }
  for (const char* key :
       {"webhdfs.user", "webhdfs.delegation-token", "webhdfs.timeout", "tls.ca-file", "tls.verification"})
    if (map.contains(key))
      errors.push_back(
          {key, Part::kKey,
           fmt::format("option '{}' is for a path that begins with webhdfs:// or swebhdfs://", key)});
}

std::string local_path_of(std::string path) {
  if (path.starts_with(kFileScheme)) path.erase(0, kFileScheme.size());
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
