#include "pipelines/sql/secret_text.h"

#include <doctest/doctest.h>

#include "pipelines/sql/diagnostic.h"

using namespace leat::sql;

namespace {

std::string hidden(std::string_view text) {
  return HiddenText(text).text();
}

}  // namespace

TEST_CASE("the values of options that name a secret are hidden") {
  CHECK(hidden("WITH ('password' = 'hunter2', 'format' = 'json')") ==
        "WITH ('password' = '***', 'format' = 'json')");
  for (const char* key :
       {"tls.key-password", "properties.sasl.password", "properties.sasl.jaas.config", "token",
        "header.X-Site", "properties.ssl.key.pem", "PASSWORD", "client-secret", "api-key"})
    CHECK(hidden("'" + std::string(key) + "'='x y'") == "'" + std::string(key) + "'='***'");
}

TEST_CASE("what names no secret stays") {
  const std::string text =
      "CREATE TABLE t (token STRING, pass INT) WITH ('topic' = 'a/b', 'tls.key' = '/k.pem', 'key.fields' = "
      "'x',"
      "'url' = 'mqtt://host:1883', 'properties.security.protocol' = 'ssl', 'username' = 'u');"
      "SELECT token FROM t WHERE token = pass AND a IN ('x') -- don't\n";
  CHECK(hidden(text) == text);
}

TEST_CASE("a placeholder stays, a text around it does not") {
  for (const std::string value : {"${env:A}", "Bearer ${file:/run/t}", "${credential:mqtt}"})
    CHECK(hidden("'token' = '" + value + "'") == "'token' = '" + value + "'");
  CHECK(hidden("'token' = 'abc${env:A}'") == "'token' = '***'");
}

TEST_CASE("secrets are found in comments, hints, other quotes and broken text") {
  CHECK(hidden("-- don't use 'password' = 'hunter2'") == "-- don't use 'password' = '***'");
  CHECK(hidden("/*+ OPTIONS('password'='hunter2') */") == "/*+ OPTIONS('password'='***') */");
  CHECK(hidden("\"password\" = \"hunter2\"") == "\"password\" = \"***\"");
  CHECK(hidden("'password' 'hunter2'") == "'password' '***'");
  CHECK(hidden("'password' = hunter2, x") == "'password' = ***, x");
  CHECK(hidden("password = 'hunter2'") == "password = '***'");
  CHECK(hidden("'pasword' = 'hunter2'") == "'pasword' = '***'");
  CHECK(hidden("'password' = 'hunter2\n") == "'password' = '***");
  CHECK(hidden("'password' = /* new */ 'hunter2'") == "'password' = /* new */ '***'");
}

TEST_CASE("a secret ends at its own quote") {
  CHECK(hidden("'password' = 'it''s', 'a' = 'b'") == "'password' = '***', 'a' = 'b'");
  CHECK(hidden(R"('password' = E'it\'s', 'a' = 'b')") == R"('password' = E'***', 'a' = 'b')");
  CHECK(hidden("'password' = U&'x', 'a' = 'b'") == "'password' = U&'***', 'a' = 'b'");
}

TEST_CASE("passwords in URLs are hidden, in their authority and in their query") {
  CHECK(hidden("'mqtt://user:pa@ss@host:1883/x'") == "'mqtt://user:***@host:1883/x'");
  CHECK(hidden("'https://key@host/'") == "'https://***@host/'");
  CHECK(hidden("'https://host/in?site=3&api_key=abc&x=1'") == "'https://host/in?site=3&api_key=***&x=1'");
}

TEST_CASE("an error shows neither the secret of its line nor quotes it, and the caret stays in its place") {
  const std::string text = "WITH ('password' = 'hunter2', 'fromat' = 'json')";
  const SourceText source("a.sql", text);
  const auto begin = static_cast<std::uint32_t>(text.find("'fromat'"));
  CHECK(render({Severity::kError, {begin, begin + 8}, "unknown, found 'hunter2'", ""}, source) ==
        "a.sql:1:31: error: unknown, found '***'\n"
        "  WITH ('password' = '***', 'fromat' = 'json')\n"
        "                            ^~~~~~~~\n");
}

TEST_CASE("a large text of hostile pieces does not take for ever") {
  for (const char* piece :
       {"'password' = '", "\"token\"=E'\\'", "?key=", "'token'=/*", "'token'=${", "://@"}) {
    std::string text;
    while (text.size() < (1 << 20)) text += piece;
    CHECK(HiddenText(text).text().size() <= text.size());
  }
}

TEST_CASE("any bytes are taken") {
  for (const std::string& text : {std::string("'"), std::string("'password'"), std::string("'password' ="),
                                  std::string("'password' = '"), std::string("'password' = E'\\"),
                                  std::string("://@"), std::string("?key="), std::string("\0'\xFF", 3)})
    CHECK(HiddenText(text).text().size() <= text.size() + 3);
}
