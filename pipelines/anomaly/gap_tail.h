// How rare a gap is among all gaps that came before it, as -log10 of its tail probability: counts by size for
// the body, an exponential tail above the largest tenth.
//
// Sizes fall into 16 bins for each doubling; nothing is forgotten, because a large gap is as rare as it ever
// was. Only the bins between the smallest and the largest gap seen are held, 4 bytes each.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipelines/anomaly/detector.h"

namespace leat::anomaly {

class GapTail {
 public:
  /// The rarity of `gap`, at least 0; 0 while fewer than 50 gaps are known.
  [[nodiscard]] double rarity_of(double gap) const;
  /// Counts a gap. One of 0 or below is as small as can be.
  void add(double gap);

  [[nodiscard]] std::size_t memory_bytes() const {
    return counts_.capacity() * sizeof(std::uint32_t) + blocks_.capacity() * sizeof(std::uint32_t);
  }

  /// head := varint gaps of 0, varint bin, varint gaps above it, double their sum
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  /// page := tag, u8 block => 16 varint counts
  void save_pages(char tag, StatePages& pages);
  Status load_page(ByteReader& page, ByteReader& value);
  void unsave_pages(char tag, StatePages& pages);

 private:
  static constexpr std::size_t kBlock = 16;  // Bins for each doubling, and in a page.
  static constexpr std::size_t kBlocks = 100;

  [[nodiscard]] std::uint64_t count(std::size_t bin) const {
    if (bin == 0) return zeros_;
    return bin < first_ || bin >= first_ + counts_.size() ? 0 : counts_[bin - first_];
  }
  [[nodiscard]] std::uint64_t count_above(std::size_t bin) const;
  void make_room(std::size_t bin);
  void settle_threshold();

  std::uint64_t gaps_ = 0;
  std::uint64_t zeros_ = 0;            // The gaps of bin 0.
  std::size_t first_ = 0;              // Of `counts_`, a multiple of kBlock.
  std::vector<std::uint32_t> counts_;  // By bin; whole blocks.
  std::vector<std::uint32_t> blocks_;  // Sums of blocks of bins.
  // The bin in which the largest tenth of all gaps begins, and the gaps in the bins above it.
  std::size_t threshold_ = 0;
  std::uint64_t above_ = 0;
  double above_sum_ = 0;
  std::bitset<kBlocks> changed_;  // Since the last save.
  std::bitset<kBlocks> saved_;    // In the store.
};

}  // namespace leat::anomaly
