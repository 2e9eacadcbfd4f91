#include "pipelines/base/placeholders.h"

#include <doctest/doctest.h>

using namespace leat;

namespace {

std::string filled(std::string_view value) {
  const auto text = fill_placeholders(value, [](const Placeholder& placeholder) -> Result<std::string> {
    if (placeholder.name == "GONE") return fail(ErrorCode::kIo, "it is gone");
    return "<" + std::to_string(static_cast<int>(placeholder.from)) + placeholder.name + ">";
  });
  return text ? *text : text.error().message;
}

}  // namespace

TEST_CASE("placeholders are filled in, with the text around them") {
  CHECK(filled("${env:MQTT_PASSWORD}") == "<0MQTT_PASSWORD>");
  CHECK(filled("Bearer ${file:/run/a b}!") == "Bearer <1/run/a b>!");
  CHECK(filled("${credential:a.b-c}${env:X}") == "<2a.b-c><0X>");
  CHECK(filled("${env:GONE}") == "it is gone");
}

TEST_CASE("what is no placeholder is text") {
  for (const char* text : {"", "a$b", "${", "${}", "${:x}", "${a b:c}", "$ {env:X}", "}${"}) {
    CHECK(filled(text) == text);
    CHECK_FALSE(has_placeholder(text));
  }
  CHECK(filled("$${env:X}") == "${env:X}");
  CHECK(has_placeholder("$${env:X}"));
  CHECK(has_placeholder("a${env:X}"));
}

TEST_CASE("a placeholder that is wrong says what is known") {
  CHECK(filled("${evn:X}").find("there is no '${evn:…}' (did you mean 'env'?): known are") == 0);
  CHECK(filled("${env:}").find("expected the name of a variable") != std::string::npos);
  CHECK(filled("${env:A-B}").find("expected the name of a variable") != std::string::npos);
  CHECK(filled("${file:etc/x}").find("expected an absolute path") != std::string::npos);
  CHECK(filled("${credential:../x}").find("expected the name of a credential") != std::string::npos);
  CHECK(filled("${env:X").find("has no '}'") != std::string::npos);
}
