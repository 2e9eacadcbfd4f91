// The values that one view of a series has had: how far is a new one from the nearest of them?
//
// Kept in two sorted arrays. New values go into a small one; when an epoch of rows is full it is merged into
// the large one, from which the oldest epoch leaves at the same time. So an insertion moves a few hundred
// bytes, and a row costs two binary searches however long the history is.
//
// A value is 4 bytes: a float in an order that compares as an integer does, whose lowest bits are given to
// the number of its epoch and to the parity of its row. (A ring of rows beside a sorted array, the plain way,
// needs twice that.) Values of neighbouring rows of a slow view are nearly the same: of those, old epochs
// keep every second one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace leat::anomaly {

/// Epochs that a history is made of, the one that is being filled among them.
inline constexpr std::uint32_t kEpochs = 16;

/// A value with what is known of its row. Compares by the value first.
class ViewCell {
 public:
  ViewCell() = default;
  /// `value` is cut to 19 significant bits, `epoch` is below kEpochs.
  ViewCell(double value, std::uint32_t epoch, std::uint32_t parity);
  explicit ViewCell(std::uint32_t bits) : bits_(bits) {}

  [[nodiscard]] double value() const;
  [[nodiscard]] std::uint32_t epoch() const { return bits_ & (kEpochs - 1); }
  [[nodiscard]] bool is_odd() const { return (bits_ & kEpochs) != 0; }
  [[nodiscard]] std::uint32_t bits() const { return bits_; }
  friend auto operator<=>(ViewCell a, ViewCell b) = default;

 private:
  std::uint32_t bits_ = 0;
};

class ViewHistory {
 public:
  enum class Pace : std::uint8_t {
    kFast,
    kSlow,  ///< Each row's value is nearly that of the row before.
  };
  explicit ViewHistory(Pace pace) : pace_(pace) {}

  /// Adds a value of the current epoch to each of at most kMostAtOnce histories. Gives its distance to the
  /// nearest one that was there; infinite if there was none. All are searched side by side: their searches
  /// wait for memory at the same time.
  static void add_each(std::span<ViewHistory> histories, std::span<const ViewCell> cells,
                       std::span<double> distances);
  static constexpr std::size_t kMostAtOnce = 8;
  /// The epoch `ended` is full; the next one takes the number of the oldest, whose values leave.
  void end_epoch(std::uint32_t ended);

  /// As a new one.
  void forget() { *this = ViewHistory(pace_); }

  /// Values of an epoch that has ended, in the order of the values.
  void collect(std::uint32_t epoch, std::vector<ViewCell>& out) const;
  /// Puts back a saved value of an epoch that is not the current one. `settle` follows the last one.
  void put_back(ViewCell cell) { settled_.push_back(cell); }
  void settle(std::uint32_t current);

  [[nodiscard]] std::size_t size() const { return settled_.size() + fresh_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const {
    return (settled_.capacity() + fresh_.capacity()) * sizeof(ViewCell);
  }

 private:
  /// True if a value leaves when `current` begins.
  [[nodiscard]] bool leaves(ViewCell cell, std::uint32_t current) const;
  void merge_fresh();

  Pace pace_;
  std::vector<ViewCell> settled_;  // Of epochs that have ended, sorted.
  std::vector<ViewCell> fresh_;    // Of the current one, sorted.
};

}  // namespace leat::anomaly
