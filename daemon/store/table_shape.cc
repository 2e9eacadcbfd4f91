#include "daemon/store/table_shape.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "daemon/store/table_cells.h"

namespace leat::store {
namespace {

constexpr std::string_view kNotNull = " NOT NULL";

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "none" : "(" + list + ")";
}

std::string column_sql(const TableShape::Column& column) {
  return sql_name(column.name) + " " + column.storage + (column.nullable() ? "" : " NOT NULL");
}

/// A reader may say less than is known: that a column may be NULL.
bool same_type(const TableShape::Column& there, const TableShape::Column& declared, Use use) {
  if (there.type == declared.type) return true;
  return use == Use::kReads && declared.nullable() && without_nullability(there.type) == declared.type;
}

bool same_names(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::ranges::equal(some, others, {}, folded, folded);
}

Status compare(const TableShape::Column& there, const TableShape::Column& declared, Use use) {
  if (!same_type(there, declared, use))
    return fail(ErrorCode::kConflict, "column '" + declared.name + "' is " + there.type +
                                          " there, but is declared " + declared.type);
  if (use == Use::kReads || there.name == declared.name) return {};
  return fail(ErrorCode::kConflict, "column '" + declared.name + "' is called '" + there.name +
                                        "' there, and SQLite does not tell upper from lower case");
}

/// What the column becomes; a reader may say less of it than is known.
TableShape::Column changed(const TableShape::Column& there, const TableShape::Column& declared, Use use) {
  if (use == Use::kWrites) return declared;
  if (same_type(there, declared, use)) return there;
  TableShape::Column column = {there.name, declared.type, declared.storage};
  if (!there.nullable() && column.nullable()) column.type += kNotNull;
  return column;
}

}  // namespace

const TableShape::Column* TableShape::find(std::string_view column) const {
  const auto found =
      std::ranges::find(columns, folded(column), [](const Column& each) { return folded(each.name); });
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
    if (known != nullptr) {
      LEAT_TRY(compare(*known, column, use));
      continue;
    }
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
  if ((use == Use::kWrites || !declared.primary_key.empty()) &&
      !same_names(declared.primary_key, there.primary_key))
    return fail(ErrorCode::kConflict, "its PRIMARY KEY is " + listed(there.primary_key) +
                                          " there, but is declared " + listed(declared.primary_key));
  return added;
}

TableShape rebuilt(const TableShape& there, const TableShape& declared, Use use) {
  TableShape shape = there;
  if (use == Use::kWrites || !declared.primary_key.empty()) shape.primary_key = declared.primary_key;
  for (TableShape::Column& column : shape.columns) {
    if (const TableShape::Column* const wanted = declared.find(column.name))
      column = changed(column, *wanted, use);
    else if (use == Use::kWrites)
      column.type = std::string(without_nullability(column.type));
  }
  for (const TableShape::Column& column : declared.columns)
    if (shape.find(column.name) == nullptr) shape.columns.push_back(column);
  for (std::string& key : shape.primary_key)
    if (const TableShape::Column* const column = shape.find(key)) key = column->name;
  return shape;
}

std::string create_sql(const std::string& name, const TableShape& shape) {
  std::string sql = "CREATE TABLE " + sql_name(name) + " (";
  for (std::size_t i = 0; i < shape.columns.size(); ++i)
    sql += (i == 0 ? "" : ", ") + column_sql(shape.columns[i]);
  if (!shape.primary_key.empty()) sql += ", PRIMARY KEY (" + sql_names(shape.primary_key) + ")";
  return sql + ") STRICT";
}

std::string folded(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
  return lower;
}

std::string_view without_nullability(std::string_view type) {
  if (type.ends_with(kNotNull)) type.remove_suffix(kNotNull.size());
  return type;
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

}  // namespace leat::store
