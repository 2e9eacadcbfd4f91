#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"

namespace leat::api {

Response health(const ApiContext&, const Request&) {
  return json_response({{"ok", true}});
}

Response readiness(const ApiContext& context, const Request&) {
  std::vector<std::string> reasons;
  const bool ready = context.host->ready(reasons);
  return json_response({{"ready", ready}, {"reasons", reasons}}, ready ? 200 : 503);
}

}  // namespace leat::api
