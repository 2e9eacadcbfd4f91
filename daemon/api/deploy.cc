// Deploying, removing and renaming pipelines.
#include <fmt/format.h>

#include <set>

#include "daemon/api/deploy_json.h"
#include "daemon/api/json_text.h"
#include "daemon/api/redact.h"
#include "daemon/api/routes.h"
#include "daemon/api/sql_errors.h"
#include "daemon/runtime/deploy.h"
#include "pipelines/base/nearest.h"
#include "pipelines/sql/diagnostic.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;
using runtime::Part;

Response failure(const Error& error, const std::string& title) {
  return problem(error.code == ErrorCode::kInvalid ? 422 : status_of(error.code), title, error.message);
}

Response refusal(const runtime::DeployRefusal& refused) {
  if (!refused.messages.empty()) return sql_problem(refused.messages);
  if (!refused.state) return failure(refused.error, "the pipeline cannot be deployed");
  Response response = problem(409, "operators would start cold", refused.error.message);
  ordered_json body = ordered_json::parse(response.body);
  body["state"] = state_json(*refused.state);
  response.body = body.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

/// A text that was read from here has lost its secrets.
plan::Message hidden_secret(const std::string& sql, std::size_t line) {
  const sql::SourceText source(kSqlFile, sql);
  const std::uint32_t begin = source.line_begin(line);
  const auto end = static_cast<std::uint32_t>(begin + source.line(line).size());
  const sql::Diagnostic error{
      .span = {begin, end},
      .message = "a secret of this text is not there: it is the *** that the API shows in its place",
      .hint = "write the secret itself, or a reference such as '${file:/etc/leat/password}'"};
  return {.line = line,
          .column = 1,
          .length = sql::count_characters(source.line(line)),
          .text = error.message,
          .rendered = sql::render(error, source)};
}

/// What the body asks for. Errors: invalid (which member, and what was found).
Result<runtime::DeployRequest> read_deployment(const Request& request) {
  runtime::DeployRequest wanted{.pipeline = {request.parts.at(0)}, .sql = {}};
  const auto sql = request.body.find("sql");
  if (sql == request.body.end() || !sql->is_string())
    return fail(ErrorCode::kInvalid, "'sql' is missing: the text of the pipeline");
  wanted.sql = sql->get<std::string>();
  LEAT_ASSIGN(wanted.cold, read_cold(request.body, wanted.cold));
  LEAT_ASSIGN(wanted.run, read_run(request.body));
  return wanted;
}

/// "journal,state" or "all". Errors: invalid.
Result<std::set<Part>> read_parts(const std::string& words) {
  std::set<Part> parts;
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = std::min(words.find(',', begin), words.size());
    const std::string word = words.substr(begin, end - begin);
    begin = end + 1;
    std::vector<std::string> known{"all"};
    bool found = word == "all";
    for (const Part part : runtime::kAllParts) {
      known.emplace_back(to_string(part));
      if (word != "all" && word != to_string(part)) continue;
      parts.insert(part);
      found = true;
    }
    if (!found)
      return fail(ErrorCode::kInvalid,
                  fmt::format("there is no part '{}'{}: 'purge' takes journal, state, outbox, "
                              "tables, separated by commas, or all",
                              word, did_you_mean(word, known)));
  }
  return parts;
}

}  // namespace

ordered_json state_json(const runtime::StateReport& state) {
  ordered_json kept = ordered_json::array();
  for (const auto& each : state.kept) kept.push_back({{"operator", each.name}, {"keys", each.keys}});
  ordered_json cold = ordered_json::array();
  for (const auto& each : state.cold) cold.push_back({{"operator", each.name}, {"why", each.why}});
  return {{"kept", std::move(kept)}, {"cold", std::move(cold)}, {"dropped", state.dropped}};
}

Result<runtime::DeployRequest::Cold> read_cold(const nlohmann::json& body,
                                               runtime::DeployRequest::Cold otherwise) {
  const auto cold = body.find("cold");
  if (cold == body.end()) return otherwise;
  if (*cold == "accept") return runtime::DeployRequest::Cold::kAccept;
  if (*cold == "refuse") return runtime::DeployRequest::Cold::kRefuse;
  return fail(ErrorCode::kInvalid,
              fmt::format("'cold' is 'refuse' or 'accept', found {}", cold->dump(-1, ' ', true)));
}

Result<runtime::DeployRequest::Run> read_run(const nlohmann::json& body) {
  const auto dry = body.find("dry_run");
  if (dry == body.end()) return runtime::DeployRequest::Run::kReal;
  if (!dry->is_boolean())
    return fail(ErrorCode::kInvalid,
                fmt::format("'dry_run' is true or false, found {}", dry->dump(-1, ' ', true)));
  return dry->get<bool>() ? runtime::DeployRequest::Run::kDry : runtime::DeployRequest::Run::kReal;
}

Response deploy_pipeline(const ApiContext& context, const Request& request) {
  const auto wanted = read_deployment(request);
  if (!wanted) return problem(400, "wrong parameter", wanted.error().message);
  if (const std::size_t line = line_of_redacted(wanted->sql); line > 0)
    return sql_problem({hidden_secret(wanted->sql, line)});
  const runtime::DeployOutcome outcome = context.host->deploy(*wanted);
  if (!outcome) return refusal(outcome.error());
  const bool dry = wanted->run == runtime::DeployRequest::Run::kDry;
  return json_response({{"pipeline", request.parts.at(0)},
                        {"version", outcome->version},
                        {"created", outcome->created},
                        {"changed", outcome->changed},
                        {"dry_run", dry},
                        {"state", state_json(outcome->state)},
                        {"warnings", outcome->warnings},
                        {"sessions", outcome->sessions}},
                       outcome->created && !dry ? 201 : 200);
}

Response remove_pipeline(const ApiContext& context, const Request& request) {
  const auto words = request.query.find("purge");
  const auto parts = read_parts(words == request.query.end() ? "" : words->second);
  if (!parts) return problem(400, "wrong parameter", parts.error().message);
  const auto removed = context.host->remove({request.parts.at(0)}, *parts);
  if (!removed) return failure(removed.error(), "the pipeline cannot be removed");
  return json_response({{"pipeline", request.parts.at(0)},
                        {"removed", removed->was_there},
                        {"kept", removed->kept},
                        {"purged", removed->purged},
                        {"notes", removed->notes},
                        {"sessions", removed->sessions}});
}

Response rename_pipeline(const ApiContext& context, const Request& request) {
  const auto to = request.body.find("to");
  if (to == request.body.end() || !to->is_string())
    return problem(400, "wrong parameter", "'to' is missing: the pipeline's new name");
  const Status renamed = context.host->rename({request.parts.at(0)}, {to->get<std::string>()});
  if (!renamed) return failure(renamed.error(), "the pipeline cannot be renamed");
  return json_response({{"pipeline", request.parts.at(0)}, {"renamed", *to}});
}

}  // namespace leat::api
