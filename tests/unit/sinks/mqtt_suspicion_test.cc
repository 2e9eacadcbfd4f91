// When a record is refused because the broker fails with it.
#include "sinks/mqtt/suspicion.h"

#include <doctest/doctest.h>

using namespace leat::sinks;

namespace {

using Failure = Suspicion::Failure;

constexpr Failure hung_up_on(std::size_t record) {
  return {.first = record, .others = Failure::Others::kTaken};
}
constexpr Failure took_nothing(std::size_t record) {
  return {.first = record};
}
constexpr Failure lost_with_the_probe(std::size_t record) {
  return {.first = record, .record = Failure::Record::kNotSent};
}

/// How many of these failures it takes until the record is refused; 0: more than a hundred.
int needed(Suspicion& suspicion, Failure failure) {
  constexpr int kMany = 100;
  for (int i = 1; i <= kMany; ++i)
    if (suspicion.confirms(failure)) return i;
  return 0;
}

}  // namespace

TEST_CASE("a record that the broker hangs up on, and takes others beside, is refused after ten times") {
  Suspicion suspicion;
  CHECK(needed(suspicion, hung_up_on(3)) == 10);
}

TEST_CASE("the next bad one is found among single records already") {
  Suspicion suspicion;
  REQUIRE(needed(suspicion, hung_up_on(3)) == 10);
  CHECK(needed(suspicion, hung_up_on(4)) == 5);
  suspicion.forget();
  CHECK(needed(suspicion, hung_up_on(0)) == 10);
}

TEST_CASE("a broker that takes nothing buries nothing, and what it took before does not count") {
  Suspicion suspicion;
  CHECK(needed(suspicion, took_nothing(0)) == 0);
  Suspicion worked;
  for (int i = 0; i < 9; ++i) REQUIRE_FALSE(worked.confirms(hung_up_on(0)));
  CHECK(needed(worked, took_nothing(0)) == 0);
}

TEST_CASE("a record that goes ends what was held against the one before it") {
  Suspicion suspicion;
  for (int i = 0; i < 9; ++i) REQUIRE_FALSE(suspicion.confirms(hung_up_on(0)));
  CHECK_FALSE(suspicion.confirms(hung_up_on(1)));
  CHECK_FALSE(suspicion.confirms(hung_up_on(0)));
}

TEST_CASE("an attempt whose probe does not come through is followed by one without") {
  Suspicion suspicion;
  CHECK_FALSE(suspicion.wants_probe());
  for (int i = 0; i < 5; ++i) REQUIRE_FALSE(suspicion.confirms(hung_up_on(0)));
  CHECK(suspicion.wants_probe());
  CHECK_FALSE(suspicion.confirms(lost_with_the_probe(0)));
  CHECK_FALSE(suspicion.wants_probe());
  CHECK_FALSE(suspicion.confirms(took_nothing(0)));
  CHECK(suspicion.wants_probe());
}
