#include "daemon/api/redact.h"

#include <doctest/doctest.h>

using namespace leat::api;

TEST_CASE("the text of a pipeline is shown without its passwords") {
  CHECK(redact_sql("WITH ('password' = 'hunter2', 'token' = '${env:TOKEN}')") ==
        "WITH ('password' = '***', 'token' = '${env:TOKEN}')");
}

TEST_CASE("a text that was shown is known by its hidden secrets") {
  CHECK(line_of_redacted("a\n'password' = '***'") == 2);
  CHECK(line_of_redacted("'password' = 'x', 'topic' = '***'") == 0);
}
