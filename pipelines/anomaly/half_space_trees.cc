#include "pipelines/anomaly/half_space_trees.h"

#include <algorithm>
#include <cmath>

#include "pipelines/anomaly/first_rows.h"

namespace leat::anomaly {
namespace {

constexpr double kThreshold = 3;
constexpr double kShareOutside = 0.05;  // Of a window's rows, at each end, is not measured by.
constexpr double kLeastSpace = 1e-12;   // Of the values' size: below it all is rounding.
constexpr double kNoSpace = 1e-110;
// Of values that are fewer than this share of a window's rows relations are known.
constexpr std::size_t kRowsOfRelation = 4;
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

double product(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

/// Where values are, and as much again on both sides; without the few that are smallest and largest.
HalfSpaceTrees::Range HalfSpaceTrees::usual_range(std::vector<double> values) {
  remove_codes(values);
  std::sort(values.begin(), values.end());
  const auto outside = static_cast<std::size_t>(kShareOutside * static_cast<double>(values.size()));
  const double low = values[outside];
  const double high = values[values.size() - 1 - outside];
  return {low - (high - low), high + (high - low)};
}

void HalfSpaceTrees::remove_codes(std::vector<double>& values) {
  constexpr double kFar = 30;         // Median distances.
  constexpr double kMostCodes = 0.2;  // Of the rows: more of them are a state of their own.
  const double middle = median_of(values);
  std::vector<double> distances;
  for (const double value : values) distances.push_back(std::abs(value - middle));
  const double most = kFar * median_of(distances);
  const auto far = std::ranges::count_if(distances, [most](double distance) { return distance > most; });
  if (most <= 0 || static_cast<double>(far) > kMostCodes * static_cast<double>(values.size())) return;
  std::erase_if(values, [&](double value) { return std::abs(value - middle) > most; });
}

HalfSpaceTrees::HalfSpaceTrees(const DetectorOptions& options, std::size_t values)
    : values_(values),
      window_rows_(options.window_rows()),
      seed_(options.seed),
      threshold_(options.threshold.value_or(kThreshold)),
      cooldown_(options.cooldown.value_or(0)),
      warm_up_(std::max(options.min_training.value_or(0), least_warm_up(window_rows_))),
      cells_(2 * values * window_rows_, kRowsTag),
      middles_(values),
      relations_(values * values),
      usual_(values),
      spaces_(values),
      ranges_(kTrees * values),
      counts_(kTrees * kNodes),
      box_(values) {}

Verdict HalfSpaceTrees::judge(std::span<const double> values, std::int64_t time) {
  (void)time;
  tail_.finish_loading();
  if (is_loaded_ && rows_ >= window_rows_) make_trees(rows_ / window_rows_);
  is_loaded_ = false;
  Verdict verdict;
  if (rows_ >= window_rows_) {
    std::vector<double> parts(values_);
    remove_relations(values, parts);
    const double emptiness = emptiness_of(parts);
    if (rows_ >= warm_up_) {
      verdict.rarity = std::min(tail_.rarity_of(emptiness), kGreatestRarity);
      verdict.value = farthest(values);
    }
    // Of a fault that lasts the first row is learnt: all of them would be the measure of what follows. Trees
    // that know it come with the next window.
    const bool is_far = verdict.rarity >= kThreshold;
    far_rows_ = is_far ? far_rows_ + 1 : 0;
    if (far_rows_ <= 1 || far_rows_ > window_rows_) tail_.add(emptiness);
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

std::vector<double> HalfSpaceTrees::row_at(std::size_t begin, std::size_t number) const {
  std::vector<double> row(values_);
  for (std::size_t i = 0; i < values_; ++i) row[i] = cells_[begin + number * values_ + i];
  return row;
}

/// Of the rows before window `window`.
void HalfSpaceTrees::make_trees(std::uint64_t window) {
  const std::size_t begin = (window % 2 == 0 ? window_rows_ : 0) * values_;
  learn_relations(begin);
  learn_space(begin, window);
  std::fill(counts_.begin(), counts_.end(), 0);
  std::vector<double> parts(values_);
  for (std::size_t number = 0; number < window_rows_; ++number) {
    remove_relations(row_at(begin, number), parts);
    for (std::size_t tree = 0; tree < kTrees; ++tree) walk(tree, parts, Visit::kCount);
  }
}

/// By Gram and Schmidt: part i is value i without its share of the parts before it.
void HalfSpaceTrees::learn_relations(std::size_t begin) {
  std::vector<std::vector<double>> parts(values_, std::vector<double>(window_rows_));
  std::fill(relations_.begin(), relations_.end(), 0);
  for (std::size_t i = 0; i < values_; ++i) {
    for (std::size_t row = 0; row < window_rows_; ++row) parts[i][row] = cells_[begin + row * values_ + i];
    const Range usual = usual_range(parts[i]);
    usual_[i] = usual;
    middles_[i] = 0;
    for (double& value : parts[i]) {
      value = usual.clamp(value);
      middles_[i] += value / window_rows_;
    }
    for (double& value : parts[i]) value -= middles_[i];
    if (values_ * kRowsOfRelation > window_rows_) continue;
    const double least = kLeastSpace * (std::abs(middles_[i]) + usual.high - usual.low);
    for (std::size_t j = 0; j < i; ++j) {
      const double size = product(parts[j], parts[j]);
      if (size <= window_rows_ * least * least) continue;
      const double share = product(parts[i], parts[j]) / size;
      relations_[i * values_ + j] = share;
      for (std::size_t row = 0; row < window_rows_; ++row) parts[i][row] -= share * parts[j][row];
    }
  }
}

/// Each tree sees another space around the rows', as in the paper.
void HalfSpaceTrees::learn_space(std::size_t begin, std::uint64_t window) {
  std::vector<std::vector<double>> columns(values_, std::vector<double>(window_rows_));
  std::vector<double> parts(values_);
  for (std::size_t row = 0; row < window_rows_; ++row) {
    remove_relations(row_at(begin, row), parts);
    for (std::size_t i = 0; i < values_; ++i) columns[i][row] = parts[i];
  }
  for (std::size_t i = 0; i < values_; ++i) {
    const Range usual = usual_range(columns[i]);
    Range seen{usual.high, usual.low};
    for (const double part : columns[i]) {
      seen.low = std::min(seen.low, usual.clamp(part));
      seen.high = std::max(seen.high, usual.clamp(part));
    }
    const double size = std::max({seen.high - seen.low, kLeastSpace * std::abs(middles_[i]), kNoSpace});
    spaces_[i] = {seen.low, seen.low + size};
    for (std::size_t tree = 0; tree < kTrees; ++tree) {
      const double centre = fraction(seed_ ^ scatter(window * kTrees + tree) ^ i);
      const double half = 2 * std::max(centre, 1 - centre);
      ranges_[tree * values_ + i] = {seen.low + (centre - half) * size, seen.low + (centre + half) * size};
    }
  }
}

void HalfSpaceTrees::remove_relations(std::span<const double> values, std::span<double> parts) const {
  for (std::size_t i = 0; i < values_; ++i) {
    parts[i] = values[i] - middles_[i];
    for (std::size_t j = 0; j < i; ++j) parts[i] -= relations_[i * values_ + j] * parts[j];
  }
}

std::size_t HalfSpaceTrees::farthest(std::span<const double> values) const {
  const auto distance = [&](std::size_t i) {
    const Range& usual = usual_[i];
    const double size = std::max({usual.high - usual.low, kLeastSpace * std::abs(middles_[i]), kNoSpace});
    return std::abs(values[i] - (usual.low + usual.high) / 2) / size;
  };
  std::size_t most = 0;
  for (std::size_t i = 1; i < values_; ++i)
    if (distance(i) > distance(most)) most = i;
  return most;
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
    const auto by = static_cast<std::size_t>(scatter(seed_ + tree * kNodes + node) % values_);
    const double middle = (box_[by].low + box_[by].high) / 2;
    const bool upper = values[by] >= middle;
    (upper ? box_[by].low : box_[by].high) = middle;
    node = 2 * node + (upper ? 2 : 1);
  }
}

double HalfSpaceTrees::emptiness_of(std::span<const double> parts) {
  double rows = 0;
  for (std::size_t tree = 0; tree < kTrees; ++tree) rows += walk(tree, parts, Visit::kMeasure);
  constexpr double kFarthest = 1e6;  // In sizes of the space.
  double outside = 0;
  for (std::size_t i = 0; i < values_; ++i) {
    const Range& space = spaces_[i];
    const double distance = std::abs(parts[i] - space.clamp(parts[i])) / (space.high - space.low);
    outside = std::max(outside, std::min(distance, kFarthest));
  }
  // Of several values one alone may be far out: trees that hardly cut by it must not outvote that.
  constexpr double kWeightOfDistance = 4;
  const double full = (rows + 1) / (kTrees * window_rows_);
  return kWeightOfDistance * std::log2(1 + outside) + std::max(0.0, -std::log2(full));
}

std::size_t HalfSpaceTrees::memory_bytes() const {
  return sizeof *this + cells_.memory_bytes() +
         (ranges_.capacity() + box_.capacity() + spaces_.capacity() + usual_.capacity()) * sizeof(Range) +
         (middles_.capacity() + relations_.capacity()) * sizeof(double) +
         counts_.capacity() * sizeof(std::uint16_t) + tail_.memory_bytes();
}

std::size_t HalfSpaceTrees::most_memory_bytes() const {
  return memory_bytes() - tail_.memory_bytes() + GapTail::most_bytes();
}

// ---- State -----------------------------------------------------------------------------------------------

// head := varint rows, varint rows since the alert, varint far rows, tail
void HalfSpaceTrees::save(ByteWriter& out) const {
  out.varint(rows_);
  out.varint(rows_since_alert_);
  out.varint(far_rows_);
  tail_.save(out);
}

Status HalfSpaceTrees::load(ByteReader& in) {
  rows_ = in.varint();
  rows_since_alert_ = in.varint();
  far_rows_ = in.varint();
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
