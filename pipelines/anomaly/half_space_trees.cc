#include "pipelines/anomaly/half_space_trees.h"

#include <algorithm>
#include <cmath>

namespace leat::anomaly {
namespace {

constexpr double kThreshold = 3;
constexpr std::uint64_t kRowsOfTail = 50;
constexpr double kFullLeaf = 0.1;  // Of the window's rows: in a leaf with fewer the walk ends.
constexpr char kRowsTag = 'r';
constexpr char kTailTag = 't';

/// SplitMix64 (Steele, Lea, Flood 2014): a number that looks random for each place.
std::uint64_t scatter(std::uint64_t place) {
  place += 0x9e3779b97f4a7c15;
  place = (place ^ (place >> 30)) * 0xbf58476d1ce4e5b9;
  place = (place ^ (place >> 27)) * 0x94d049bb133111eb;
  return place ^ (place >> 31);
}
double fraction(std::uint64_t place) {
  return static_cast<double>(scatter(place) >> 11) * 0x1p-53;
}

}  // namespace

HalfSpaceTrees::HalfSpaceTrees(const DetectorOptions& options, std::size_t values)
    : values_(values),
      window_rows_(options.window_rows()),
      seed_(options.seed),
      threshold_(options.threshold.value_or(options.confidence ? -std::log10(1 - *options.confidence / 100)
                                                               : kThreshold)),
      cooldown_(options.cooldown.value_or(0)),
      cells_(2 * values * window_rows_, kRowsTag),
      ranges_(kTrees * values),
      counts_(kTrees * kNodes),
      box_(values) {}

Verdict HalfSpaceTrees::judge(std::span<const double> values, std::int64_t time) {
  (void)time;
  if (is_loaded_ && rows_ >= window_rows_) make_trees(rows_ / window_rows_);
  is_loaded_ = false;
  Verdict verdict;
  if (rows_ >= window_rows_) {
    const double emptiness = emptiness_of(values);
    if (rows_ >= window_rows_ + kRowsOfTail)
      verdict.rarity = std::min(tail_.rarity_of(emptiness), kGreatestRarity);
    tail_.add(emptiness);
  }
  const std::size_t place = static_cast<std::size_t>(rows_ % (2 * std::uint64_t{window_rows_})) * values_;
  for (std::size_t i = 0; i < values_; ++i) cells_.set(place + i, values[i]);
  if (++rows_ % window_rows_ == 0) make_trees(rows_ / window_rows_);
  if (rows_since_alert_ > 0) ++rows_since_alert_;
  verdict.alert =
      verdict.rarity >= threshold_ && (rows_since_alert_ == 0 || rows_since_alert_ > cooldown_ + 1);
  if (verdict.alert) rows_since_alert_ = 1;
  return verdict;
}

/// Of the rows before window `window`. Each tree sees another space around theirs, as in the paper.
void HalfSpaceTrees::make_trees(std::uint64_t window) {
  const std::size_t begin = (window % 2 == 0 ? window_rows_ : 0) * values_;
  for (std::size_t i = 0; i < values_; ++i) {
    Range seen{cells_[begin + i], cells_[begin + i]};
    for (std::size_t row = 1; row < window_rows_; ++row) {
      seen.low = std::min(seen.low, cells_[begin + row * values_ + i]);
      seen.high = std::max(seen.high, cells_[begin + row * values_ + i]);
    }
    const double size =
        std::max(seen.high - seen.low, 1e-9 * std::max(std::abs(seen.low), std::abs(seen.high)));
    for (std::size_t tree = 0; tree < kTrees; ++tree) {
      const double centre = fraction(seed_ ^ scatter(window * kTrees + tree) ^ i);
      const double half = 2 * std::max(centre, 1 - centre);
      ranges_[tree * values_ + i] = {seen.low + (centre - half) * size, seen.low + (centre + half) * size};
    }
  }
  std::fill(counts_.begin(), counts_.end(), 0);
  std::vector<double> row(values_);
  for (std::size_t number = 0; number < window_rows_; ++number) {
    for (std::size_t i = 0; i < values_; ++i) row[i] = cells_[begin + number * values_ + i];
    for (std::size_t tree = 0; tree < kTrees; ++tree) walk(tree, row, Visit::kCount);
  }
}

double HalfSpaceTrees::walk(std::size_t tree, std::span<const double> values, Visit visit) {
  std::copy_n(ranges_.begin() + static_cast<std::ptrdiff_t>(tree * values_), values_, box_.begin());
  std::uint16_t* const counts = &counts_[tree * kNodes];
  std::size_t node = 0;
  for (std::size_t depth = 0;; ++depth) {
    if (visit == Visit::kCount)
      ++counts[node];
    else if (counts[node] < kFullLeaf * window_rows_ || depth == kDepth)
      return std::ldexp(counts[node], static_cast<int>(depth));
    if (depth == kDepth) return 0;
    const std::size_t by = scatter(seed_ + tree * kNodes + node) % values_;
    const double middle = (box_[by].low + box_[by].high) / 2;
    const bool upper = values[by] >= middle;
    (upper ? box_[by].low : box_[by].high) = middle;
    node = 2 * node + (upper ? 2 : 1);
  }
}

double HalfSpaceTrees::emptiness_of(std::span<const double> values) {
  double rows = 0;
  for (std::size_t tree = 0; tree < kTrees; ++tree) rows += walk(tree, values, Visit::kMeasure);
  return std::max(0.0, kTrees * window_rows_ / (rows + 1) - 1);
}

std::size_t HalfSpaceTrees::memory_bytes() const {
  return sizeof *this + cells_.memory_bytes() + (ranges_.capacity() + box_.capacity()) * sizeof(Range) +
         counts_.capacity() * sizeof(std::uint16_t) + tail_.memory_bytes();
}

// ---- State -----------------------------------------------------------------------------------------------

// head := varint rows, varint rows since the alert, tail
void HalfSpaceTrees::save(ByteWriter& out) const {
  out.varint(rows_);
  out.varint(rows_since_alert_);
  tail_.save(out);
}

Status HalfSpaceTrees::load(ByteReader& in) {
  rows_ = in.varint();
  rows_since_alert_ = in.varint();
  tail_.load(in);
  is_loaded_ = true;
  if (!in.ok()) return fail(ErrorCode::kCorrupt, "a saved detector ends early");
  return {};
}

void HalfSpaceTrees::save_pages(StatePages& pages) {
  cells_.save_pages(pages);
  tail_.save_pages(kTailTag, pages);
}

Status HalfSpaceTrees::load_page(std::string_view page, std::string_view value) {
  if (cells_.owns(page)) return cells_.load_page(page, value);
  if (!page.starts_with(kTailTag)) return Detector::load_page(page, value);
  ByteReader name(page);
  ByteReader content(value);
  return tail_.load_page(name, content);
}

void HalfSpaceTrees::unsave_pages(StatePages& pages) {
  cells_.unsave_pages(pages);
  tail_.unsave_pages(kTailTag, pages);
}

}  // namespace leat::anomaly
