// How rare a gap is among all gaps that came before it, as -log10 of its tail probability: counts by size for
// the body, an exponential tail above the largest tenth. Where a few huge gaps have stretched the tail, the
// share of gaps that are at least as large speaks, too: no gap can make all later ones common.
//
// Sizes fall into 16 bins for each doubling, from 2^-50 to 2^50. A gap far beyond all others is learnt as one
// at the end of the tail, so that the error code of a sensor does not become the measure of what follows. All
// counts are halved each time they come to 32768: what was rare long ago fades. Only the bins between the
// smallest and the largest gap seen are held, 2 bytes each.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipelines/anomaly/detector.h"

namespace leat::anomaly {

class GapTail {
 public:
  /// `most_learnt`: where the tail ends for gaps that are learnt, in mean excesses. Far, large gaps quiet
  /// what is like them for a while; near, each is news. A tail of few gaps ends nearer, so that no gap makes
  /// its mean excess more than kMostStretch larger.
  explicit GapTail(double most_learnt) : most_learnt_(most_learnt) {}

  /// The rarity of `gap`, at least 0; 0 while fewer than 50 gaps are known.
  [[nodiscard]] double rarity_of(double gap) const;
  /// Counts a gap. One of 0 or below is as small as can be.
  void add(double gap);
  /// As a new one; only what the store has of it is kept in mind.
  void forget();
  /// While fewer than 50 gaps are known, or all were 0, a larger one counts as this: there is no tail to
  /// measure it by.
  static constexpr double kMostAtFirst = 4;
  /// Mean excesses that one gap adds to the mean excess.
  static constexpr double kMostStretch = 4;

  [[nodiscard]] std::size_t memory_bytes() const {
    return counts_.capacity() * sizeof(std::uint16_t) + blocks_.capacity() * sizeof(std::uint32_t);
  }
  /// `memory_bytes` is never more.
  static constexpr std::size_t most_bytes() {
    return kBlocks * (kBlock * sizeof(std::uint16_t) + sizeof(std::uint32_t));
  }

  /// head := varint gaps of 0, varint halvings, varint bin, varint gaps above it, double their sum
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  /// page := tag, u8 block => varint halvings, 16 varint counts
  /// A halving writes no page: the counts of a page are those before the halvings that it does not know of.
  void save_pages(char tag, StatePages& pages);
  Status load_page(ByteReader& page, ByteReader& value);
  void unsave_pages(char tag, StatePages& pages);
  /// All pages and the head are loaded: call before the first gap.
  void finish_loading();

 private:
  static constexpr std::size_t kBlock = 16;  // Bins for each doubling, and in a page.
  static constexpr std::size_t kBlocks = 100;

  [[nodiscard]] std::uint64_t count(std::size_t bin) const {
    if (bin == 0) return zeros_;
    return bin < first_ || bin >= first_ + counts_.size() ? 0 : counts_[bin - first_];
  }
  /// The gap that a tenth of all are larger than, and by how much those are on average.
  struct Tail {
    double least = 0;
    double excess = 0;
  };
  [[nodiscard]] Tail tail() const;
  /// The gap, or the end of the tail.
  [[nodiscard]] double learnt(double gap) const;
  [[nodiscard]] std::uint64_t count_above(std::size_t bin) const;
  void halve();
  void sum_blocks();
  void make_room(std::size_t bin);
  void settle_threshold();

  double most_learnt_;
  std::uint64_t gaps_ = 0;
  std::uint64_t zeros_ = 0;  // The gaps of bin 0.
  std::uint64_t halvings_ = 0;
  std::size_t first_ = 0;              // Of `counts_`, a multiple of kBlock.
  std::vector<std::uint16_t> counts_;  // By bin; whole blocks.
  std::vector<std::uint32_t> blocks_;  // Sums of blocks of bins.
  // The bin in which the largest tenth of all gaps begins, and the gaps in the bins above it.
  std::size_t threshold_ = 0;
  std::uint64_t above_ = 0;
  double above_sum_ = 0;
  std::bitset<kBlocks> changed_;  // Since the last save.
  std::bitset<kBlocks> saved_;    // In the store.
  struct LoadedBlock {
    std::size_t block = 0;
    std::uint64_t halvings = 0;
  };
  std::vector<LoadedBlock> loading_;
};

}  // namespace leat::anomaly
