#include "sources/listen/address.h"

#include <doctest/doctest.h>

using namespace leat::listen;

TEST_CASE("an address that only begins like a loopback one is none") {
  for (const char* host : {"localhost", "::1", "127.9.9.9"}) CHECK(is_loopback(host));
  for (const char* host : {"127.evil.example", "0.0.0.0", "::", "localhost.evil", ""})
    CHECK_FALSE(is_loopback(host));
}

TEST_CASE("an address is written as it is read") {
  for (const char* text : {"127.0.0.1:8464", "[::1]:0", "gateway.example:1"})
    CHECK(to_string(*parse_address(text)) == text);
}
