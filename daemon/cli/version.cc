#include <MQTTAsync.h>
#include <absl/base/config.h>
#include <fmt/format.h>
#include <httplib.h>
#include <librdkafka/rdkafka.h>
#include <modbus/modbus.h>
#include <openssl/crypto.h>
#include <simdjson.h>
#include <sqlite3.h>
#include <uv.h>
#include <zlib.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/cli/verbs.h"
#include "leat_version.h"

namespace leat::cli {
namespace {

std::string paho_version() {
  MQTTAsync_nameValue* info = MQTTAsync_getVersionInfo();
  for (; info != nullptr && info->name != nullptr; ++info)
    if (std::strcmp(info->name, "Version") == 0) return info->value;
  return "unknown";
}

std::string parts(int major, int minor, int patch) {
  return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace

std::string version_text() {
  using Library = std::pair<std::string_view, std::string>;
  const std::vector<Library> libraries = {
      {"SQLite", sqlite3_libversion()},
      {"libuv", uv_version_string()},
      {"Paho MQTT C", paho_version()},
      {"Paho MQTT C++", kPahoCppVersion},
      {"librdkafka", rd_kafka_version_str()},
      {"libmodbus",
       fmt::format("{}.{}.{}", libmodbus_version_major, libmodbus_version_minor, libmodbus_version_micro)},
      {"Avro C", kAvroVersion},
      {"libcbor", kCborVersion},
      {"protobuf", kProtobufVersion},
      {"cpp-httplib", CPPHTTPLIB_VERSION},
      {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
      {"simdjson", parts(simdjson::SIMDJSON_VERSION_MAJOR, simdjson::SIMDJSON_VERSION_MINOR,
                         simdjson::SIMDJSON_VERSION_REVISION)},
      {"nlohmann/json",
       parts(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
      {"Abseil", fmt::format("{}.{}", ABSL_LTS_RELEASE_VERSION, ABSL_LTS_RELEASE_PATCH_LEVEL)},
      {"RE2", kRe2Version},
      {"fmt", parts(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"spdlog", kSpdlogVersion},
      {"CLI11", kCliVersion},
      {"toml++", kTomlVersion},
      {"prometheus-cpp", kPrometheusVersion},
      {"zlib", zlibVersion()},
      {"zstd", kZstdVersion}};
  std::string text = fmt::format("leat {}", kVersion);
  for (const auto& [name, version] : libraries) text += fmt::format("\n{} {}", name, version);
  return text;
}

}  // namespace leat::cli
