#include "daemon/store/table_shape.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "daemon/store/table_cells.h"

namespace leat::store {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "none" : "(" + list + ")";
}

std::string column_sql(const TableShape::Column& column) {
  return sql_name(column.name) + " " + column.storage + (column.nullable() ? "" : " NOT NULL");
}

/// "DECIMAL" of "DECIMAL(10, 2) NOT NULL".
std::string_view family_of(std::string_view type) {
  return type.substr(0, type.find_first_of("( <"));
}

std::string_view without_nullability(std::string_view type) {
  constexpr std::string_view kNotNull = " NOT NULL";
  if (type.ends_with(kNotNull)) type.remove_suffix(kNotNull.size());
  return type;
}

/// A reader may say less than is known: that a column may be NULL.
bool same_type(const TableShape::Column& there, const TableShape::Column& declared, Use use) {
  if (there.type == declared.type) return true;
  return use == Use::kReads && declared.nullable() && without_nullability(there.type) == declared.type;
}

bool is_text(std::string_view family) {
  return family == "STRING" || family == "VARCHAR" || family == "CHAR";
}

/// Each of these holds every value of those before it.
constexpr std::array<std::string_view, 4> kIntegers = {"TINYINT", "SMALLINT", "INT", "BIGINT"};

bool widens(std::string_view from, std::string_view to) {
  const auto small = std::ranges::find(kIntegers, from);
  const auto large = std::ranges::find(kIntegers, to);
  if (small != kIntegers.end() && large != kIntegers.end()) return small < large;
  return from == "FLOAT" && to == "DOUBLE";
}

}  // namespace

const TableShape::Column* TableShape::find(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

TableShape shape_of(const sources::LocalTable& table) {
  TableShape shape;
  for (const Type::Field& field : table.columns.fields)
    shape.columns.push_back({field.name, field.type.to_string(), std::string(storage_of(field.type))});
  for (const std::size_t key : table.primary_key) shape.primary_key.push_back(table.columns.fields[key].name);
  return shape;
}

std::string shape_to_json(const TableShape& shape) {
  auto columns = nlohmann::ordered_json::array();
  for (const TableShape::Column& column : shape.columns)
    columns.push_back({{"name", column.name}, {"type", column.type}, {"storage", column.storage}});
  const nlohmann::ordered_json json = {{"columns", columns}, {"primary_key", shape.primary_key}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<TableShape> shape_from_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  TableShape shape;
  const auto text_of = [](const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (json.is_object() && json.contains("columns") && json["columns"].is_array())
    for (const auto& column : json["columns"])
      if (column.is_object())
        shape.columns.push_back(
            {text_of(column, "name"), text_of(column, "type"), text_of(column, "storage")});
  if (shape.columns.empty())
    return fail(ErrorCode::kCorrupt,
                "the shape of a table cannot be read: " + std::string(text.substr(0, 200)));
  if (json.contains("primary_key"))
    for (const auto& name : json["primary_key"])
      if (name.is_string()) shape.primary_key.push_back(name.get<std::string>());
  return shape;
}

Result<std::vector<TableShape::Column>> added_columns(const TableShape& there, const TableShape& declared,
                                                      Use use) {
  std::vector<TableShape::Column> added;
  for (const TableShape::Column& column : declared.columns) {
    const TableShape::Column* known = there.find(column.name);
    if (known != nullptr && same_type(*known, column, use)) continue;
    if (known != nullptr)
      return fail(ErrorCode::kConflict, "column '" + column.name + "' is " + known->type +
                                            " there, but is declared " + column.type);
    if (!column.nullable())
      return fail(ErrorCode::kConflict, "column '" + column.name +
                                            "' is not there, and is declared NOT NULL: only columns that may "
                                            "be NULL are added to a table that is there");
    added.push_back(column);
  }
  if (use == Use::kWrites)
    for (const TableShape::Column& column : there.columns)
      if (!column.nullable() && declared.find(column.name) == nullptr)
        return fail(ErrorCode::kConflict,
                    "column '" + column.name + "' is NOT NULL there, but is not declared");
  if ((use == Use::kWrites || !declared.primary_key.empty()) && declared.primary_key != there.primary_key)
    return fail(ErrorCode::kConflict, "its PRIMARY KEY is " + listed(there.primary_key) +
                                          " there, but is declared " + listed(declared.primary_key));
  return added;
}

std::string create_sql(const std::string& name, const TableShape& shape) {
  std::string sql = "CREATE TABLE " + sql_name(name) + " (";
  for (std::size_t i = 0; i < shape.columns.size(); ++i)
    sql += (i == 0 ? "" : ", ") + column_sql(shape.columns[i]);
  if (!shape.primary_key.empty()) sql += ", PRIMARY KEY (" + sql_names(shape.primary_key) + ")";
  return sql + ") STRICT";
}

std::string sql_name(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + "\"";
}

std::string sql_names(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + sql_name(name);
  return list;
}

std::optional<std::string> conversion(const TableShape::Column& from, const TableShape::Column& to) {
  const std::string column = sql_name(from.name);
  const std::string_view old_type = without_nullability(from.type);
  const std::string_view new_type = without_nullability(to.type);
  if (old_type == new_type) return column;
  const std::string_view old_family = family_of(old_type);
  const std::string_view new_family = family_of(new_type);
  const bool from_integer = std::ranges::find(kIntegers, old_family) != kIntegers.end();
  const bool same_values = widens(old_family, new_family) || (is_text(old_family) && new_type == "STRING") ||
                           (old_family == new_family && old_family.starts_with("TIME")) ||
                           (old_family == "VARBINARY" && new_type == "BYTES");
  if (same_values) return column;
  if (from_integer && new_family == "DOUBLE" && old_family != "BIGINT") return "CAST(" + column + " AS REAL)";
  if (new_type == "STRING" && (from_integer || old_family == "DATE" || old_family.starts_with("TIME")))
    return "CAST(" + column + " AS TEXT)";
  return std::nullopt;
}

}  // namespace leat::store
