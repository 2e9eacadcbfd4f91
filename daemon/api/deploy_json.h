// What deploying and reloading have in common in their bodies and answers.
#pragma once

#include <nlohmann/json.hpp>

#include "daemon/runtime/deploy.h"
#include "pipelines/base/result.h"

namespace leat::api {

/// {"kept": […], "cold": […], "dropped": […]}
nlohmann::ordered_json state_json(const runtime::StateReport& state);

/// "cold" of a body: may operators start without state? Errors: invalid (what was found).
Result<runtime::DeployRequest::Cold> read_cold(const nlohmann::json& body,
                                               runtime::DeployRequest::Cold otherwise);
/// "dry_run" of a body. Errors: invalid.
Result<runtime::DeployRequest::Run> read_run(const nlohmann::json& body);

}  // namespace leat::api
