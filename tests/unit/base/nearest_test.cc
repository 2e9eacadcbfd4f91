#include "pipelines/base/nearest.h"

#include <doctest/doctest.h>

using namespace leat;

namespace {
const std::vector<std::string> kNames{"topic", "url", "qos", "clean-start", "session-expiry"};
}

TEST_CASE("a slip of the finger finds the name that was meant") {
  CHECK(nearest_name("tpoic", kNames) == "topic");
  CHECK(nearest_name("TOPIC", kNames) == "topic");
  CHECK(nearest_name("clean_start", kNames) == "clean-start");
  CHECK(nearest_name("session-expirey", kNames) == "session-expiry");
}

TEST_CASE("a word that resembles nothing has no nearest name") {
  CHECK_FALSE(nearest_name("bootstrap", kNames));
  CHECK(did_you_mean("bootstrap", kNames).empty());
  CHECK(did_you_mean("qso", kNames) == " (did you mean 'qos'?)");
}
