// The API's description of itself: OpenAPI 3.1, made from the route table.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "daemon/api/routes.h"

namespace leat::api {

nlohmann::ordered_json openapi(std::span<const Route> routes, const std::string& version);

/// The same table for people: a page of the reference, Markdown.
std::string routes_page(std::span<const Route> routes);

}  // namespace leat::api
