// Local tables: what there is, loading rows, dropping and migrating.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"
#include "daemon/runtime/status.h"
#include "daemon/runtime/table_load.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;

ordered_json table_json(const store::TableStatus& table) {
  ordered_json columns = ordered_json::array();
  for (const auto& column : table.columns) columns.push_back({{"name", column.name}, {"type", column.type}});
  ordered_json users = ordered_json::array();
  for (const auto& user : table.users)
    users.push_back({{"pipeline", user.pipeline.value}, {"role", user.role}});
  return {{"name", table.name},
          {"rows", table.rows},
          {"columns", std::move(columns)},
          {"primary_key", table.primary_key},
          {"indexes", table.indexes},
          {"users", std::move(users)},
          {"migration_wanted", table.migration_wanted},
          {"declaration", runtime::declaration_of(table)}};
}

Response failure(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return problem(404, "no such table", error.message);
    case ErrorCode::kInvalid:
      return problem(400, "it cannot be done", error.message);
    case ErrorCode::kConflict:
      return problem(409, "it cannot be done now", error.message);
    default:
      return problem(503, "the store does not do it", error.message);
  }
}

/// Pipelines that run and use the table, as a list; empty: none.
std::string running_users(const ApiContext& context, const store::TableStatus& table) {
  std::string list;
  for (const runtime::PipelineStatus& status : context.host->statuses()) {
    using State = runtime::PipelineState;
    const bool runs = status.state == State::kRunning || status.state == State::kStalled ||
                      status.state == State::kStarting;
    const auto uses = [&](const store::TableUser& user) { return user.pipeline == status.name; };
    if (runs && std::ranges::any_of(table.users, uses))
      list += (list.empty() ? "'" : ", '") + status.name.value + "'";
  }
  return list;
}

/// Nothing when the table is there and no running pipeline uses it.
std::optional<Response> refuse_change(const ApiContext& context, const std::string& name) {
  const auto table = context.store->tables().find(name);
  if (!table) return failure(table.error());
  const std::string users = running_users(context, *table);
  if (users.empty()) return std::nullopt;
  return problem(409, "the table is in use",
                 fmt::format("'{}' is used by {}: pause or remove the pipeline first", table->name, users));
}

}  // namespace

Response list_tables(const ApiContext& context, const Request&) {
  const auto tables = context.store->tables().list();
  if (!tables) return failure(tables.error());
  ordered_json list = ordered_json::array();
  for (const store::TableStatus& table : *tables) list.push_back(table_json(table));
  return json_response({{"tables", std::move(list)}});
}

Response show_table(const ApiContext& context, const Request& request) {
  const auto tables = context.store->tables().list();
  if (!tables) return failure(tables.error());
  const auto found = std::ranges::find(*tables, request.parts.at(0), &store::TableStatus::name);
  if (found == tables->end())
    return problem(404, "no such table", "there is no table '" + request.parts.at(0) + "'");
  ordered_json body{{"table", found->name}};
  body.update(table_json(*found));
  return json_response(body);
}

Response load_table(const ApiContext& context, const Request& request) {
  const auto text_of = [&](const char* member) {
    const auto found = request.body.find(member);
    return found != request.body.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const std::string rows = text_of("rows");
  runtime::TableText text{.format = text_of("format"), .text = rows};
  if (const auto columns = request.body.find("columns"); columns != request.body.end())
    for (const auto& column : *columns)
      if (column.is_string()) text.columns.push_back(column.get<std::string>());
  const auto loaded =
      runtime::load_into_table(context.store->tables(), request.parts.at(0), text, context.clock->wall());
  if (!loaded) return failure(loaded.error());
  return json_response(
      {{"rows", loaded->rows}, {"refused", loaded->refused}, {"first_refusal", loaded->first_refusal}});
}

Response drop_table(const ApiContext& context, const Request& request) {
  if (auto refused = refuse_change(context, request.parts.at(0))) return *std::move(refused);
  const Status dropped = context.store->tables().drop(request.parts.at(0));
  return dropped ? json_response({{"dropped", request.parts.at(0)}}) : failure(dropped.error());
}

Response migrate_table(const ApiContext& context, const Request& request) {
  if (auto refused = refuse_change(context, request.parts.at(0))) return *std::move(refused);
  const Status migrated = context.store->tables().migrate(request.parts.at(0));
  return migrated ? json_response({{"migrated", request.parts.at(0)}}) : failure(migrated.error());
}

}  // namespace leat::api
