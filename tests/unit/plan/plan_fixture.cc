#include "tests/unit/plan/plan_fixture.h"

#include <doctest/doctest.h>

#include "pipelines/base/options.h"
#include "pipelines/plan/explain.h"

namespace leat::plan::testing {
namespace {

struct StreamOptions {
  std::string url;
  std::uint32_t qos = 1;
};
const OptionTable<StreamOptions>& stream_options() {
  static const OptionTable<StreamOptions> table{
      option("url", &StreamOptions::url, Necessity::kRequired, "Where."),
      option("qos", &StreamOptions::qos, Necessity::kOptional, "How sure.")};
  return table;
}

struct FileOptions {
  std::string path;
  bool follow = false;
};
const OptionTable<FileOptions>& file_options() {
  static const OptionTable<FileOptions> table{
      option("path", &FileOptions::path, Necessity::kRequired, "Where."),
      option("follow", &FileOptions::follow, Necessity::kOptional, "Go on at the end.")};
  return table;
}

struct OutOptions {
  std::string url;
};
const OptionTable<OutOptions>& out_options() {
  static const OptionTable<OutOptions> table{
      option("target", &OutOptions::url, Necessity::kOptional, "Where to.")};
  return table;
}

struct JsonOptions {
  bool strict = false;
};
const OptionTable<JsonOptions>& json_options() {
  static const OptionTable<JsonOptions> table{
      option("json.strict", &JsonOptions::strict, Necessity::kOptional, "Refuse more.")};
  return table;
}

template <class Options>
auto validate_with(const OptionTable<Options>& table) {
  return [&table](const OptionMap& map, const std::vector<OptionDoc>& foreign,
                  std::vector<OptionError>& errors) { table.read(map, foreign, errors); };
}

Catalog make_catalog() {
  const Type topic = Type::string().with_nullable(false);
  ConnectorInfo stream{.name = "stream", .can_read = true, .needs_format = true};
  stream.source_options = [] { return stream_options().docs(); };
  stream.validate_source = validate_with(stream_options());
  stream.metadata = [topic](const OptionMap&) {
    return std::vector<MetadataColumn>{{"topic", topic}, {"qos", Type::integer()}};
  };
  ConnectorInfo file{
      .name = "file", .can_read = true, .can_write = true, .has_partitions = true, .needs_format = true};
  file.source_options = [] { return file_options().docs(); };
  file.sink_options = [] { return file_options().docs(); };
  file.validate_source = validate_with(file_options());
  file.validate_sink = validate_with(file_options());
  file.bounded = [](const OptionMap& options) { return !options.contains("follow"); };
  ConnectorInfo out{.name = "out", .can_write = true};
  out.sink_options = [] { return out_options().docs(); };
  out.validate_sink = validate_with(out_options());
  out.metadata = [](const OptionMap&) {
    return std::vector<MetadataColumn>{{"headers", Type::string(), true}, {"sent", Type::timestamp_ltz(3)}};
  };
  ConnectorInfo kept = out;
  kept.name = "kept";
  kept.changes = SinkChanges::kUpsert;
  FormatInfo json{.name = "json", .can_decode = true, .can_encode = true};
  json.options = [] { return json_options().docs(); };
  json.validate = [](const OptionMap& map, const Schema&, std::vector<OptionError>& errors) {
    OptionMap own;
    for (const auto& [key, value] : map)
      if (key.starts_with("json.")) own[key] = value;
    json_options().read(own, {}, errors);
  };
  return {{stream, file, out, kept}, {json, FormatInfo{.name = "lines", .can_encode = true}}};
}

}  // namespace

const Catalog& catalog() {
  static const Catalog instance = make_catalog();
  return instance;
}

std::string tables() {
  return "CREATE TABLE readings (device STRING, temperature DOUBLE, humidity INT, note STRING, ts "
         "TIMESTAMP(3), "
         "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) "
         "WITH ('connector' = 'stream', 'url' = 'tcp://x', 'format' = 'json');"
         "CREATE TABLE alerts (device STRING, temperature DOUBLE) WITH ('connector' = 'out');"
         "CREATE TABLE results (device STRING, starts TIMESTAMP(3), average DOUBLE) WITH ('connector' = "
         "'out');\n";
}

PlanOutcome plan_text(std::string_view text) {
  return plan_pipeline({.file = "fleet.sql", .text = text, .overrides = {}, .allow_select = true}, catalog());
}

PlanOutcome plan_query(std::string_view text) {
  const std::string whole = tables() + std::string(text);
  return plan_text(whole);
}

Plan planned(std::string_view text) {
  PlanOutcome outcome = plan_query(text);
  INFO(rendered(outcome));
  REQUIRE(outcome.ok());
  return std::move(outcome.plan);
}

std::string explained(std::string_view text) {
  return "\n" + explain(planned(text), ExplainDetail::kPlan);
}

std::string rendered(const PlanOutcome& outcome) {
  std::string text;
  for (const Message& message : outcome.messages) text += message.rendered;
  return text;
}

std::string errors_of(std::string_view text) {
  std::string errors;
  for (const Message& message : plan_query(text).messages) {
    if (!errors.empty()) errors += "\n";
    errors += "[" + std::to_string(message.column) + "] " + message.text;
  }
  return errors;
}

std::string type_of(std::string_view expression) {
  const Plan plan = planned("SELECT " + std::string(expression) + " FROM readings");
  return plan.sinks[0]->schema.fields[0].type.to_string();
}

std::string bound(std::string_view expression) {
  const Plan plan = planned("SELECT " + std::string(expression) + " FROM readings");
  const auto* project = find<ProjectNode>(plan, NodeKind::kProject);
  REQUIRE(project != nullptr);
  return to_string(*project->exprs[0]);
}

namespace {
const Node* find_below(const Node& node, NodeKind kind) {
  if (node.kind == kind) return &node;
  for (const NodePtr& input : node.inputs)
    if (const Node* found = find_below(*input, kind)) return found;
  return nullptr;
}
}  // namespace

const Node* find_node(const Plan& plan, NodeKind kind) {
  for (const auto& sink : plan.sinks)
    if (const Node* found = find_below(*sink, kind)) return found;
  return nullptr;
}

}  // namespace leat::plan::testing
