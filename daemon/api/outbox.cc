#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"

namespace leat::api {

Response show_outbox(const ApiContext& context, const Request&) {
  const auto status = context.store->outbox_status();
  if (!status) return problem(503, "the store cannot be read", status.error().message);
  nlohmann::ordered_json sinks = nlohmann::ordered_json::array();
  for (const store::OutboxStatus& sink : *status)
    sinks.push_back({{"pipeline", sink.pipeline.value},
                     {"sink", sink.sink.value},
                     {"blocks", sink.blocks},
                     {"bytes", sink.bytes},
                     {"oldest", time_json(sink.oldest)},
                     {"last_shipment", sink.last_shipment.value},
                     {"records",
                      {{"emitted", sink.emitted},
                       {"delivered", sink.delivered},
                       {"rejected", sink.rejected},
                       {"dropped", sink.dropped},
                       {"waiting", sink.records}}}});
  return json_response({{"store_id", context.store->id().value}, {"sinks", std::move(sinks)}});
}

}  // namespace leat::api
