// 'half_space_trees': rows of several values that lie where few rows of the last window did (Tan, Ting and
// Liu 2011). Each tree halves the space of values again and again, each time by one value chosen at random; a
// row's leaf tells how many rows of the last window were near it.
//
// Unlike in the paper the space is that of the last window, not one that is known before: at the end of each
// window all trees are made anew from its rows, so values that drift away do not leave the trees. The few
// rows that are far outside of the others do not widen it. Trees are no part of the state that is saved: they
// follow from the window's rows and its number.
//
// Cuts along the axes do not see that two values which always move together have parted. So each value is
// seen without what the ones before it in the row foretell, as the last window's rows relate them (the factor
// of their covariance, as in Mahalanobis' distance): what is left is what the trees halve.
#pragma once

#include <cstdint>
#include <vector>

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"
#include "pipelines/anomaly/gap_tail.h"
#include "pipelines/anomaly/paged_cells.h"

namespace leat::anomaly {

class HalfSpaceTrees final : public Detector {
 public:
  HalfSpaceTrees(const DetectorOptions& options, std::size_t values);

  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t most_memory_bytes() const override;
  /// Rows before the first verdict: a window, and the measure of what is empty in it.
  static constexpr std::uint32_t least_warm_up(std::uint32_t window_rows) { return window_rows + 50; }
  void save(ByteWriter& out) const override;
  Status load(ByteReader& in) override;
  void save_pages(StatePages& pages) override;
  Status load_page(std::string_view page, std::string_view value) override;
  void unsave_pages(StatePages& pages) override;

 private:
  static constexpr std::size_t kTrees = 25;
  static constexpr std::size_t kDepth = 8;
  static constexpr std::size_t kNodes = (std::size_t{1} << (kDepth + 1)) - 1;
  struct Range {
    double low = 0;
    double high = 0;
    [[nodiscard]] double clamp(double value) const { return value < low ? low : value > high ? high : value; }
  };
  static Range usual_range(std::vector<double> values);
  /// Takes away the few that are far from all others: what a sensor says while it is broken.
  static void remove_codes(std::vector<double>& values);
  enum class Visit : std::uint8_t { kCount, kMeasure };

  Verdict judge(std::span<const double> values, std::int64_t time) override;
  void make_trees(std::uint64_t window);
  /// What a window's rows say of the space, from the first of their cells on.
  void learn_relations(std::size_t begin);
  void learn_space(std::size_t begin, std::uint64_t window);
  /// The value's place without what the ones before it foretell.
  void remove_relations(std::span<const double> values, std::span<double> parts) const;
  [[nodiscard]] std::vector<double> row_at(std::size_t begin, std::size_t number) const;
  /// The value that is farthest from where it was: of the values themselves, as the parts of those behind an
  /// odd one are odd with it.
  [[nodiscard]] std::size_t farthest(std::span<const double> values) const;
  /// Follows a row from the root of a tree. kMeasure: the rows of the last window that would be in all of
  /// the space if it were as full as the row's leaf.
  double walk(std::size_t tree, std::span<const double> values, Visit visit);
  /// How much emptier the space around a row is than it would be if the rows were spread evenly, in powers of
  /// 2; 0: as full, or fuller. Outside of where the rows were it grows with the distance.
  [[nodiscard]] double emptiness_of(std::span<const double> parts);

  std::size_t values_;
  std::uint32_t window_rows_;
  std::uint64_t seed_;
  double threshold_;
  std::uint32_t cooldown_;
  std::uint32_t warm_up_;
  std::uint64_t rows_ = 0;
  std::uint64_t rows_since_alert_ = 0;  // 0: there was none.
  std::uint64_t far_rows_ = 0;          // In a row, up to the last one.
  PagedCells cells_;                    // The rows of this window and, in the other half, of the last.
  std::vector<double> middles_;         // By value.
  std::vector<double> relations_;       // By value and value before it: how much of the one is the other.
  std::vector<Range> usual_;            // By value: where most of the last window's were.
  std::vector<Range> spaces_;           // By part: where the last window's rows were.
  std::vector<Range> ranges_;           // By tree and value.
  std::vector<std::uint16_t> counts_;   // By tree and node.
  std::vector<Range> box_;              // Scratch of one walk.
  GapTail tail_{8};
  bool is_loaded_ = false;  // Rows were put back and their trees are not made yet.
};

}  // namespace leat::anomaly
