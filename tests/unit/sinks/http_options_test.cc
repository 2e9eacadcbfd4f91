#include <doctest/doctest.h>

#include "sinks/connector.h"
#include "sinks/http/http_options.h"
#include "sources/clients/http_url.h"
#include "tests/unit/sinks/option_checks.h"

using namespace leat;
using namespace leat::sinks;

namespace {

OptionMap with(OptionMap more) {
  OptionMap map{{"connector", "http"}, {"format", "json"}, {"url", "http://upstream/in?x=1"}};
  more.merge(map);
  return more;
}

}  // namespace

TEST_CASE("a URL is enough for an http sink") {
  CHECK(errors_of("http", with({})).empty());
}

TEST_CASE("an http sink without a URL, or with an unknown key, says so") {
  CHECK(names(errors_of("http", {{"connector", "http"}}), "url", "url"));
  CHECK(names(errors_of("http", with({{"compresion", "gzip"}})), "compresion", "compression"));
  CHECK(names(errors_of("http", with({{"method", "GET"}})), "method", "'POST', 'PUT'"));
}

TEST_CASE("a URL that cannot be used is named without its text") {
  for (const char* url : {"ftp://h/", "http://", "http://h:0/", "http://h:99999/", "http://[::1/",
                          "http://h /", "http://h/#top", "http://user:geheim@h/"}) {
    const auto errors = errors_of("http", with({{"url", url}}));
    REQUIRE(names(errors, "url", "expected a URL"));
    CHECK(errors.front().message.find("geheim") == std::string::npos);
  }
}

TEST_CASE("a URL keeps its path and query as written, and knows default ports") {
  const auto url = clients::parse_http_url("https://[fe80::1]/a%20b?c=d&e");
  REQUIRE(url);
  CHECK(url->host == "fe80::1");
  CHECK(url->port == 443);
  CHECK(url->target == "/a%20b?c=d&e");
  CHECK(url->origin() == "https://[fe80::1]:443");
  CHECK(clients::parse_http_url("http://h:81?q")->target == "/?q");
}

TEST_CASE("headers that are not sendable, or the sink's own, are refused") {
  CHECK(names(errors_of("http", with({{"header.X Y", "1"}})), "header.X Y", "not the name"));
  CHECK(names(errors_of("http", with({{"header.X", "a\r\nb"}})), "header.X", "control character"));
  CHECK(
      names(errors_of("http", with({{"header.Idempotency-Key", "1"}})), "header.Idempotency-Key", "itself"));
  CHECK(errors_of("http", with({{"header.authorization", "Bearer t"}})).empty());
}

TEST_CASE("names of headers are the same in upper and lower case") {
  CHECK(names(errors_of("http", with({{"header.X-Site", "a"}, {"header.x-site", "b"}})), "header.x-site",
              "given twice"));
  const HttpOptions options =
      validated_options(http_options(), with({{"header.CONTENT-type", "text/plain"}}));
  CHECK(gives_header(options, "content-type"));
  CHECK_FALSE(gives_header(options, "x-site"));
}

TEST_CASE("an option that cannot be read does not hide what else is wrong") {
  const auto errors = errors_of("http", {{"url", "ftp://x"}, {"method", "GET"}});
  CHECK(errors.size() == 2);
  CHECK(names(errors, "method", "GET"));
  CHECK(names(errors, "url", "expected a URL"));
}

TEST_CASE("credentials are given in one way") {
  CHECK(names(errors_of("http", with({{"user", "u"}, {"token", "t"}})), "token", "not several"));
  CHECK(
      names(errors_of("http", with({{"user", "u"}, {"header.Authorization", "x"}})), "user", "not several"));
  CHECK(names(errors_of("http", with({{"password", "p"}})), "user", "needs 'user'"));
  CHECK(
      names(errors_of("http", with({{"tls.key-file", "k.pem"}})), "tls.certificate-file", "need each other"));
}

TEST_CASE("tokens by OAuth need an endpoint, a client and its secret, and nothing besides") {
  const OptionMap whole{
      {"oauth2.token-url", "https://id/t"}, {"oauth2.client-id", "c"}, {"oauth2.client-secret", "s"}};
  CHECK(errors_of("http", with(whole)).empty());
  CHECK(names(errors_of("http", with({{"oauth2.scope", "x"}})), "oauth2.token-url", "'oauth2.scope' needs"));
  CHECK(names(errors_of("http", with({{"oauth2.token-url", "https://id/t"}})), "oauth2.client-id", "needs"));
  CHECK(names(errors_of("http", with({{"oauth2.token-url", "id/t"}})), "oauth2.token-url", "expected a URL"));
  OptionMap twice = whole;
  twice.emplace("token", "t");
  CHECK(names(errors_of("http", with(twice)), "oauth2.token-url", "not several"));
}

TEST_CASE("a proxy is an http URL without a path") {
  CHECK(errors_of("http", with({{"proxy.url", "http://proxy:3128"}, {"proxy.user", "u"}})).empty());
  CHECK(
      names(errors_of("http", with({{"proxy.url", "https://proxy:3128"}})), "proxy.url", "reached by http"));
  CHECK(names(errors_of("http", with({{"proxy.url", "http://proxy/x"}})), "proxy.url", "reached by http"));
  CHECK(names(errors_of("http", with({{"proxy.user", "u"}})), "proxy.url", "'proxy.user' needs"));
  CHECK(names(errors_of("http", with({{"proxy.password", "p"}})), "proxy.user", "needs 'proxy.user'"));
}

TEST_CASE("a JSON body needs the JSON format") {
  CHECK(names(errors_of("http", with({{"format", "csv"}})), "body", "use 'lines' or 'single'"));
  CHECK(errors_of("http", with({{"format", "csv"}, {"body", "lines"}})).empty());
}

TEST_CASE("header values, passwords and tokens are documented as secrets") {
  for (const OptionDoc& doc : http_options().docs())
    if (doc.key == "header.*" || doc.key.ends_with("password") || doc.key == "token" ||
        doc.key == "oauth2.client-secret")
      CHECK(doc.type == "secret");
}

TEST_CASE("batch limits are what the options say") {
  const BatchLimits limits = find_sink("http")->batch_limits(
      with({{"sink.batch.max-rows", "7"}, {"sink.batch.max-bytes", "2 kb"}, {"sink.batch.linger", "3 s"}}));
  CHECK(limits.max_rows == 7);
  CHECK(limits.max_bytes.bytes == 2048);
  CHECK(limits.linger == Micros(3 * kMicrosPerSecond));
}
