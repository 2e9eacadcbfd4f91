#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;
using Command = runtime::Delivery::Command;

/// How its delivery stands; null: its pipeline is down or has no such sink any more.
const runtime::SinkStatus* delivery_of(const std::vector<runtime::PipelineStatus>& pipelines,
                                       const store::OutboxStatus& outbox) {
  for (const auto& pipeline : pipelines)
    for (const auto& sink : pipeline.sinks)
      if (pipeline.name == outbox.pipeline && sink.table == outbox.sink) return &sink;
  return nullptr;
}

ordered_json outbox_json(const store::OutboxStatus& outbox, const runtime::SinkStatus* delivery) {
  ordered_json json{{"pipeline", outbox.pipeline.value},
                    {"sink", outbox.sink.value},
                    {"blocks", outbox.blocks},
                    {"bytes", outbox.bytes},
                    {"oldest", time_json(outbox.oldest)},
                    {"last_shipment", outbox.last_shipment.value},
                    {"records",
                     {{"emitted", outbox.emitted},
                      {"delivered", outbox.delivered},
                      {"rejected", outbox.rejected},
                      {"dropped", outbox.dropped},
                      {"waiting", outbox.records}}}};
  if (delivery == nullptr) return json;
  json["delivery"] = delivery->delivery;
  json["hold"] = delivery->hold;
  json["last_error"] = delivery->last_error;
  json["last_success"] = time_json(delivery->last_success);
  json["shipments"] = {{"resent", delivery->resent}, {"skipped", delivery->skipped}};
  return json;
}

int status_of(ErrorCode code) {
  if (code == ErrorCode::kNotFound) return 404;
  return code == ErrorCode::kConflict ? 409 : 503;
}

Response commanded(const ApiContext& context, const Request& request, Command command) {
  const Status done = context.host->command({request.parts.at(0)}, {request.parts.at(1)}, command);
  if (!done) return problem(status_of(done.error().code), "the sink cannot do that", done.error().message);
  return json_response({{"pipeline", request.parts.at(0)}, {"sink", request.parts.at(1)}, {"done", true}});
}

}  // namespace

Response show_outbox(const ApiContext& context, const Request&) {
  const auto status = context.store->outbox_status();
  if (!status) return problem(503, "the store cannot be read", status.error().message);
  const auto pipelines = context.host->statuses();
  ordered_json sinks = ordered_json::array();
  for (const store::OutboxStatus& outbox : *status)
    sinks.push_back(outbox_json(outbox, delivery_of(pipelines, outbox)));
  return json_response({{"store_id", context.store->id().value}, {"sinks", std::move(sinks)}});
}

Response show_sink(const ApiContext& context, const Request& request) {
  const auto status = context.store->outbox_status();
  if (!status) return problem(503, "the store cannot be read", status.error().message);
  const auto pipelines = context.host->statuses();
  for (const store::OutboxStatus& outbox : *status)
    if (outbox.pipeline.value == request.parts.at(0) && outbox.sink.value == request.parts.at(1))
      return json_response(outbox_json(outbox, delivery_of(pipelines, outbox)));
  return problem(404, "no such sink",
                 "pipeline '" + request.parts.at(0) + "' never put anything out for a sink '" +
                     request.parts.at(1) + "'");
}

Response pause_sink(const ApiContext& context, const Request& request) {
  return commanded(context, request, Command::kPause);
}

Response resume_sink(const ApiContext& context, const Request& request) {
  return commanded(context, request, Command::kResume);
}

Response resend_shipment(const ApiContext& context, const Request& request) {
  return commanded(context, request, Command::kResend);
}

Response skip_shipment(const ApiContext& context, const Request& request) {
  return commanded(context, request, Command::kSkip);
}

}  // namespace leat::api
