#include "daemon/store/health.h"
#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"

namespace leat::api {

Response health(const ApiContext&, const Request&) {
  return json_response({{"ok", true}});
}

Response readiness(const ApiContext& context, const Request& request) {
  std::vector<std::string> reasons;
  bool ready = context.host->ready(reasons);
  if (const store::StoreHealth disk = store::health_of(*context.store); !disk.problem.empty()) {
    reasons.push_back("the disk refuses the store: " + disk.problem);
    ready = false;
  }
  if (const store::StoreHealth disk = store::health_of(*context.store); !disk.damage.empty()) {
    reasons.push_back(disk.damage);
    ready = false;
  }
  if (context.stopping && context.stopping()) {
    reasons.emplace_back("the daemon stops: pipelines process what they have, and commit");
    ready = false;
  }
  // What runs goes on, but the next start would end with it.
  if (const std::string why = context.refused_configuration ? context.refused_configuration() : "";
      !why.empty()) {
    reasons.push_back("the configuration is refused, what was in force stays: " + why);
    ready = false;
  }
  // Names of pipelines, sinks and hosts are not for whoever passes by.
  if (request.role == Role::kAnyone) return json_response({{"ready", ready}}, ready ? 200 : 503);
  // An uplink that is away is what a gateway is for: it is told, and the daemon stays ready.
  std::vector<std::string> outages;
  for (const runtime::PipelineStatus& status : context.host->statuses())
    for (std::string& sentence : runtime::outages(status, context.clock->wall()))
      outages.push_back(std::move(sentence));
  // And damage that is over: what runs goes on without what is lost, but somebody should look at the disk.
  std::vector<std::string> damage;
  for (const runtime::PipelineStatus& status : context.host->statuses())
    for (std::string& sentence : runtime::journal_damages(status)) damage.push_back(std::move(sentence));
  // So is a clock that is not right: what runs goes on without it.
  const loop::ClockStatus clock = context.clock->status();
  return json_response({{"ready", ready},
                        {"reasons", reasons},
                        {"outages", outages},
                        {"leftovers", context.host->leftovers()},
                        {"damage", damage},
                        {"clock",
                         {{"state", to_string(clock.state)},
                          {"detail", describe(clock, context.clock->plausible_from())},
                          {"time", time_json(context.clock->wall())},
                          {"jumps_forward", clock.jumps_forward},
                          {"jumps_back", clock.jumps_back}}}},
                       ready ? 200 : 503);
}

}  // namespace leat::api
