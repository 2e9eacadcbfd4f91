#include "daemon/api/dashboard.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

namespace leat::api {
namespace {

/// Its own files only, nothing written into the page, and no other page may frame it.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The names of these files change with their contents.
constexpr const char* kForEver = "public, max-age=31536000, immutable";
/// Kept, but asked about each time.
constexpr const char* kAskAgain = "no-cache";

constexpr const char* kAbsent =
    "This build of Leat has no dashboard: npm was not there when it was built, or LEAT_DASHBOARD was OFF.\n"
    "The API is here all the same, at /api/v1/pipelines and beside it, and the leat command uses it.\n";

/// Whether an Accept-Encoding takes gzip; one that names it with q=0 does not.
bool takes_gzip(std::string_view accepted) {
  while (!accepted.empty()) {
    const std::size_t end = std::min(accepted.find(','), accepted.size());
    std::string_view each = accepted.substr(0, end);
    accepted.remove_prefix(std::min(end + 1, accepted.size()));
    each.remove_prefix(std::min(each.find_first_not_of(' '), each.size()));
    const std::string_view name = each.substr(0, each.find_first_of("; "));
    const std::size_t weight = each.find("q=0");
    const bool refused =
        weight != std::string_view::npos && each.find_first_of("123456789", weight) == std::string_view::npos;
    if (name == "gzip" || name == "*") return !refused;
  }
  return false;
}

/// If-None-Match: a list of tags, some perhaps weak, or a star.
bool has_already(std::string_view held, std::string_view etag) {
  return held == "*" || held.find(etag) != std::string_view::npos;
}

/// Contents of the build itself, so that it cannot fail but for a defect; then the text ends early.
std::string unpacked(std::string_view gzip) {
  constexpr int kGzipFormat = 16 + MAX_WBITS;
  std::string text;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipFormat) != Z_OK) return text;
  // zlib's interface takes what it only reads as not const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  std::array<char, 16384> room{};
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    state = inflate(&stream, Z_NO_FLUSH);
    text.append(room.data(), room.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  return text;
}

}  // namespace

Response dashboard_file(std::span<const DashboardFile> files, std::string_view path, const Request& request) {
  const auto file = std::ranges::find(files, path, &DashboardFile::path);
  if (file == files.end()) return problem(404, "not found", fmt::format("there is nothing at /{}", path));
  Response response{.status = 200, .body = {}, .content_type = std::string(file->content_type)};
  response.headers = {{"ETag", std::string(file->etag)},
                      {"Cache-Control", path.starts_with("assets/") ? kForEver : kAskAgain},
                      {"Vary", "Accept-Encoding"},
                      {"Content-Security-Policy", kPolicy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"}};
  if (has_already(request.if_none_match, file->etag)) {
    response.status = 304;
  } else if (takes_gzip(request.accept_encoding)) {
    response.body = file->gzip;
    response.headers.emplace_back("Content-Encoding", "gzip");
  } else {
    response.body = unpacked(file->gzip);
  }
  return response;
}

Response dashboard_page(const ApiContext&, const Request& request) {
  if (dashboard_files().empty()) return {200, kAbsent, "text/plain; charset=utf-8"};
  return dashboard_file(dashboard_files(), "index.html", request);
}

Response dashboard_asset(const ApiContext&, const Request& request) {
  return dashboard_file(dashboard_files(), "assets/" + request.parts.at(0), request);
}

}  // namespace leat::api
