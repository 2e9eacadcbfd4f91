#include "sinks/http/http_body.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::sinks;

namespace {

const std::vector<Record> kTwo{{"", R"({"a":1})", {}}, {"", R"({"a":2})", {}}};

}  // namespace

TEST_CASE("each form of body lays its records as its name says") {
  CHECK(make_body(BodyForm::kJsonArray, kTwo, "\n") == R"([{"a":1},{"a":2}])");
  CHECK(make_body(BodyForm::kJsonLines, kTwo, "ignored") == "{\"a\":1}\n{\"a\":2}\n");
  CHECK(make_body(BodyForm::kLines, kTwo, "\r\n") == "{\"a\":1}\r\n{\"a\":2}\r\n");
  CHECK(make_body(BodyForm::kSingle, std::span(kTwo).first(1), "\n") == R"({"a":1})");
}

TEST_CASE("the content type follows the form, and the format where the form does not say") {
  CHECK(body_content_type(BodyForm::kJsonArray, "application/json") == "application/json");
  CHECK(body_content_type(BodyForm::kJsonLines, "application/json") == "application/x-ndjson");
  CHECK(body_content_type(BodyForm::kLines, "text/csv") == "text/csv");
  CHECK(body_content_type(BodyForm::kSingle, "") == "application/octet-stream");
}
