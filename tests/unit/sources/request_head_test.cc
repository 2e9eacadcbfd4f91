#include "sources/listen/request_head.h"

#include <doctest/doctest.h>

#include <string>

using namespace leat;
using namespace leat::listen;

namespace {

/// "name=value;" of each field, or "no".
std::string read(const std::string& fields) {
  const std::string head = "POST /r HTTP/1.1\r\n" + fields + "\r\n";
  const auto read = read_head(head);
  if (!read) return "no";
  std::string all;
  for (const auto& [name, value] : *read) all += std::string(name) + "=" + std::string(value) + ";";
  return all;
}

}  // namespace

TEST_CASE("fields come as they are, in their order, without the blanks around the value") {
  CHECK(read("") == "");
  CHECK(read("Host: a\r\nX-Key:\t b%41 c \r\nX-Key:\r\n") == "Host=a;X-Key=b%41 c;X-Key=;");
  CHECK(read("Url: http://a:1/\r\n") == "Url=http://a:1/;");
  CHECK(read("Name: \xc3\xa4\r\n") == "Name=\xc3\xa4;");
}

TEST_CASE("a head that two readers could understand in two ways is refused") {
  CHECK(read("Transfer-Encoding : chunked\r\n") == "no");
  CHECK(read(" Host: a\r\n") == "no");
  CHECK(read("Host: a\r\n folded\r\n") == "no");
  CHECK(read("Host: a\nX: b\r\n") == "no");
  CHECK(read("Host: a\rX: b\r\n") == "no");
  CHECK(read(std::string("Host: a\0b\r\n", 11)) == "no");
  CHECK(read("no colon\r\n") == "no");
  CHECK(read(": nameless\r\n") == "no");
  CHECK(read("N\xc3\xa4me: a\r\n") == "no");
  CHECK_FALSE(read_head("POST /r HTTP/1.1\r\nHost: a\r\n").has_value());
}

TEST_CASE("a request's line has three parts and a blank between them") {
  const auto taken = [](const std::string& line) { return read_head(line + "\r\n\r\n").has_value(); };
  CHECK(taken("GET / HTTP/1.0"));
  CHECK(taken("PATCH /a?b=%20 HTTP/1.1"));
  for (const char* line :
       {"", "GET", "GET / ", "GET /", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ",
        "GET /a b HTTP/1.1", "GET / HTTP/2.0", "GET / http/1.1", "G\tT / HTTP/1.1"})
    CHECK_FALSE(taken(line));
}
