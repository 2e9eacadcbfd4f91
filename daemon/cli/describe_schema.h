// JSON Schemas (draft 2020-12) of what can be configured, made from the tables that read and check it: for
// editors and for programs that write pipelines.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace leat::cli {

/// Of the options of a table, an object from keys to strings as in WITH ( … ): of all connectors. "$defs" has
/// "format.json", "connector.mqtt", "connector.mqtt.source", "connector.mqtt.sink".
nlohmann::ordered_json tables_schema();
/// The same of one connector, or of the options of one format. Null: there is none of the name.
nlohmann::ordered_json connector_schema(const std::string& name);
nlohmann::ordered_json format_schema(const std::string& name);
/// Of leat.toml, as an object of its tables.
nlohmann::ordered_json configuration_schema();

}  // namespace leat::cli
