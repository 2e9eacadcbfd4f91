#include "pipelines/anomaly/gap_tail.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace leat::anomaly {
namespace {

constexpr std::size_t kBins = 1600;
constexpr double kSmallestExponent = -50;
constexpr double kBinsPerDoubling = 16;
constexpr std::uint64_t kWarmUp = 50;
constexpr std::uint64_t kLeastTail = 4;

std::size_t bin_of(double gap) {
  if (!(gap > 0)) return 0;
  const double place = (std::log2(gap) - kSmallestExponent) * kBinsPerDoubling;
  return static_cast<std::size_t>(std::clamp(place + 1, 1.0, static_cast<double>(kBins - 1)));
}

/// The edges of bins; those of bin 0 are 0. The centre of a bin stands for its gaps in sums.
struct Edges {
  std::array<double, kBins> lower{};
  std::array<double, kBins> upper{};
  std::array<double, kBins> centre{};
};
const Edges& edges() {
  static const Edges kEdges = [] {
    Edges made;
    for (std::size_t bin = 1; bin < kBins; ++bin) {
      const double place = static_cast<double>(bin) / kBinsPerDoubling + kSmallestExponent;
      made.lower[bin] = std::exp2(place - 1 / kBinsPerDoubling);
      made.upper[bin] = std::exp2(place);
      made.centre[bin] = std::exp2(place - .5 / kBinsPerDoubling);
    }
    return made;
  }();
  return kEdges;
}
std::uint64_t tail_size(std::uint64_t gaps) {
  return std::max(kLeastTail, gaps / 10);
}

}  // namespace

double GapTail::rarity_of(double gap) const {
  if (gaps_ < kWarmUp) return 0;
  const auto all = static_cast<double>(gaps_ + 1);
  const auto tail = static_cast<double>(tail_size(gaps_));
  const auto above = static_cast<double>(above_);
  const double high = edges().upper[threshold_];
  const double low = edges().lower[threshold_];
  // The gap that `tail` others are larger than, and by how much those are on average.
  const double least = high - (high - low) * (tail - above) / static_cast<double>(count(threshold_));
  double excess = (above_sum_ + (tail - above) * (least + high) / 2 - tail * least) / tail;
  excess = std::max(excess, 1e-12 * least);
  if (excess <= 0) excess = 1e-12;
  constexpr double kLog10OfE = 0.43429448190325176;
  if (gap > least) return -std::log10((tail + 1) / all) + (gap - least) / excess * kLog10OfE;
  const std::size_t bin = bin_of(gap);
  if (bin == 0) return 0;
  const double greater = static_cast<double>(count_above(bin)) + static_cast<double>(count(bin)) / 2;
  return std::max(0.0, -std::log10((greater + 1) / all));
}

std::uint64_t GapTail::count_above(std::size_t bin) const {
  std::uint64_t sum = 0;
  std::size_t place = std::max(bin + 1, first_) - first_;
  for (; place < counts_.size() && place % kBlock != 0; ++place) sum += counts_[place];
  for (std::size_t block = place / kBlock; block < blocks_.size(); ++block) sum += blocks_[block];
  return sum;
}

void GapTail::add(double gap) {
  const std::size_t bin = bin_of(gap);
  ++gaps_;
  if (bin == 0) {
    ++zeros_;
  } else {
    make_room(bin);
    ++counts_[bin - first_];
    ++blocks_[(bin - first_) / kBlock];
    changed_[bin / kBlock] = true;
  }
  if (bin > threshold_) {
    ++above_;
    above_sum_ += edges().centre[bin];
  }
  settle_threshold();
}

void GapTail::make_room(std::size_t bin) {
  const std::size_t begin = bin / kBlock * kBlock;
  if (counts_.empty()) first_ = begin;
  if (begin < first_) {
    counts_.reserve(counts_.size() + first_ - begin);
    counts_.insert(counts_.begin(), first_ - begin, 0);
    blocks_.insert(blocks_.begin(), (first_ - begin) / kBlock, 0);
    first_ = begin;
  }
  if (begin + kBlock > first_ + counts_.size()) {
    counts_.reserve(begin + kBlock - first_);  // No more than is needed: there are many detectors.
    counts_.resize(begin + kBlock - first_);
    blocks_.resize(counts_.size() / kBlock);
  }
}

void GapTail::settle_threshold() {
  const std::uint64_t tail = tail_size(gaps_);
  if (gaps_ <= tail) return;
  // Within the bins even where a damaged state does not add up.
  while (above_ > tail && threshold_ + 1 < kBins) {
    ++threshold_;
    above_ -= count(threshold_);
    above_sum_ -= static_cast<double>(count(threshold_)) * edges().centre[threshold_];
  }
  while (above_ + count(threshold_) <= tail && threshold_ > 0) {
    above_ += count(threshold_);
    above_sum_ += static_cast<double>(count(threshold_)) * edges().centre[threshold_];
    --threshold_;
  }
}

// ---- State -----------------------------------------------------------------------------------------------

void GapTail::save(ByteWriter& out) const {
  out.varint(zeros_);
  out.varint(threshold_);
  out.varint(above_);
  out.float64(above_sum_);
}

void GapTail::load(ByteReader& in) {
  zeros_ = in.varint();
  gaps_ += zeros_;
  threshold_ = static_cast<std::size_t>(std::min<std::uint64_t>(in.varint(), kBins - 1));
  above_ = in.varint();
  above_sum_ = in.float64();
}

void GapTail::save_pages(char tag, StatePages& pages) {
  std::string value;
  for (std::size_t block = 0; block < kBlocks; ++block) {
    if (!changed_[block]) continue;
    value.clear();
    ByteWriter writer(value);
    for (std::size_t bin = block * kBlock; bin < (block + 1) * kBlock; ++bin)
      writer.varint(bin == 0 ? 0 : count(bin));
    const char name[] = {tag, static_cast<char>(block)};
    pages.put({name, sizeof name}, value);
    changed_[block] = false;
    saved_[block] = true;
  }
}

Status GapTail::load_page(ByteReader& page, ByteReader& value) {
  page.u8();
  const std::size_t block = page.u8();
  if (!page.ok() || block >= kBlocks)
    return fail(ErrorCode::kCorrupt, "saved gaps of a detector are of no size that there is");
  make_room(block * kBlock);
  for (std::size_t bin = block * kBlock; bin < (block + 1) * kBlock; ++bin) {
    const auto count = static_cast<std::uint32_t>(value.varint());
    counts_[bin - first_] = count;
    blocks_[(bin - first_) / kBlock] += count;
    gaps_ += count;
  }
  saved_[block] = true;
  if (!value.ok()) return fail(ErrorCode::kCorrupt, "saved gaps of a detector end early");
  return {};
}

void GapTail::unsave_pages(char tag, StatePages& pages) {
  for (std::size_t block = 0; block < kBlocks; ++block) {
    const char name[] = {tag, static_cast<char>(block)};
    if (saved_[block]) pages.erase({name, sizeof name});
    saved_[block] = false;
    changed_[block] = block * kBlock >= first_ && block * kBlock < first_ + counts_.size();
  }
}

}  // namespace leat::anomaly
