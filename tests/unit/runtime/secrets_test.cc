#include "daemon/runtime/secrets.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "tests/support/temporary_folder.h"

using namespace leat;
using namespace leat::runtime;

namespace {

std::string value_of(const std::string& text) {
  const auto filled = with_secrets({{"password", text}, {"url", "x"}}, {});
  return filled ? filled->at("password") : filled.error().message;
}

}  // namespace

TEST_CASE("a secret comes from a variable, a file or a credential") {
  const test::TemporaryFolder folder;
  folder.write("secret", "hunter2\n");
  folder.write("plain", "hun\nter");
  ::setenv("LEAT_TEST_SECRET", "hunter3", 1);
  ::setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  CHECK(value_of("${env:LEAT_TEST_SECRET}") == "hunter3");
  CHECK(value_of("${file:" + folder.file("secret") + "}") == "hunter2");
  CHECK(value_of("${credential:secret}") == "hunter2");
  CHECK(value_of("${credential:plain}") == "hun\nter");
  CHECK(value_of("plain") == "plain");
}

TEST_CASE("a secret that is not there names its option and its place") {
  ::unsetenv("CREDENTIALS_DIRECTORY");
  ::unsetenv("LEAT_TEST_SECRET");
  CHECK(value_of("${env:LEAT_TEST_SECRET}")
            .find("option 'password': the daemon's environment has no variable 'LEAT_TEST_SECRET'") == 0);
  CHECK(value_of("${file:/nonexistent/x}").find("'/nonexistent/x' cannot be read: No such file") !=
        std::string::npos);
  CHECK(value_of("${credential:x}").find("the service has no credentials") != std::string::npos);
  const auto missing = with_secrets({{"password", "${file:/nonexistent/x}"}}, {});
  CHECK(missing.error().code == ErrorCode::kIo);
}

TEST_CASE("a secret that the option cannot be is refused without being shown") {
  ::setenv("LEAT_TEST_SECRET", "bad\nvalue", 1);
  const auto validate = [](const OptionMap& options, const std::vector<OptionDoc>&,
                           std::vector<OptionError>& errors) {
    errors.push_back({"url", OptionError::Part::kValue, "not its own"});
    if (options.at("token").find('\n') != std::string::npos)
      errors.push_back({"token", OptionError::Part::kValue, "a control character"});
  };
  const auto refused = with_secrets({{"token", "${env:LEAT_TEST_SECRET}"}, {"url", "x"}}, validate);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "a control character");
  CHECK(with_secrets({{"token", "plain"}, {"url", "x"}}, validate));
}

TEST_CASE("what is too large or no text is no secret") {
  const test::TemporaryFolder folder;
  folder.write("large", std::string(70'000, 'x'));
  folder.write("nul", std::string("a\0b", 3));
  CHECK(value_of("${file:" + folder.file("large") + "}").find("is larger than") != std::string::npos);
  CHECK(value_of("${file:" + folder.file("nul") + "}").find("no text") != std::string::npos);
  CHECK(value_of("${file:" + folder.path() + "}").find("cannot be read") != std::string::npos);
}
