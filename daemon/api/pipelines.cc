#include "daemon/api/json_text.h"
#include "daemon/api/redact.h"
#include "daemon/api/routes.h"
#include "daemon/runtime/status.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;

ordered_json source_json(const runtime::SourceStatus& source) {
  const runtime::SourceCounters& c = source.counters;
  return {{"table", source.table.value},
          {"connector", source.connector},
          {"link", to_string(source.health.link)},
          {"detail", source.health.detail},
          {"connects", source.health.connects},
          {"losses", source.health.losses},
          {"sessions_lost", source.health.sessions_lost},
          {"refused", source.health.refused},
          {"last_refusal", source.health.last_refusal},
          {"missed", source.health.missed},
          {"last_miss", source.health.last_miss},
          {"trouble", source.health.trouble},
          {"messages",
           {{"received", c.received},
            {"decoded", c.decoded},
            {"empty", c.empty},
            {"dead", c.dead},
            {"redelivered", c.redelivered},
            {"dropped", c.dropped},
            {"lost", c.lost},
            {"queued", c.queued}}},
          {"rows", c.rows},
          {"received_bytes", c.received_bytes},
          {"intake_bytes", source.intake_bytes},
          {"set_aside_files", source.set_aside_files},
          {"disk", source.health.disk}};
}

ordered_json latency_json(const exec::Latency& latency) {
  return {{"count", latency.count()},
          {"p50_micros", latency.quantile_micros(0.5)},
          {"p99_micros", latency.quantile_micros(0.99)},
          {"max_micros", latency.longest_micros()}};
}

ordered_json operator_json(const exec::Dataflow::OperatorInfo& info) {
  const exec::OperatorCounters& c = info.counters;
  return {{"name", info.name},
          {"description", info.description},
          {"inputs", info.inputs},
          {"watermark", time_json(info.watermark)},
          {"rows",
           {{"in", c.rows_in},
            {"passed", c.passed},
            {"filtered", c.filtered},
            {"late", c.late},
            {"dead", c.dead},
            {"applied", c.applied},
            {"out", c.rows_out}}},
          {"given_up", c.given_up},
          {"keys", info.keys},
          {"memory_bytes", info.memory_bytes},
          {"latency", latency_json(info.latency)}};
}

ordered_json sink_json(const runtime::SinkStatus& sink) {
  const runtime::DeliveryStatus& delivery = sink.delivery;
  const bool keeps_rows = sink.local_table || sink.stream;
  return {{"table", sink.table.value},
          {"connector", sink.connector},
          {"rows", sink.counters.rows},
          {"dead", sink.counters.dead},
          {"emitted", sink.counters.emitted},
          {"written", keeps_rows ? ordered_json(sink.written) : ordered_json(nullptr)},
          {"delivery", sink.outbox ? to_string(delivery.state) : "none"},
          {"hold", to_string(delivery.hold)},
          {"resent", delivery.resent},
          {"skipped", delivery.skipped},
          {"attempts", delivery.attempts},
          {"last_success", time_json(delivery.last_success)},
          {"last_error", delivery.last_error}};
}

ordered_json summary(const ApiContext& context, const runtime::PipelineStatus& status) {
  return {{"name", status.name.value},
          {"file", status.file.empty() ? ordered_json(nullptr) : ordered_json(status.file)},
          {"state", to_string(status.state)},
          {"error", status.error},
          {"refused", status.refused},
          {"waiting_for", status.waiting_for},
          {"outages", runtime::outages(status, context.clock->wall())},
          {"watermark", time_json(status.watermark)},
          {"last_commit", status.last_commit.value},
          {"last_commit_time", time_json(status.last_commit_time)},
          {"dead_letters", status.dead_letters},
          {"restarts", status.restarts}};
}

/// What it runs, and who may change that.
void add_text(const ApiContext& context, const PipelineName& pipeline, ordered_json& body) {
  const auto text = context.host->text(pipeline);
  if (!text) return;
  body["origin"] = to_string(text->origin);
  body["version"] = text->version;
  body["identity"] = text->identity.value;
  body["sql"] = text->sql ? ordered_json(redact_sql(*text->sql)) : ordered_json(nullptr);
}

Response steered(const ApiContext& context, const Request& request, runtime::Steering steering) {
  const PipelineName pipeline{request.parts.at(0)};
  const auto before = context.host->text(pipeline);
  const Status done = context.host->steer(pipeline, steering);
  if (!done)
    return problem(done.error().code == ErrorCode::kInvalid ? 422 : status_of(done.error().code),
                   "the pipeline cannot do that", done.error().message);
  ordered_json body{{"pipeline", pipeline.value}, {"done", true}};
  const auto now = context.host->text(pipeline);
  if (steering == runtime::Steering::kRestart && before && now && before->sql != now->sql)
    body["note"] = "its file had changed: it runs the new text";
  return json_response(body);
}

}  // namespace

Response pause_pipeline(const ApiContext& context, const Request& request) {
  return steered(context, request, runtime::Steering::kPause);
}

Response resume_pipeline(const ApiContext& context, const Request& request) {
  return steered(context, request, runtime::Steering::kResume);
}

Response restart_pipeline(const ApiContext& context, const Request& request) {
  return steered(context, request, runtime::Steering::kRestart);
}

Response list_pipelines(const ApiContext& context, const Request&) {
  ordered_json list = ordered_json::array();
  for (const auto& status : context.host->statuses()) list.push_back(summary(context, status));
  return json_response({{"pipelines", std::move(list)}});
}

Response show_pipeline(const ApiContext& context, const Request& request) {
  for (const auto& status : context.host->statuses()) {
    if (status.name.value != request.parts.at(0)) continue;
    ordered_json body = summary(context, status);
    add_text(context, status.name, body);
    body["last_commit_micros"] = status.last_commit_micros;
    body["commit_waits_micros"] = status.commit_waits_micros;
    body["sources"] = ordered_json::array();
    for (const auto& source : status.sources) body["sources"].push_back(source_json(source));
    body["operators"] = ordered_json::array();
    for (const auto& info : status.operators) body["operators"].push_back(operator_json(info));
    body["sinks"] = ordered_json::array();
    for (const auto& sink : status.sinks) body["sinks"].push_back(sink_json(sink));
    body["accounting_violations"] = runtime::accounting_violations(status);
    return json_response(body);
  }
  return problem(404, "no such pipeline", "there is no pipeline '" + request.parts.at(0) + "'");
}

}  // namespace leat::api
