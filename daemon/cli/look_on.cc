// leat query, leat tail, leat trial: what the tables hold, the rows that pass, and what a query would give,
// through the daemon's API.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/pipeline_text.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/row_printer.h"
#include "daemon/cli/verbs.h"
#include "daemon/runtime/pipeline_file.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

/// A text of several lines, with the caret under its place, is printed as it is.
int complain(std::string_view verb, const Error& error) {
  std::string text;
  std::istringstream lines(error.message);
  for (std::string line; std::getline(lines, line);) text += (text.empty() ? "" : "\n") + printable(line);
  fmt::print(stderr, "leat {}: {}\n", verb, text);
  return error.code == ErrorCode::kInvalid ? kBadConfig : kFailed;
}

std::string cell_text(const ordered_json& cell) {
  return cell.is_null() ? "NULL" : text_of(cell);
}

void print_table(const ordered_json& answer) {
  std::vector<std::vector<std::string>> lines(1);
  for (const ordered_json& column : answer.at("columns")) lines[0].push_back(text_of(column.at("name")));
  for (const ordered_json& row : answer.at("rows")) {
    auto& cells = lines.emplace_back();
    for (const ordered_json& cell : row) cells.push_back(cell_text(cell));
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& cells : lines)
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], shown_width(cells[i]));
  for (const auto& cells : lines) fmt::print("{}\n", padded_line(cells, widths));
}

Result<ordered_json> read_input(const std::vector<std::string>& inputs) {
  ordered_json input = ordered_json::object();
  for (const std::string& each : inputs) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorCode::kInvalid, fmt::format("--input: expected TABLE=FILE, found '{}'", each));
    const std::string path = each.substr(equals + 1);
    const auto text = runtime::read_file(path);
    if (!text) return fail(text.error(), "--input");
    input[each.substr(0, equals)] = *text;
  }
  return input;
}

Result<ordered_json> trial_body(const TrialOptions& options) {
  LEAT_ASSIGN(const PipelineText text, read_pipeline(options.file, options.text));
  LEAT_ASSIGN(ordered_json input, read_input(options.inputs));
  ordered_json body{{"sql", text.text}, {"seconds", options.seconds}, {"rows", options.rows}};
  if (!input.empty()) body["input"] = std::move(input);
  if (!options.pipeline.empty()) body["pipeline"] = options.pipeline;
  if (!options.table.empty()) body["table"] = options.table;
  return body;
}

int print_events(const std::string& verb, const ApiClient& client, const char* method,
                 const std::string& path, const ordered_json& body, RowPrinter::Form form) {
  RowPrinter printer("leat " + verb, form);
  const Status read = client.stream(method, path, body, [&](std::string_view name, std::string_view data) {
    return printer.event(name, data);
  });
  if (read) return kOk;
  return complain(verb, read.error());
}

}  // namespace

int query(const QueryOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain("query", client.error());
  const auto answer = client->post("/api/v1/query", {{"sql", options.sql}, {"limit", options.limit}});
  if (!answer) return complain("query", answer.error());
  if (options.json) return print_json(*answer), kOk;
  print_table(*answer);
  if (answer->at("truncated").get<bool>())
    fmt::print(stderr, "leat query: there are more rows; --limit shows up to 10000\n");
  return kOk;
}

int tail(const TailOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain("tail", client.error());
  std::string path = "/api/v1/tail/" + segment(options.table);
  if (!options.pipeline.empty()) path += "?pipeline=" + segment(options.pipeline);
  const auto form = options.json ? RowPrinter::Form::kJson : RowPrinter::Form::kText;
  return print_events("tail", *client, "GET", path, {}, form);
}

int trial(const TrialOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain("trial", client.error());
  const auto body = trial_body(options);
  if (!body) return complain("trial", body.error());
  const auto form = options.json ? RowPrinter::Form::kJson : RowPrinter::Form::kText;
  return print_events("trial", *client, "POST", "/api/v1/trial", *body, form);
}

}  // namespace leat::cli
