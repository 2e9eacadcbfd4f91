#include "daemon/cli/progress.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::cli;

namespace {

constexpr std::int64_t kSecond = kMicrosPerSecond;

}  // namespace

TEST_CASE("the line tells part, rate and time left by what the last seconds brought") {
  CHECK(progress_text({{0, 1'000'000, 4'000'000, 10}}) == " 25 %  1.0 of 4.0 MB  - rows/s");
  CHECK(progress_text({{0, 1'000'000, 4'000'000, 0}, {2 * kSecond, 2'000'000, 4'000'000, 3'000'000}}) ==
        " 50 %  2.0 of 4.0 MB  1,500,000 rows/s  4 s left");
  CHECK(progress_text({{0, 0, 400'000'000, 0}, {kSecond, 1'000'000, 400'000'000, 7}}) ==
        "  0 %  1.0 of 400.0 MB  7 rows/s  6 min 39 s left");
  CHECK(progress_text({{0, 0, 20'000'000'000'000, 0}, {kSecond, 1'000'000'000, 20'000'000'000'000, 7}}) ==
        "  0 %  1.0 of 20000.0 GB  7 rows/s  5 h 33 min left");
}

TEST_CASE("what is read is still to be finished, and a file that has grown is no more than all") {
  CHECK(progress_text({{0, 0, 10'000, 0}, {kSecond, 12'000, 10'000, 500}}) ==
        "100 %  0.0 of 0.0 MB  500 rows/s  finishing");
}

TEST_CASE("a source whose size nobody knows has rows and a rate") {
  CHECK(progress_text({{0, 0, 0, 0}, {2 * kSecond, 0, 0, 2'000'000}}) == "2,000,000 rows  1,000,000 rows/s");
}
