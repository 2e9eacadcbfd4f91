#include <doctest/doctest.h>

#include "sources/clients/oauth_token.h"
#include "sources/clients/proxy_tunnel.h"

using namespace leat;
using namespace leat::clients;

namespace {

OAuthOptions oauth() {
  OAuthOptions options;
  options.client_id = "mill";
  options.client_secret = Secret("a&b=c d");
  return options;
}

std::string refusal(std::string_view answer) {
  const auto token = read_token(answer);
  return token ? "" : token.error().message;
}

}  // namespace

TEST_CASE("a token is asked for in a form, whose values are encoded") {
  OAuthOptions options = oauth();
  CHECK(token_request(options) == "grant_type=client_credentials");
  options.scope = "rows.write a/b";
  options.credentials = OAuthOptions::Credentials::kBody;
  CHECK(token_request(options) ==
        "grant_type=client_credentials&scope=rows.write%20a%2Fb&client_id=mill&client_secret=a%26b%3Dc%20d");
}

TEST_CASE("a granted token is read with its lifetime") {
  const auto token =
      read_token(R"({"access_token":"abc","token_type":"bearer","expires_in":3600,"scope":"x"})");
  REQUIRE(token);
  CHECK(token->value.reveal() == "abc");
  CHECK(token->lifetime == std::chrono::hours(1));
  CHECK_FALSE(read_token(R"({"access_token":"abc","token_type":"Bearer"})")->lifetime);
  const auto as_text = read_token(R"({"access_token":"abc","token_type":"Bearer","expires_in":"3599"})");
  CHECK(as_text->lifetime == std::chrono::seconds(3599));
}

TEST_CASE("an answer without a token that can be used says what is wrong with it") {
  for (const char* answer : {"", "[]", "<html>", "{}", R"({"access_token":7,"token_type":"Bearer"})"})
    CHECK(refusal(answer).find("'access_token'") != std::string::npos);
  CHECK(refusal(R"({"access_token":"abc","token_type":"mac"})").find("'mac'") != std::string::npos);
  // A number that no duration can hold is cut.
  CHECK(read_token(R"({"access_token":"a","token_type":"Bearer","expires_in":1e300})")->lifetime <=
        std::chrono::hours(24 * 366));
}

TEST_CASE("a proxy is asked for a way with the user's name, if it has one") {
  HttpProxy proxy{"proxy", 3128, "", {}};
  CHECK(tunnel_request(proxy, "mill:443") == "CONNECT mill:443 HTTP/1.1\r\nHost: mill:443\r\n\r\n");
  proxy.user = "u";
  proxy.password = Secret("p");
  CHECK(tunnel_request(proxy, "mill:443").find("Proxy-Authorization: Basic dTpw\r\n") != std::string::npos);
  CHECK(HttpProxy{"::1", 8080, "", {}}.authority() == "[::1]:8080");
}

TEST_CASE("a proxy's answer opens the way, asks for a human, or is tried again") {
  CHECK(read_tunnel_answer("HTTP/1.1 200 Connection established\r\n\r\n"));
  CHECK(read_tunnel_answer("HTTP/1.0 407 Proxy Authentication Required\r\n\r\n").error().code ==
        ErrorCode::kInvalid);
  CHECK(read_tunnel_answer("HTTP/1.1 502 Bad Gateway\r\n\r\n").error().message ==
        "it answered 502 Bad Gateway");
  for (const char* nonsense :
       {"", "\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 \r\n\r\n", "HTTP/1.1 x\r\n\r\n"})
    CHECK(read_tunnel_answer(nonsense).error().code == ErrorCode::kUnavailable);
}
