#include <MQTTAsync.h>
#include <fmt/format.h>
#include <httplib.h>
#include <librdkafka/rdkafka.h>
#include <simdjson.h>
#include <sqlite3.h>
#include <uv.h>
#include <zlib.h>

#include <cstring>

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

}  // namespace

std::string version_text() {
  return fmt::format(
      "leat {}\nSQLite {}\nlibuv {}\nPaho MQTT C {}\nlibrdkafka {}\ncpp-httplib {}\nsimdjson {}.{}.{}\nzlib "
      "{}",
      kVersion, sqlite3_libversion(), uv_version_string(), paho_version(), rd_kafka_version_str(),
      CPPHTTPLIB_VERSION, static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR),
      static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR),
      static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION), zlibVersion());
}

}  // namespace leat::cli
