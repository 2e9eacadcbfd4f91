// The files of the dashboard, as the build has put them into the binary.
#pragma once

#include <span>
#include <string_view>

namespace leat::api {

/// One file of the page. All views are of the binary itself.
struct DashboardFile {
  std::string_view path;  ///< As the page asks for it: "index.html", "assets/index-Bg3Y.js".
  std::string_view content_type;
  std::string_view etag;  ///< With its quotes; of the contents.
  std::string_view gzip;  ///< The contents, compressed.
};

/// Empty: this build has no dashboard.
std::span<const DashboardFile> dashboard_files();

}  // namespace leat::api
