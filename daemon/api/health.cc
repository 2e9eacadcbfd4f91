#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"

namespace leat::api {

Response health(const ApiContext&, const Request&) {
  return json_response({{"ok", true}});
}

Response readiness(const ApiContext& context, const Request&) {
  std::vector<std::string> reasons;
  const bool ready = context.host->ready(reasons);
  const loop::ClockStatus clock = context.clock->status();
  // A clock that is not right is shown and no reason: what runs goes on without it.
  return json_response({{"ready", ready},
                        {"reasons", reasons},
                        {"clock",
                         {{"state", to_string(clock.state)},
                          {"detail", describe(clock, context.clock->plausible_from())},
                          {"time", time_json(context.clock->wall())},
                          {"jumps_forward", clock.jumps_forward},
                          {"jumps_back", clock.jumps_back}}}},
                       ready ? 200 : 503);
}

}  // namespace leat::api
