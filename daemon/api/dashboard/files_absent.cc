// In place of what embed.py makes, where the dashboard is not built.
#include "daemon/api/dashboard/files.h"

namespace leat::api {

std::span<const DashboardFile> dashboard_files() {
  return {};
}

}  // namespace leat::api
