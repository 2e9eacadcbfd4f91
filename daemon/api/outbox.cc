#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"
#include "daemon/runtime/delivery_report.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;
using Command = runtime::Delivery::Command;

ordered_json records_json(const store::OutboxStatus& sink) {
  return {{"emitted", sink.emitted},
          {"delivered", sink.delivered},
          {"rejected", sink.rejected},
          {"dropped", sink.dropped},
          {"dropped_by",
           {{"drop-oldest", sink.dropped_by.oldest},
            {"drop-newest", sink.dropped_by.newest},
            {"max-age", sink.dropped_by.age},
            {"store.max_bytes", sink.dropped_by.file}}},
          {"waiting", sink.records}};
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json policy_json(const plan::DeliveryOptions& options) {
  ordered_json policy = {{"on_full", runtime::to_string(options.on_full)},
                         {"max_bytes", options.buffer_max_bytes.bytes},
                         {"max_age", nullptr},
                         {"order", runtime::to_string(options.order)},
                         {"bytes_per_second", nullptr},
                         {"rows_per_second", nullptr},
                         {"schedule", text_or_null(options.schedule)}};
  if (options.buffer_max_age) policy["max_age"] = format_duration(*options.buffer_max_age);
  if (options.max_bytes_per_second) policy["bytes_per_second"] = options.max_bytes_per_second->bytes;
  if (options.max_rows_per_second) policy["rows_per_second"] = *options.max_rows_per_second;
  return policy;
}

ordered_json delivery_json(const runtime::SinkStatus& sink) {
  const runtime::DeliveryStatus& delivery = sink.delivery;
  const std::string reason = runtime::reason_of(delivery, sink.options);
  return {{"state", to_string(delivery.state)},
          {"hold", to_string(delivery.hold)},
          {"why", text_or_null(reason)},
          {"next_try", reason.empty() ? ordered_json(nullptr) : time_json(delivery.waiting_until)},
          {"attempts", delivery.attempts},
          {"retries", delivery.retries},
          {"shipments", {{"resent", delivery.resent}, {"skipped", delivery.skipped}}},
          {"last_success", time_json(delivery.last_success)},
          {"last_error", delivery.last_error},
          {"rows_per_second", sink.rate.rows},
          {"bytes_per_second", sink.rate.bytes}};
}

/// The sink of a running pipeline whose outbox it is; null: of one that is not there any more.
const runtime::SinkStatus* find_sink(const std::vector<runtime::PipelineStatus>& pipelines,
                                     const store::OutboxStatus& outbox) {
  for (const runtime::PipelineStatus& pipeline : pipelines)
    for (const runtime::SinkStatus& sink : pipeline.sinks)
      if (pipeline.name == outbox.pipeline && sink.table == outbox.sink && sink.outbox) return &sink;
  return nullptr;
}

ordered_json outbox_json(const ApiContext& context, const store::OutboxStatus& outbox,
                         const std::vector<runtime::PipelineStatus>& pipelines) {
  const std::int64_t age = outbox.oldest == 0 ? 0 : context.clock->wall() - outbox.oldest;
  ordered_json json{{"pipeline", outbox.pipeline.value},
                    {"sink", outbox.sink.value},
                    {"blocks", outbox.blocks},
                    {"bytes", outbox.bytes},
                    {"oldest", time_json(outbox.oldest)},
                    {"age_seconds", age / kMicrosPerSecond},
                    {"last_shipment", outbox.last_shipment.value},
                    {"records", records_json(outbox)},
                    {"policy", nullptr},
                    {"delivery", nullptr}};
  if (const runtime::SinkStatus* sink = find_sink(pipelines, outbox)) {
    json["policy"] = policy_json(sink->options);
    json["delivery"] = delivery_json(*sink);
  }
  return json;
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
  const std::vector<runtime::PipelineStatus> pipelines = context.host->statuses();
  ordered_json sinks = ordered_json::array();
  for (const store::OutboxStatus& outbox : *status) sinks.push_back(outbox_json(context, outbox, pipelines));
  return json_response({{"store_id", context.store->id().value},
                        {"store_full", context.store->file_full()},
                        {"sinks", std::move(sinks)}});
}

Response show_sink(const ApiContext& context, const Request& request) {
  const auto status = context.store->outbox_status();
  if (!status) return problem(503, "the store cannot be read", status.error().message);
  const auto pipelines = context.host->statuses();
  for (const store::OutboxStatus& outbox : *status)
    if (outbox.pipeline.value == request.parts.at(0) && outbox.sink.value == request.parts.at(1))
      return json_response(outbox_json(context, outbox, pipelines));
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

Response purge_outbox(const ApiContext& context, const Request& request) {
  if (const auto all = request.body.find("all"); all == request.body.end() || *all != true)
    return problem(400, "wrong parameter",
                   "results on their way would be lost: say that all of them are meant with 'all' = true");
  const auto purged = context.host->purge_outbox({request.parts.at(0)}, {request.parts.at(1)});
  if (!purged)
    return problem(status_of(purged.error().code), "nothing is thrown away", purged.error().message);
  return json_response({{"pipeline", request.parts.at(0)},
                        {"sink", request.parts.at(1)},
                        {"dropped", purged->dropped},
                        {"waiting", purged->remaining}});
}

}  // namespace leat::api
