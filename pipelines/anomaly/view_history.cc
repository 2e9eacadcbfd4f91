#include "pipelines/anomaly/view_history.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace leat::anomaly {
namespace {

constexpr std::uint32_t kSign = 0x8000'0000;
constexpr std::uint32_t kTagMask = 2 * kEpochs - 1;

/// A binary search for the first cell that is not below another one. Without a branch on what it reads: the
/// values of a series have no order that a processor could guess.
class Search {
 public:
  Search() = default;
  Search(std::span<const ViewCell> cells, ViewCell cell)
      : begin_(cells.data()), base_(cells.data()), length_(cells.size()), bits_(cell.bits()) {}

  /// Halves what is left; false: there is nothing to halve.
  bool step() {
    if (length_ <= 1) return false;
    const std::size_t half = length_ / 2;
    base_ += static_cast<std::size_t>(base_[half - 1].bits() < bits_) * half;
    length_ -= half;
    return true;
  }
  /// Once `step` has given false.
  [[nodiscard]] std::size_t place() const {
    return static_cast<std::size_t>(base_ - begin_) + (length_ == 1 && base_->bits() < bits_ ? 1 : 0);
  }

 private:
  const ViewCell* begin_ = nullptr;
  const ViewCell* base_ = nullptr;
  std::size_t length_ = 0;
  std::uint32_t bits_ = 0;
};

/// To the neighbours of a place; infinite if there is none.
double distance_at(std::span<const ViewCell> cells, std::size_t place, double value) {
  double distance = std::numeric_limits<double>::infinity();
  if (place < cells.size()) distance = cells[place].value() - value;
  if (place > 0) distance = std::min(distance, value - cells[place - 1].value());
  return distance;
}

}  // namespace

ViewCell::ViewCell(double value, std::uint32_t epoch, std::uint32_t parity) {
  constexpr double kGreatest = std::numeric_limits<float>::max();
  const auto bits =
      std::bit_cast<std::uint32_t>(static_cast<float>(std::clamp(value, -kGreatest, kGreatest)));
  const std::uint32_t ordered = (bits & kSign) != 0 ? ~bits : bits | kSign;
  bits_ = (ordered & ~kTagMask) | parity * kEpochs | epoch;
}

double ViewCell::value() const {
  const std::uint32_t ordered = bits_ & ~kTagMask;
  const std::uint32_t bits = (ordered & kSign) != 0 ? ordered & ~kSign : ~ordered;
  return double{std::bit_cast<float>(bits)};
}

void ViewHistory::add_each(std::span<ViewHistory> histories, std::span<const ViewCell> cells,
                           std::span<double> distances) {
  std::array<Search, 2 * kMostAtOnce> searches;
  const std::size_t count = histories.size();
  for (std::size_t i = 0; i < count; ++i) {
    searches[i] = Search(histories[i].settled_, cells[i]);
    searches[count + i] = Search(histories[i].fresh_, cells[i]);
  }
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < 2 * count; ++i) more |= searches[i].step();
  }
  for (std::size_t i = 0; i < count; ++i) {
    ViewHistory& history = histories[i];
    const double value = cells[i].value();
    const std::size_t place = searches[count + i].place();
    distances[i] = std::min(distance_at(history.settled_, searches[i].place(), value),
                            distance_at(history.fresh_, place, value));
    history.fresh_.insert(history.fresh_.begin() + static_cast<std::ptrdiff_t>(place), cells[i]);
  }
}

bool ViewHistory::leaves(ViewCell cell, std::uint32_t current) const {
  if (cell.epoch() == current) return true;
  const std::uint32_t age = (current - cell.epoch()) % kEpochs;
  return pace_ == Pace::kSlow && age > 1 && cell.is_odd();
}

void ViewHistory::end_epoch(std::uint32_t ended) {
  const std::uint32_t current = (ended + 1) % kEpochs;
  std::erase_if(settled_, [&](ViewCell cell) { return leaves(cell, current); });
  merge_fresh();
}

// From the back, in place.
void ViewHistory::merge_fresh() {
  std::size_t from = settled_.size();
  std::size_t to = from + fresh_.size();
  if (to > settled_.capacity()) settled_.reserve(to);
  settled_.resize(to);
  while (!fresh_.empty()) {
    if (from > 0 && settled_[from - 1] > fresh_.back()) {
      settled_[--to] = settled_[--from];
    } else {
      settled_[--to] = fresh_.back();
      fresh_.pop_back();
    }
  }
}

void ViewHistory::collect(std::uint32_t epoch, std::vector<ViewCell>& out) const {
  for (const ViewCell cell : settled_)
    if (cell.epoch() == epoch) out.push_back(cell);
}

void ViewHistory::settle(std::uint32_t current) {
  std::erase_if(settled_, [&](ViewCell cell) { return leaves(cell, current); });
  std::sort(settled_.begin(), settled_.end());
  settled_.shrink_to_fit();
}

}  // namespace leat::anomaly
