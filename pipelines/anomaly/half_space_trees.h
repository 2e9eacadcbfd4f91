// 'half_space_trees': rows of several values that lie where few rows of the last window did (Tan, Ting and
// Liu 2011). Each tree halves the space of values again and again, each time by one value chosen at random; a
// row's leaf tells how many rows of the last window were near it.
//
// Unlike in the paper the space is that of the last window, not one that is known before: at the end of each
// window all trees are made anew from its rows, so values that drift away do not leave the trees. Trees are
// no part of the state that is saved: they follow from the window's rows and its number.
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
  };
  enum class Visit : std::uint8_t { kCount, kMeasure };

  Verdict judge(std::span<const double> values, std::int64_t time) override;
  void make_trees(std::uint64_t window);
  /// Follows a row from the root of a tree. kMeasure: the rows of the last window that would be in all of
  /// the space if it were as full as the row's leaf.
  double walk(std::size_t tree, std::span<const double> values, Visit visit);
  /// How much emptier the space around a row is than it would be if the rows were spread evenly: 1 is twice
  /// as empty, 0 as full or fuller.
  [[nodiscard]] double emptiness_of(std::span<const double> values);

  std::size_t values_;
  std::uint32_t window_rows_;
  std::uint64_t seed_;
  double threshold_;
  std::uint32_t cooldown_;
  std::uint64_t rows_ = 0;
  std::uint64_t rows_since_alert_ = 0;  // 0: there was none.
  PagedCells cells_;                    // The rows of this window and, in the other half, of the last.
  std::vector<Range> ranges_;           // By tree and value.
  std::vector<std::uint16_t> counts_;   // By tree and node.
  std::vector<Range> box_;              // Scratch of one walk.
  GapTail tail_;
  bool is_loaded_ = false;  // Rows were put back and their trees are not made yet.
};

}  // namespace leat::anomaly
