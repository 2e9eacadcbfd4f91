#include "pipelines/anomaly/novelty.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace leat::anomaly {
namespace {

constexpr double kThreshold = 1.5;
constexpr std::uint32_t kCooldownRows = 120;
constexpr double kMuchRarer = 2;  // Times as rare as the alert whose cool-down it is.
constexpr double kMostOfOneView = 8;
constexpr std::size_t kRowsBeforeGaps = 20;
constexpr std::size_t kRowsInPage = 16;
constexpr std::size_t kMostPending = 8;   // Pages of an epoch that ended.
constexpr std::size_t kBytesOfNode = 96;  // Of a map, with its text.
constexpr double kRounding = 0x1p-50;     // Of the larger of value and origin.
constexpr double kFarthest = 0x1p50;      // In units; gaps have no larger bin.
constexpr double kFarthestAtFirst = 16;   // What is learnt of the first rows, in units.
// In sizes of errors. The mean must not run behind an error code, and the views that look back are floats,
// whose grain an error code would make visible; both leave what a series may really do alone.
constexpr double kMostOfMean = 100;
constexpr double kMostOfView = 1e4;
// An error code before there are gaps to measure it by must not be in the views that look back when there
// are.
constexpr double kMostOfViewAtFirst = 16;
constexpr std::uint64_t kRowsOfYouth = 50;
// Rows are of another life when they are that many of their own deviations away from the first ones, …
constexpr double kFarInDeviations = 50;
// … and of units: soon, …
constexpr double kFarInUnits = 0x1p5;
constexpr std::uint64_t kRowsOfFirstLife = 150;
// … or for the grain of floats.
constexpr double kTooFarInUnits = 0x1p16;
constexpr std::uint64_t kMostLives = 4;
// The tails of a young series are of few gaps: how much of a rarity by them counts. As if so many rows more
// had told nothing, until there are two for each of these.
constexpr std::uint64_t kRowsOfDoubt = 200;
constexpr double kDeviationOfMeanError = 1.2533141373155001;  // sqrt(pi / 2), for normal errors.

// What one row makes of each view; of the values themselves any distance counts.
constexpr Views kShareOfRow = {0, 1, 1 / 6.0, 1 / 12.0, 1 / 96.0, 1 / 48.0};

using Pace = ViewHistory::Pace;

std::size_t pages_of(std::size_t rows) {
  return (rows + kRowsInPage - 1) / kRowsInPage;
}

std::string page_name(char tag, std::uint32_t epoch, std::uint64_t page) {
  std::string name;
  ByteWriter writer(name);
  writer.u8(static_cast<std::uint8_t>(tag));
  writer.u8(static_cast<std::uint8_t>(epoch));
  writer.varint(page);
  return name;
}

/// A row behind so many others.
double share_that_counts(std::uint64_t rows) {
  const auto doubt = static_cast<double>(kRowsOfDoubt);
  return std::min(1.0, (static_cast<double>(rows) + doubt) / (3 * doubt));
}

/// 1 to 2 of them are in `size`, which is above 0.
double power_of_two_in(double size) {
  int exponent = 0;
  std::frexp(size, &exponent);
  return std::ldexp(1.0, exponent - 1);
}

}  // namespace

// ---- Views -----------------------------------------------------------------------------------------------

void NoveltyViews::start(std::span<const double> values) {
  season_.forget();
  without_season_ = {};
  residuals_ = {};
  steps_ = {};
  finest_step_ = 0;
  unit_ = 0;
  origin_ = median_of({values.begin(), values.end()});
  std::vector<double> distances;
  for (const double value : values) distances.push_back(std::abs(value - origin_));
  // Where most are the same, the origin is all that tells a size.
  const double size = median_of(std::move(distances));
  was_flat_ = size == 0;
  if (size > 0 || origin_ != 0) unit_ = power_of_two_in(size > 0 ? size : std::abs(origin_));
}

bool NoveltyViews::is_elsewhere(double value) const {
  const double distance = distance_of(value);
  if (was_flat_) return distance > 0;
  return distance >= (season_.rows() <= kRowsOfFirstLife ? kFarInUnits : kTooFarInUnits) * unit_;
}

double NoveltyViews::scaled(double value) {
  const double distance = value - origin_;
  if (unit_ == 0 && distance != 0) unit_ = power_of_two_in(std::abs(distance));
  return distance == 0 ? 0 : std::clamp(distance / unit_, -kFarthest, kFarthest);
}

