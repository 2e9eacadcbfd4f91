#include "daemon/api/dashboard.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <string>

using namespace leat;
using namespace leat::api;

namespace {

std::string gzip(const std::string& text) {
  std::array<char, 1024> room{};
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(room.data());
  stream.avail_out = static_cast<uInt>(room.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  deflateEnd(&stream);
  return {room.data(), stream.total_out};
}

const std::string kText(100'000, 'x');

const std::string& packed() {
  static const std::string kPacked = gzip(kText);
  return kPacked;
}

Response asked(std::string_view path, const std::string& accepts, const std::string& holds = "") {
  Request request;
  request.accept_encoding = accepts;
  request.if_none_match = holds;
  const std::array<DashboardFile, 2> files{{
      {"assets/index-1.js", "text/javascript; charset=utf-8", "\"1a\"", packed()},
      {"index.html", "text/html; charset=utf-8", "\"2b\"", packed()},
  }};
  return dashboard_file(files, path, request);
}

std::string header(const Response& response, const std::string& name) {
  const auto found = std::ranges::find(response.headers, name, &std::pair<std::string, std::string>::first);
  return found == response.headers.end() ? "" : found->second;
}

}  // namespace

TEST_CASE("a file of the dashboard goes out as it lies there to who takes gzip") {
  for (const char* accepts : {"gzip", "br, gzip;q=0.8", "gzip, deflate, br", "*"}) {
    const Response response = asked("index.html", accepts);
    CHECK(header(response, "Content-Encoding") == "gzip");
    CHECK(response.body == packed());
  }
}

TEST_CASE("a file of the dashboard is unpacked for who does not take gzip") {
  for (const char* accepts : {"", "br", "identity", "gzip;q=0", "gzip; q=0.0, br", "x-gzip-not"}) {
    const Response response = asked("index.html", accepts);
    CHECK(header(response, "Content-Encoding").empty());
    CHECK(response.body == kText);
  }
}

TEST_CASE("files with their hash in the name are kept for ever, the page is asked about") {
  CHECK(header(asked("assets/index-1.js", ""), "Cache-Control").find("immutable") != std::string::npos);
  CHECK(header(asked("index.html", ""), "Cache-Control") == "no-cache");
}

TEST_CASE("who holds the file already is sent none") {
  for (const char* holds : {"\"2b\"", "W/\"2b\"", "\"0\", \"2b\"", "*"}) {
    const Response response = asked("index.html", "gzip", holds);
    CHECK(response.status == 304);
    CHECK(response.body.empty());
    CHECK(header(response, "ETag") == "\"2b\"");
  }
  CHECK(asked("index.html", "gzip", "\"1a\"").status == 200);
}

TEST_CASE("the dashboard runs no script but its own, in no frame, with no exception") {
  const std::string policy = header(asked("index.html", ""), "Content-Security-Policy");
  CHECK(policy.starts_with("default-src 'none'; script-src 'self';"));
  CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
  CHECK(policy.find("unsafe") == std::string::npos);
}

TEST_CASE("what is no file of the dashboard is not found") {
  for (const char* path : {"assets/index-2.js", "assets/", "", "../index.html"})
    CHECK(asked(path, "").status == 404);
}

TEST_CASE("a build without its dashboard says so") {
  const Response response = dashboard_page({}, {});
  CHECK(response.status == 200);
  if (dashboard_files().empty()) CHECK(response.body.find("has no dashboard") != std::string::npos);
  if (!dashboard_files().empty()) CHECK(response.content_type == "text/html; charset=utf-8");
}
