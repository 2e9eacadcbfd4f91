// The dashboard, a page that asks the API like everybody else. It is served to anyone, as it holds nothing;
// what it shows needs the token that it asks for.
#pragma once

#include "daemon/api/dashboard/files.h"
#include "daemon/api/routes.h"

namespace leat::api {

/// GET /: the page; a line of text where this build has none.
Response dashboard_page(const ApiContext& context, const Request& request);
/// GET /assets/{file}: what the page is made of.
Response dashboard_asset(const ApiContext& context, const Request& request);

/// 200 with the file, or 304 to who has it already. `path` as in DashboardFile; 404: none of them.
Response dashboard_file(std::span<const DashboardFile> files, std::string_view path, const Request& request);

}  // namespace leat::api