double NoveltyViews::most_of(double sizes) const {
  const double most = sizes * season_.error_size();
  return most > 0 && season_.rows() > kRowsBeforeGaps ? most : kFarthest;
}

NoveltyViews::Row NoveltyViews::step(double value, std::int64_t time) {
  Row row;
  const double seen = scaled(value);
  const double unit = unit_ > 0 ? unit_ : 1;
  const bool is_early = season_.rows() < kRowsBeforeGaps;
  const double x = is_early ? std::clamp(seen, -kFarthestAtFirst, kFarthestAtFirst) : seen;
  const SeasonalLevel::Expectation expected = season_.expect(time);
  row.forecast = origin_ + unit * (season_.rows() == 0 ? x : season_.level() + expected.season);
  row.error_size = unit * season_.error_size();
  learn_step(x);
  row.grain = grain_at(seen, unit);
  row.views = learn(x, expected);
  row.views[0] = seen;
  return row;
}

void NoveltyViews::learn_step(double x) {
  const double step = std::abs(x - last_);
  if (season_.rows() == 0 || step == 0) return;
  finest_step_ = finest_step_ > 0 ? std::min(finest_step_, step) : step;
}

Views NoveltyViews::grain_at(double seen, double unit) const {
  const double rounding = kRounding * std::max(std::abs(seen), std::abs(origin_) / unit);
  Views grain{};
  for (std::size_t view = 0; view < kViews; ++view)
    grain[view] = std::max(rounding, finest_step_ * kShareOfRow[view]);
  return grain;
}

Views NoveltyViews::learn(double x, const SeasonalLevel::Expectation& expected) {
  const double plain = x - expected.season;
  if (season_.rows() == 0) {
    last_ = x;
    mean_ = plain;
  }
  // By the errors before this row.
  const bool is_young = season_.rows() < kRowsOfYouth;
  const double most_of_view = most_of(is_young ? kMostOfViewAtFirst : kMostOfView);
  const double most_of_mean = most_of(kMostOfMean);
  const auto within = [](double error, double most) { return std::clamp(error, -most, most); };
  if (const double moved = season_.learn(expected, x); moved != 0) {
    mean_ += moved;
    residuals_ = {};  // They are of the level before.
  }
  const double residual = plain - mean_;
  mean_ += std::max(1 / static_cast<double>(season_.rows()), .01) * within(residual, most_of_mean);
  without_season_.push(mean_ + within(plain - mean_, most_of_view));
  residuals_.push(within(residual, most_of_view));
  steps_.push(within(std::abs(x - last_), most_of_view));
  last_ = x;
  return {x, residual, without_season_.mean(), residuals_.deviation(12), residuals_.mean(), steps_.mean()};
}

void NoveltyViews::save(ByteWriter& out) const {
  season_.save(out);
  for (const double number : {origin_, unit_, last_, mean_, finest_step_}) out.float64(number);
  out.u8(was_flat_ ? 1 : 0);
  without_season_.save(out);
  residuals_.save(out);
  steps_.save(out);
}

void NoveltyViews::load(ByteReader& in) {
  season_.load(in);
  for (double* number : {&origin_, &unit_, &last_, &mean_, &finest_step_}) *number = in.float64();
  was_flat_ = in.u8() != 0;
  without_season_.load(in);
  residuals_.load(in);
  steps_.load(in);
}

// ---- Histories -------------------------------------------------------------------------------------------

NoveltyHistory::NoveltyHistory(std::uint32_t rows)
    : epoch_rows_(std::max(1U, rows / kEpochs)), views_{ViewHistory(Pace::kFast), ViewHistory(Pace::kFast),
                                                        ViewHistory(Pace::kFast), ViewHistory(Pace::kSlow),
                                                        ViewHistory(Pace::kSlow), ViewHistory(Pace::kSlow)} {}

NoveltyHistory::Nearest NoveltyHistory::add(const Views& views) {
  Nearest nearest;
  std::array<ViewCell, kViews> cells;
  const auto parity = static_cast<std::uint32_t>(arrived_[0].size() % 2);
  for (std::size_t view = 0; view < kViews; ++view) {
    cells[view] = ViewCell(views[view], epoch_, parity);
    nearest.values[view] = cells[view].value();
    arrived_[view].push_back(cells[view]);
  }
  ViewHistory::add_each(views_, cells, nearest.distances);
  if (arrived_[0].size() >= epoch_rows_) end_epoch();
  return nearest;
}

