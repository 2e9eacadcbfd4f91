#include <doctest/doctest.h>

#include <vector>

#include "daemon/testing/diff.h"

namespace leat::testing::test {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("equal lists have no difference") {
  CHECK(diff(Lines{"a", "b"}, Lines{"a", "b"}).empty());
  CHECK(diff(Lines{}, Lines{}).empty());
}

TEST_CASE("a line that changed, went or came is shown between its neighbours") {
  CHECK(diff(Lines{"a", "b", "c"}, Lines{"a", "x", "c"}) == "  a\n- b\n+ x\n  c\n");
  CHECK(diff(Lines{"a", "b"}, Lines{"a"}) == "  a\n- b\n");
  CHECK(diff(Lines{}, Lines{"a"}) == "+ a\n");
}

TEST_CASE("lines that moved keep as many others as possible") {
  CHECK(diff(Lines{"a", "b", "c", "d"}, Lines{"b", "c", "d", "a"}) == "- a\n  b\n  c\n  d\n+ a\n");
}

TEST_CASE("what is far from a difference is left out") {
  Lines expected;
  for (int i = 0; i < 20; ++i) expected.push_back(std::to_string(i));
  Lines found = expected;
  found[10] = std::string(1, 'x');
  CHECK(diff(expected, found) == "  …\n  7\n  8\n  9\n- 10\n+ x\n  11\n  12\n  13\n  …\n");
}

}  // namespace
}  // namespace leat::testing::test
