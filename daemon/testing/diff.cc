#include "daemon/testing/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace leat::testing {
namespace {

constexpr std::size_t kContext = 3;
/// Beyond so many cells the table of the comparison would be too large: the whole middle differs then.
constexpr std::size_t kMostCells = 16'000'000;

struct Line {
  char sign;  ///< ' ', '-' or '+'
  const std::string* text;
};

/// The lines of a longest common subsequence stay, the others come or go.
void compare_middle(std::span<const std::string> a, std::span<const std::string> b, std::vector<Line>& out) {
  std::size_t i = 0;
  std::size_t j = 0;
  if ((a.size() + 1) * (b.size() + 1) <= kMostCells) {
    const std::size_t width = b.size() + 1;
    std::vector<std::uint32_t> common((a.size() + 1) * width);
    for (std::size_t x = a.size(); x-- > 0;)
      for (std::size_t y = b.size(); y-- > 0;)
        common[x * width + y] = a[x] == b[y]
                                    ? common[(x + 1) * width + y + 1] + 1
                                    : std::max(common[(x + 1) * width + y], common[x * width + y + 1]);
    while (i < a.size() && j < b.size()) {
      if (a[i] == b[j]) {
        out.push_back({' ', &a[i++]});
        ++j;
      } else if (common[(i + 1) * width + j] >= common[i * width + j + 1]) {
        out.push_back({'-', &a[i++]});
      } else {
        out.push_back({'+', &b[j++]});
      }
    }
  }
  for (; i < a.size(); ++i) out.push_back({'-', &a[i]});
  for (; j < b.size(); ++j) out.push_back({'+', &b[j]});
}

std::string printed(const std::vector<Line>& lines) {
  std::vector<bool> shown(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].sign == ' ') continue;
    const std::size_t end = std::min(lines.size(), i + kContext + 1);
    for (std::size_t k = i - std::min(i, kContext); k < end; ++k) shown[k] = true;
  }
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (shown[i])
      text += fmt::format("{} {}\n", lines[i].sign, *lines[i].text);
    else if (i == 0 || shown[i - 1])
      text += "  …\n";
  }
  return text;
}

}  // namespace

std::string diff(std::span<const std::string> expected, std::span<const std::string> found) {
  if (std::ranges::equal(expected, found)) return {};
  const auto [left, right] = std::ranges::mismatch(expected, found);
  const auto before = static_cast<std::size_t>(left - expected.begin());
  std::size_t behind = 0;
  while (behind < std::min(expected.size(), found.size()) - before &&
         expected[expected.size() - 1 - behind] == found[found.size() - 1 - behind])
    ++behind;
  std::vector<Line> lines;
  for (std::size_t i = 0; i < before; ++i) lines.push_back({' ', &expected[i]});
  compare_middle(expected.subspan(before, expected.size() - before - behind),
                 found.subspan(before, found.size() - before - behind), lines);
  for (std::size_t i = expected.size() - behind; i < expected.size(); ++i)
    lines.push_back({' ', &expected[i]});
  return printed(lines);
}

}  // namespace leat::testing