void NoveltyHistory::forget() {
  for (ViewHistory& view : views_) view.forget();
  for (std::vector<ViewCell>& cells : arrived_) cells = {};
  pending_.clear();
  unsaved_ = ((1U << kEpochs) - 1) & ~(1U << epoch_);  // So the next save erases their pages.
  saved_rows_ = 0;
}

void NoveltyHistory::end_epoch() {
  keep_unsaved();
  for (ViewHistory& view : views_) view.end_epoch(epoch_);
  for (std::vector<ViewCell>& cells : arrived_) cells.clear();
  epoch_ = (epoch_ + 1) % kEpochs;
  unsaved_ &= ~(1U << epoch_);
  std::erase_if(pending_, [this](const auto& page) { return page.first.first == epoch_; });
  saved_rows_ = 0;
}

/// The epoch ends: its last pages are kept for the next save. An epoch of which little was saved is found
/// again in the histories and saved as a whole, so a detector that is never saved keeps nothing.
void NoveltyHistory::keep_unsaved() {
  const std::size_t rows = arrived_[0].size();
  if (saved_rows_ == rows) return;
  if (saved_rows_ == 0 || pages_of(rows) - saved_rows_ / kRowsInPage > kMostPending) {
    unsaved_ |= 1U << epoch_;
    return;
  }
  for (std::size_t page = saved_rows_ / kRowsInPage; page < pages_of(rows); ++page)
    pending_[{epoch_, page}] = page_of(arrived_, page);
  for (auto& [place, page] : pending_) page.shrink_to_fit();
}

std::size_t NoveltyHistory::memory_bytes() const {
  std::size_t bytes = 0;
  for (const ViewHistory& view : views_) bytes += view.memory_bytes();
  for (const std::vector<ViewCell>& cells : arrived_) bytes += cells.capacity() * sizeof(ViewCell);
  for (const auto& [place, page] : pending_) bytes += sizeof place + kBytesOfNode + page.capacity();
  return bytes;
}

/// Of an epoch that is full; those that have ended have lost every second value of the slow views, but for
/// the youngest of them. A vector that grows by doubling holds up to twice what is in it.
std::size_t NoveltyHistory::most_memory_bytes() const {
  const std::size_t rows = epoch_rows_;
  const std::size_t fast = (kEpochs - 1) * rows;
  const std::size_t slow = 2 * rows + (kEpochs - 3) * ((rows + 1) / 2);
  const std::size_t settled = kViews / 2 * (fast + slow);
  const std::size_t current = 2 * kViews * std::bit_ceil(rows);  // In their order, and sorted.
  const std::size_t page = sizeof(Place) + kBytesOfNode + kViews * (2 + kRowsInPage * sizeof(ViewCell));
  return (settled + current) * sizeof(ViewCell) + std::min(pages_of(rows), kMostPending) * page;
}

// head := varint number of the current epoch
void NoveltyHistory::save(ByteWriter& out) const {
  out.varint(epoch_);
}

void NoveltyHistory::load(ByteReader& in) {
  epoch_ = static_cast<std::uint32_t>(in.varint() % kEpochs);
}

void NoveltyHistory::save_pages(StatePages& pages) {
  for (const auto& [place, page] : pending_) {
    pages.put(page_name(kPageTag, place.first, place.second), page);
    stored_[place.first] = std::max(stored_[place.first], static_cast<std::uint16_t>(place.second + 1));
  }
  pending_.clear();
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    if ((unsaved_ >> epoch & 1) == 0) continue;
    Cells cells;
    for (std::size_t view = 0; view < kViews; ++view) views_[view].collect(epoch, cells[view]);
    save_epoch(epoch, cells, 0, pages);
  }
  unsaved_ = 0;
  save_epoch(epoch_, arrived_, saved_rows_ / kRowsInPage, pages);
  saved_rows_ = arrived_[0].size();
}

/// Writes the pages from `first_page` on, and erases those that an older epoch of the number has left.
void NoveltyHistory::save_epoch(std::uint32_t epoch, const Cells& cells, std::size_t first_page,
                                StatePages& pages) {
  const std::size_t count = pages_of(cells[0].size());
  for (std::size_t page = first_page; page < count; ++page)
    pages.put(page_name(kPageTag, epoch, page), page_of(cells, page));
  for (std::size_t page = count; page < stored_[epoch]; ++page) pages.erase(page_name(kPageTag, epoch, page));
  stored_[epoch] = static_cast<std::uint16_t>(count);
}

