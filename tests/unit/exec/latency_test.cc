#include "pipelines/exec/latency.h"

#include <doctest/doctest.h>

using namespace leat::exec;

namespace {

std::int64_t the_time = 0;
std::int64_t read_time() {
  return the_time;
}

}  // namespace

TEST_CASE("a quantile lies in the bucket that holds it, and never above the longest") {
  Latency latency;
  CHECK(latency.quantile_micros(0.5) == 0);
  for (int i = 0; i < 98; ++i) latency.add(3'000);
  latency.add(900'000);
  latency.add(900'000);
  CHECK(latency.count() == 100);
  CHECK(latency.quantile_micros(0.5) > 2);
  CHECK(latency.quantile_micros(0.5) < 4);
  CHECK(latency.quantile_micros(0.99) > 512);
  CHECK(latency.quantile_micros(0.99) <= 900);
  CHECK(latency.longest_micros() == 900);
  CHECK(latency.sum_seconds() == doctest::Approx(0.002094));
}

TEST_CASE("buckets double, the first takes what is under a microsecond and the last all the rest") {
  Latency latency;
  for (const std::int64_t nanos : {0LL, 999LL, 1'000LL, 1'999LL, 2'000LL, 3'600'000'000'000LL, -5LL})
    latency.add(nanos);
  CHECK(latency.buckets()[0] == 3);
  CHECK(latency.buckets()[1] == 2);
  CHECK(latency.buckets()[2] == 1);
  CHECK(latency.buckets()[Latency::kBuckets - 1] == 1);
}

TEST_CASE("an operator's own time is without that of the operators behind it") {
  Stopwatch stopwatch(read_time);
  Latency outer;
  Latency inner;
  const int answer = stopwatch.measure(outer, [&] {
    the_time += 1'000;
    for (int i = 0; i < 2; ++i)
      stopwatch.measure(inner, [&] {
        the_time += 10'000;
        return 0;
      });
    the_time += 2'000;
    return 7;
  });
  CHECK(answer == 7);
  CHECK(outer.sum_seconds() == doctest::Approx(3e-6));
  CHECK(inner.sum_seconds() == doctest::Approx(20e-6));
  CHECK(inner.count() == 2);
}

TEST_CASE("without a clock nothing is measured") {
  Stopwatch stopwatch;
  Latency latency;
  CHECK(stopwatch.measure(latency, [] { return 1; }) == 1);
  CHECK(latency.count() == 0);
}
