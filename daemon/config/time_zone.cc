#include "daemon/config/time_zone.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace leat::config {
namespace {

const std::string kZones = "/usr/share/zoneinfo/";

bool is_zone(const std::string& name) {
  std::error_code error;
  return !name.empty() && name[0] != '/' && std::filesystem::is_regular_file(kZones + name, error);
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

std::string host_time_zone() {
  for (const std::string& name : {from_environment(), from_localtime(), from_timezone_file()})
    if (is_zone(name)) return name;
  return "UTC";
}

}  // namespace leat::config