std::string NoveltyHistory::page_of(const Cells& cells, std::size_t page) {
  std::string value;
  ByteWriter writer(value);
  for (const std::vector<ViewCell>& of_view : cells) {
    const std::size_t begin = std::min(page * kRowsInPage, of_view.size());
    const std::size_t end = std::min(begin + kRowsInPage, of_view.size());
    writer.varint(end - begin);
    for (std::size_t i = begin; i < end; ++i) writer.fixed32(of_view[i].bits());
  }
  return value;
}

Status NoveltyHistory::load_page(ByteReader& page, ByteReader& value) {
  page.u8();
  const std::uint32_t epoch = page.u8();
  const std::uint64_t number = page.varint();
  if (!page.ok() || epoch >= kEpochs || number >= epoch_rows_)
    return fail(ErrorCode::kCorrupt, "a saved history of a detector has no such page");
  Cells& cells = loading_[{epoch, number}];
  for (std::vector<ViewCell>& of_view : cells)
    for (std::uint64_t left = value.varint(); left > 0 && value.ok(); --left)
      of_view.emplace_back(value.fixed32());
  stored_[epoch] = std::max(stored_[epoch], static_cast<std::uint16_t>(number + 1));
  if (!value.ok()) return fail(ErrorCode::kCorrupt, "a saved history of a detector ends early");
  return {};
}

void NoveltyHistory::finish_loading() {
  if (loading_.empty()) return;
  double distance = 0;  // Not wanted.
  for (const auto& [place, cells] : loading_) {
    for (std::size_t view = 0; view < kViews; ++view) {
      for (const ViewCell cell : cells[view]) {
        if (place.first != epoch_) {
          views_[view].put_back(cell);
          continue;
        }
        ViewHistory::add_each({&views_[view], 1}, {&cell, 1}, {&distance, 1});
        arrived_[view].push_back(cell);
      }
    }
  }
  for (ViewHistory& view : views_) view.settle(epoch_);
  saved_rows_ = arrived_[0].size();
  loading_.clear();
}

void NoveltyHistory::unsave_pages(StatePages& pages) {
  finish_loading();
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    for (std::size_t page = 0; page < stored_[epoch]; ++page) pages.erase(page_name(kPageTag, epoch, page));
    stored_[epoch] = 0;
  }
  pending_.clear();
  unsaved_ = ((1U << kEpochs) - 1) & ~(1U << epoch_);
  saved_rows_ = 0;
}

// ---- The detector ----------------------------------------------------------------------------------------

Novelty::Novelty(const DetectorOptions& options)
    : threshold_(options.threshold.value_or(kThreshold)),
      width_(options.width_of_confidence() * kDeviationOfMeanError),
      cooldown_(options.cooldown.value_or(kCooldownRows)),
      warm_up_(std::max(kLeastWarmUp, options.min_training.value_or(0))),
      max_training_(options.max_training),
      history_(options.history),
      errors_(options.max_training) {}

Verdict Novelty::judge(std::span<const double> values, std::int64_t time) {
  finish_loading();
  Verdict verdict;
  if (rows_ > 0) {
    verdict = judge_next(values[0], time);
    keep_elsewhere(values[0], time);
    if (!begins_anew()) return verdict;
  } else {
    waiting_.add(values[0], time);
    if (waiting_.size() < kRowsBeforeGaps) return verdict;
  }
  begin();
  return {};
}

void Novelty::begin() {
  const std::uint64_t rows_since_alert = rows_since_alert_;
  source_.start(waiting_.values());
  history_.forget();
  for (GapTail& tail : tails_) tail.forget();
  errors_ = ForecastErrors(max_training_);
  rows_ = 0;
  ++lives_;
  for (const FirstRow& row : waiting_.take()) judge_next(row.value, row.time);
  rows_since_alert_ = rows_since_alert;
}

void Novelty::keep_elsewhere(double value, std::int64_t time) {
  const bool may_be = lives_ < kMostLives && source_.is_elsewhere(value);
  if (waiting_.size() >= (may_be ? kRowsBeforeGaps : 1)) waiting_.take();
  if (may_be) waiting_.add(value, time);
}

bool Novelty::begins_anew() const {
  if (waiting_.size() < kRowsBeforeGaps) return false;
  const std::vector<double> values = waiting_.values();
  const double median = median_of(values);
  double deviation = 0;
  for (const double value : values)
    deviation += std::abs(value - median) / static_cast<double>(values.size());
  // Rows that do not vary tell no scale; they may be an outage.
  return deviation > 0 && source_.distance_of(median) >= kFarInDeviations * deviation;
}

