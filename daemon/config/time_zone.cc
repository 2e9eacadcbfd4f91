#include "daemon/config/time_zone.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace leat::config {
namespace {

std::filesystem::path zone_folder() {
  const char* const given = std::getenv("TZDIR");
  return given != nullptr && *given != '\0' ? given : "/usr/share/zoneinfo";
}

std::string from_environment() {
  const char* const given = std::getenv("TZ");
  const std::string name = given == nullptr ? "" : given;
  return name.starts_with(':') ? name.substr(1) : name;
}

std::string from_localtime() {
  std::error_code error;
  const std::string target = std::filesystem::canonical("/etc/localtime", error).string();
  const std::size_t at = target.find("zoneinfo/");
  return error || at == std::string::npos ? "" : target.substr(at + std::string("zoneinfo/").size());
}

std::string from_timezone_file() {
  std::string name;
  std::ifstream file("/etc/timezone");
  std::getline(file, name);
  return name;
}

}  // namespace

bool is_installed_zone(std::string_view name) {
  std::error_code error;
  return !name.empty() && name[0] != '/' && name.find("..") == std::string_view::npos &&
         std::filesystem::is_regular_file(zone_folder() / name, error);
}

std::string host_time_zone() {
  for (const std::string& name : {from_environment(), from_localtime(), from_timezone_file()})
    if (is_installed_zone(name)) return name;
  return "UTC";
}

}  // namespace leat::config
