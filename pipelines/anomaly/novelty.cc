#include "pipelines/anomaly/novelty.h"

#include <algorithm>
#include <cmath>

namespace leat::anomaly {
namespace {

constexpr double kThreshold = 1.5;
constexpr std::uint32_t kCooldownRows = 120;
constexpr double kMostOfOneView = 8;
constexpr std::size_t kRowsBeforeGaps = 20;
constexpr std::uint32_t kRowsOfTail = 50;
constexpr std::size_t kRowsInPage = 16;
constexpr double kNoDistance = 1e-9;                          // Of the largest value.
constexpr double kDeviationOfMeanError = 1.2533141373155001;  // sqrt(pi / 2), for normal errors.

using Pace = ViewHistory::Pace;

std::size_t pages_of(std::size_t rows) {
  return (rows + kRowsInPage - 1) / kRowsInPage;
}

std::string page_name(char tag, std::uint32_t epoch, std::size_t page) {
  std::string name;
  ByteWriter writer(name);
  writer.u8(static_cast<std::uint8_t>(tag));
  writer.u8(static_cast<std::uint8_t>(epoch));
  writer.varint(page);
  return name;
}

}  // namespace

// ---- Views -----------------------------------------------------------------------------------------------

NoveltyViews::Row NoveltyViews::step(double value, std::int64_t time) {
  Row row;
  const SeasonalLevel::Expectation expected = season_.expect(time);
  const bool is_first = season_.rows() == 0;
  row.forecast = is_first ? value : season_.level() + expected.season;
  row.error_size = season_.error_size();
  const double plain = value - expected.season;
  if (is_first) {
    first_ = last_ = value;
    mean_ = plain;
  }
  season_.learn(expected, value);
  const double residual = plain - mean_;
  mean_ += std::max(1 / static_cast<double>(season_.rows()), .01) * (plain - mean_);
  without_season_.push(plain - first_);
  residuals_.push(residual);
  steps_.push(std::abs(value - last_));
  last_ = value;
  row.views = {value - first_,           residual,          without_season_.mean(),
               residuals_.deviation(12), residuals_.mean(), steps_.mean()};
  return row;
}

void NoveltyViews::save(ByteWriter& out) const {
  season_.save(out);
  for (const double number : {first_, last_, mean_}) out.float64(number);
  without_season_.save(out);
  residuals_.save(out);
  steps_.save(out);
}

void NoveltyViews::load(ByteReader& in) {
  season_.load(in);
  for (double* number : {&first_, &last_, &mean_}) *number = in.float64();
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

void NoveltyHistory::end_epoch() {
  keep_unsaved();
  for (ViewHistory& view : views_) view.end_epoch(epoch_);
  for (std::vector<ViewCell>& cells : arrived_) cells.clear();
  epoch_ = (epoch_ + 1) % kEpochs;
  unsaved_ &= ~(1U << epoch_);
  std::erase_if(pending_, [this](const auto& page) { return page.first.first == epoch_; });
  saved_rows_ = 0;
}

/// The epoch ends: its last pages are kept for the next save. An epoch of which nothing was saved is found
/// again in the histories, so a detector that is never saved keeps nothing.
void NoveltyHistory::keep_unsaved() {
  const std::size_t rows = arrived_[0].size();
  if (saved_rows_ == rows) return;
  if (saved_rows_ == 0) {
    unsaved_ |= 1U << epoch_;
    return;
  }
  for (std::size_t page = saved_rows_ / kRowsInPage; page < pages_of(rows); ++page)
    pending_[{epoch_, page}] = page_of(arrived_, page);
}

std::size_t NoveltyHistory::memory_bytes() const {
  std::size_t bytes = 0;
  for (const ViewHistory& view : views_) bytes += view.memory_bytes();
  for (const std::vector<ViewCell>& cells : arrived_) bytes += cells.capacity() * sizeof(ViewCell);
  for (const auto& [place, page] : pending_) bytes += sizeof place + page.capacity();
  return bytes;
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
    : threshold_(options.threshold.value_or(options.confidence ? -std::log10(1 - *options.confidence / 100)
                                                               : kThreshold)),
      width_(deviations_of_share(options.confidence.value_or(99) / 100) * kDeviationOfMeanError),
      cooldown_(options.cooldown.value_or(kCooldownRows)),
      warm_up_(std::max(kRowsOfTail, options.min_training.value_or(0))),
      history_(options.history),
      errors_(options.max_training) {}

Verdict Novelty::judge(std::span<const double> values, std::int64_t time) {
  history_.finish_loading();
  const NoveltyViews::Row row = source_.step(values[0], time);
  const double rarity = rarity_of(row.views);
  errors_.add(values[0] - row.forecast);
  ++rows_;
  if (rows_since_alert_ > 0) ++rows_since_alert_;
  Verdict verdict;
  if (rows_ <= warm_up_) return verdict;
  verdict.forecast = row.forecast;
  verdict.lower = row.forecast - width_ * row.error_size;
  verdict.upper = row.forecast + width_ * row.error_size;
  verdict.rarity = rarity;
  verdict.alert = rarity >= threshold_ && (rows_since_alert_ == 0 || rows_since_alert_ > cooldown_ + 1);
  if (verdict.alert) rows_since_alert_ = 1;
  verdict.rmse = errors_.rmse();
  verdict.aic = errors_.aic(3);
  return verdict;
}

/// The mean over the views; all of them learn the row.
double Novelty::rarity_of(const Views& views) {
  const bool is_early = history_.size() < kRowsBeforeGaps;
  const NoveltyHistory::Nearest nearest = history_.add(views);
  double sum = 0;
  for (std::size_t view = 0; view < kViews; ++view) {
    largest_[view] = std::max(largest_[view], std::abs(nearest.values[view]));
    double gap = nearest.distances[view];
    if (is_early || gap < kNoDistance * largest_[view]) gap = 0;
    sum += std::min(tails_[view].rarity_of(gap), kMostOfOneView);
    tails_[view].add(gap);
  }
  return sum / kViews;
}

std::size_t Novelty::memory_bytes() const {
  std::size_t bytes = sizeof *this + history_.memory_bytes();
  for (const GapTail& tail : tails_) bytes += tail.memory_bytes();
  return bytes;
}

// ---- State -----------------------------------------------------------------------------------------------

// head := views, history, tail…, double largest…, varint rows, varint rows since the alert, errors
void Novelty::save(ByteWriter& out) const {
  source_.save(out);
  history_.save(out);
  for (const GapTail& tail : tails_) tail.save(out);
  for (const double largest : largest_) out.float64(largest);
  out.varint(rows_);
  out.varint(rows_since_alert_);
  errors_.save(out);
}

Status Novelty::load(ByteReader& in) {
  source_.load(in);
  history_.load(in);
  for (GapTail& tail : tails_) tail.load(in);
  for (double& largest : largest_) largest = in.float64();
  rows_ = in.varint();
  rows_since_alert_ = in.varint();
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
