#include "daemon/api/redact.h"

#include <doctest/doctest.h>

#include "daemon/runtime/catalog.h"
#include "pipelines/sql/secret_text.h"

using namespace leat;
using namespace leat::api;

namespace {

void check_names(const std::vector<OptionDoc>& docs) {
  for (const OptionDoc& doc : docs) {
    if (doc.key.ends_with("*")) continue;  // Which of them are secret is in the rest of the key.
    INFO(doc.key);
    CHECK(sql::names_secret(doc.key) == (doc.type == "secret"));
  }
}

}  // namespace

TEST_CASE("the options that are hidden by their names are those that are secrets") {
  for (const plan::ConnectorInfo& connector : runtime::catalog().connectors) {
    if (connector.source_options) check_names(connector.source_options());
    if (connector.sink_options) check_names(connector.sink_options());
  }
  for (const plan::FormatInfo& format : runtime::catalog().formats)
    if (format.options) check_names(format.options());
}

TEST_CASE("the text of a pipeline is shown without its passwords") {
  CHECK(redact_sql("WITH ('password' = 'hunter2', 'token' = '${env:TOKEN}')") ==
        "WITH ('password' = '***', 'token' = '${env:TOKEN}')");
}

TEST_CASE("a text that was shown is known by its hidden secrets") {
  CHECK(line_of_redacted("a\n'password' = '***'") == 2);
  CHECK(line_of_redacted("'password' = 'x', 'topic' = '***'") == 0);
}
