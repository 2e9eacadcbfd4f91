#include "pipelines/anomaly/gap_tail.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

namespace leat::anomaly {
namespace {

constexpr std::size_t kBins = 1600;
constexpr double kSmallestExponent = -50;
constexpr double kBinsPerDoubling = 16;
constexpr std::uint64_t kWarmUp = 50;
constexpr std::uint64_t kLeastTail = 4;
constexpr std::uint64_t kMostGaps = 1U << 15;
// How much of a rarity by rank counts: the rank of one gap among those so far is no sure measure.
constexpr double kWeightOfRank = 0.9;

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

GapTail::Tail GapTail::tail() const {
  const auto size = static_cast<double>(tail_size(gaps_));
  const auto above = static_cast<double>(above_);
  const double high = edges().upper[threshold_];
  const double low = edges().lower[threshold_];
  const auto inside = static_cast<double>(std::max<std::uint64_t>(1, count(threshold_)));
  const double least = high - (high - low) * (size - above) / inside;
  const double excess = (above_sum_ + (size - above) * (least + high) / 2 - size * least) / size;
  constexpr double kLeastExcess = 1e-12;
  const double floor = kLeastExcess * least;
  return {least, std::max(excess, floor > 0 ? floor : kLeastExcess)};
}

double GapTail::rarity_of(double gap) const {
  if (gaps_ < kWarmUp) return 0;
  const std::size_t bin = bin_of(gap);
  if (bin == 0) return 0;
  const auto all = static_cast<double>(gaps_ + 1);
  const double greater = static_cast<double>(count_above(bin)) + static_cast<double>(count(bin)) / 2;
  const double by_rank = kWeightOfRank * std::max(0.0, -std::log10((greater + 1) / all));
  const Tail tail = this->tail();
  if (gap <= tail.least) return by_rank;
  constexpr double kLog10OfE = 0.43429448190325176;
  const double share = static_cast<double>(tail_size(gaps_) + 1) / all;
  return std::max(by_rank, -std::log10(share) + (gap - tail.least) / tail.excess * kLog10OfE);
}

double GapTail::learnt(double gap) const {
  if (gaps_ < kWarmUp || zeros_ == gaps_) return std::min(gap, kMostAtFirst);
  const Tail tail = this->tail();
  const double most = std::min(most_learnt_, kMostStretch * static_cast<double>(tail_size(gaps_)));
  return std::min(gap, tail.least + most * tail.excess);
}

std::uint64_t GapTail::count_above(std::size_t bin) const {
  std::uint64_t sum = 0;
  std::size_t place = std::max(bin + 1, first_) - first_;
  for (; place < counts_.size() && place % kBlock != 0; ++place) sum += counts_[place];
  for (std::size_t block = place / kBlock; block < blocks_.size(); ++block) sum += blocks_[block];
  return sum;
}

void GapTail::add(double gap) {
  if (gaps_ >= kMostGaps) halve();
  std::size_t bin = bin_of(gap);
  if (bin > threshold_) bin = bin_of(learnt(gap));
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

void GapTail::forget() {
  GapTail fresh(most_learnt_);
  fresh.saved_ = saved_;
  fresh.changed_ = saved_;
  *this = std::move(fresh);
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

void GapTail::halve() {
  ++halvings_;
  zeros_ /= 2;
  for (std::uint16_t& count : counts_) count /= 2;
  sum_blocks();
  above_ = count_above(threshold_);
  above_sum_ = 0;
  for (std::size_t bin = std::max(threshold_ + 1, first_); bin < first_ + counts_.size(); ++bin)
    above_sum_ += static_cast<double>(count(bin)) * edges().centre[bin];
  settle_threshold();
}

void GapTail::sum_blocks() {
  gaps_ = zeros_;
  std::fill(blocks_.begin(), blocks_.end(), 0);
  for (std::size_t place = 0; place < counts_.size(); ++place) {
    blocks_[place / kBlock] += counts_[place];
    gaps_ += counts_[place];
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
  out.varint(halvings_);
  out.varint(threshold_);
  out.varint(above_);
  out.float64(above_sum_);
}

void GapTail::load(ByteReader& in) {
  zeros_ = in.varint();
  halvings_ = in.varint();
  threshold_ = static_cast<std::size_t>(std::min<std::uint64_t>(in.varint(), kBins - 1));
  above_ = in.varint();
  above_sum_ = in.float64();
  gaps_ = zeros_;
}

void GapTail::save_pages(char tag, StatePages& pages) {
  finish_loading();
  std::string value;
  for (std::size_t block = 0; block < kBlocks; ++block) {
    if (!changed_[block]) continue;
    const char name[] = {tag, static_cast<char>(block)};
    changed_[block] = false;
    saved_[block] = block * kBlock >= first_ && block * kBlock < first_ + counts_.size();
    if (!saved_[block]) {
      pages.erase({name, sizeof name});
      continue;
    }
    value.clear();
    ByteWriter writer(value);
    writer.varint(halvings_);
    for (std::size_t bin = block * kBlock; bin < (block + 1) * kBlock; ++bin)
      writer.varint(bin == 0 ? 0 : count(bin));
    pages.put({name, sizeof name}, value);
  }
}

Status GapTail::load_page(ByteReader& page, ByteReader& value) {
  page.u8();
  const std::size_t block = page.u8();
  if (!page.ok() || block >= kBlocks)
    return fail(ErrorCode::kCorrupt, "saved gaps of a detector are of no size that there is");
  make_room(block * kBlock);
  loading_.push_back({block, value.varint()});
  for (std::size_t bin = block * kBlock; bin < (block + 1) * kBlock; ++bin)
    counts_[bin - first_] = static_cast<std::uint16_t>(std::min<std::uint64_t>(value.varint(), kMostGaps));
  saved_[block] = true;
  if (!value.ok()) return fail(ErrorCode::kCorrupt, "saved gaps of a detector end early");
  return {};
}

void GapTail::finish_loading() {
  if (loading_.empty()) return;
  for (const LoadedBlock& loaded : loading_) {
    const std::uint64_t missed = halvings_ - std::min(halvings_, loaded.halvings);
    const std::size_t begin = loaded.block * kBlock - first_;
    for (std::size_t place = begin; place < begin + kBlock; ++place)
      counts_[place] = static_cast<std::uint16_t>(missed < 16 ? counts_[place] >> missed : 0);
  }
  loading_ = {};
  sum_blocks();
}

void GapTail::unsave_pages(char tag, StatePages& pages) {
  finish_loading();
  for (std::size_t block = 0; block < kBlocks; ++block) {
    const char name[] = {tag, static_cast<char>(block)};
    if (saved_[block]) pages.erase({name, sizeof name});
    saved_[block] = false;
    changed_[block] = block * kBlock >= first_ && block * kBlock < first_ + counts_.size();
  }
}

}  // namespace leat::anomaly