Verdict Novelty::judge_next(double value, std::int64_t time) {
  const NoveltyViews::Row row = source_.step(value, time);
  const double rarity = rarity_of(row);
  errors_.add(value - row.forecast);
  ++rows_;
  if (rows_since_alert_ > 0) ++rows_since_alert_;
  Verdict verdict;
  if (rows_ <= warm_up_) return verdict;
  verdict.forecast = row.forecast;
  verdict.lower = row.forecast - width_ * row.error_size;
  verdict.upper = row.forecast + width_ * row.error_size;
  verdict.rarity = rarity;
  verdict.alert = rarity >= threshold_ && !is_held_back(rarity);
  if (verdict.alert) {
    rows_since_alert_ = 1;
    rarity_of_alert_ = rarity;
  }
  verdict.rmse = errors_.rmse();
  verdict.aic = errors_.aic(3);
  return verdict;
}

bool Novelty::is_held_back(double rarity) const {
  return rows_since_alert_ > 0 && rows_since_alert_ <= cooldown_ + 1 &&
         rarity < kMuchRarer * rarity_of_alert_;
}

/// The mean over the views; all of them learn the row.
double Novelty::rarity_of(const NoveltyViews::Row& row) {
  const bool is_early = history_.size() < kRowsBeforeGaps;
  const NoveltyHistory::Nearest nearest = history_.add(row.views);
  double sum = 0;
  for (std::size_t view = 0; view < kViews; ++view) {
    const double distance = nearest.distances[view];
    const double gap = is_early || distance <= row.grain[view] ? 0 : distance;
    sum += std::min(tails_[view].rarity_of(gap), kMostOfOneView);
    tails_[view].add(gap);
  }
  return share_that_counts(rows_) * sum / kViews;
}

void Novelty::finish_loading() {
  history_.finish_loading();
  for (GapTail& tail : tails_) tail.finish_loading();
}

std::size_t Novelty::memory_bytes() const {
  std::size_t bytes = sizeof *this + history_.memory_bytes() + waiting_.memory_bytes();
  for (const GapTail& tail : tails_) bytes += tail.memory_bytes();
  return bytes;
}

std::size_t Novelty::most_memory_bytes() const {
  return sizeof *this + history_.most_memory_bytes() + kViews * GapTail::most_bytes() +
         FirstRows::most_bytes(kRowsBeforeGaps);
}

// ---- State -----------------------------------------------------------------------------------------------

// head := rows that wait, views, history, tail…, varint rows, varint lives, varint rows since the alert,
//   double its rarity, errors
void Novelty::save(ByteWriter& out) const {
  waiting_.save(out);
  source_.save(out);
  history_.save(out);
  for (const GapTail& tail : tails_) tail.save(out);
  out.varint(rows_);
  out.varint(lives_);
  out.varint(rows_since_alert_);
  out.float64(rarity_of_alert_);
  errors_.save(out);
}

Status Novelty::load(ByteReader& in) {
  waiting_.load(in);
  source_.load(in);
  history_.load(in);
  for (GapTail& tail : tails_) tail.load(in);
  rows_ = in.varint();
  lives_ = in.varint();
  rows_since_alert_ = in.varint();
  rarity_of_alert_ = in.float64();
  errors_.load(in);
  if (!in.ok()) return fail(ErrorCode::kCorrupt, "a saved detector ends early");
  return {};
}

void Novelty::save_pages(StatePages& pages) {
  source_.season().save_pages(pages);
  for (std::size_t view = 0; view < kViews; ++view)
    tails_[view].save_pages(static_cast<char>('0' + view), pages);
  history_.finish_loading();
  history_.save_pages(pages);
}

Status Novelty::load_page(std::string_view page, std::string_view value) {
  ByteReader name(page);
  ByteReader content(value);
  if (SeasonalLevel::owns(page)) return source_.season().load_page(name, content);
  if (NoveltyHistory::owns(page)) return history_.load_page(name, content);
  if (page.empty() || page[0] < '0' || page[0] >= static_cast<char>('0' + kViews))
    return Detector::load_page(page, value);
  return tails_[static_cast<std::size_t>(page[0] - '0')].load_page(name, content);
}

void Novelty::unsave_pages(StatePages& pages) {
  source_.season().unsave_pages(pages);
  for (std::size_t view = 0; view < kViews; ++view)
    tails_[view].unsave_pages(static_cast<char>('0' + view), pages);
  history_.unsave_pages(pages);
}

}  // namespace leat::anomaly
