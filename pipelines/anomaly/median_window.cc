#include "pipelines/anomaly/median_window.h"

#include <algorithm>
#include <limits>

namespace leat::anomaly {

MedianWindow::MedianWindow(std::uint32_t rows, char tag) : cells_(rows, tag) {}

void MedianWindow::add(double value) {
  const auto place = static_cast<std::size_t>(rows_++ % cells_.size());
  if (sorted_.size() < cells_.size()) {
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
  } else {
    // The new value goes where the oldest was, and what lies between moves by one.
    const auto gone = std::lower_bound(sorted_.begin(), sorted_.end(), cells_[place]);
    const auto to = std::upper_bound(sorted_.begin(), sorted_.end(), value);
    if (to > gone) {
      std::move(gone + 1, to, gone);
      *(to - 1) = value;
    } else {
      std::move_backward(to, gone, gone + 1);
      *to = value;
    }
  }
  cells_.set(place, value);
}

double MedianWindow::median() const {
  const std::size_t middle = sorted_.size() / 2;
  return sorted_.size() % 2 == 1 ? sorted_[middle] : (sorted_[middle - 1] + sorted_[middle]) / 2;
}

double MedianWindow::median_distance() const {
  const double middle = median();
  const std::size_t rank = sorted_.size() / 2;
  if (sorted_.size() % 2 == 1) return distance_of_rank(middle, rank);
  return (distance_of_rank(middle, rank - 1) + distance_of_rank(middle, rank)) / 2;
}

double MedianWindow::step() const {
  constexpr std::size_t kFewest = 4;
  constexpr std::size_t kShare = 32;
  const double middle = median();
  const auto [first, last] = std::equal_range(sorted_.begin(), sorted_.end(), middle);
  const std::size_t others = sorted_.size() - static_cast<std::size_t>(last - first);
  if (others < std::max(kFewest, sorted_.size() / kShare)) return 0;
  const double below =
      first == sorted_.begin() ? std::numeric_limits<double>::infinity() : middle - first[-1];
  return last == sorted_.end() ? below : std::min(below, *last - middle);
}

// The distances below the middle, downwards, and those above it, upwards, are two sorted lists: how many of
// the `rank` + 1 smallest come from below is found by halving.
double MedianWindow::distance_of_rank(double middle, std::size_t rank) const {
  const auto below =
      static_cast<std::size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), middle) - sorted_.begin());
  const std::size_t above = sorted_.size() - below;
  const auto down = [&](std::size_t i) { return middle - sorted_[below - 1 - i]; };
  const auto up = [&](std::size_t i) { return sorted_[below + i] - middle; };
  const std::size_t taken = rank + 1;
  std::size_t low = taken > above ? taken - above : 0;
  std::size_t high = std::min(taken, below);
  while (low < high) {
    const std::size_t from_below = (low + high) / 2;
    if (down(from_below) < up(taken - from_below - 1))
      low = from_below + 1;
    else
      high = from_below;
  }
  const double last_below = low > 0 ? down(low - 1) : 0;
  const double last_above = taken > low ? up(taken - low - 1) : 0;
  return std::max(last_below, last_above);
}

void MedianWindow::finish_loading() {
  const auto held = static_cast<std::size_t>(std::min<std::uint64_t>(rows_, cells_.size()));
  if (sorted_.size() == held) return;
  sorted_.clear();
  for (std::size_t place = 0; place < held; ++place) sorted_.push_back(cells_[place]);
  std::sort(sorted_.begin(), sorted_.end());
}

}  // namespace leat::anomaly
