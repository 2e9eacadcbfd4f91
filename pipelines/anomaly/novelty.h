// Novelty: a value is odd when it, or one of five numbers derived from it, falls into a gap that the series
// has never visited. Six views (the value; what is left of it without level and season; short and long means
// of that; its spread; the size of the steps) each measure the distance to the nearest value they have had,
// and how rare such a distance is among all distances before. The mean of the six is the rarity; an alert
// begins where it reaches a threshold, and none follows for a while but one of twice that rarity. What a
// young series tells of rare gaps is little, so of its rarities a part counts: a third at first, all from 400
// rows on.
//
// All of it is scale-free: values count from the median of the first twenty, in a power of two near the
// median of their distances from it. So the first rows wait until there are twenty of them, and one that is
// an error code does not set the scale. Error codes later on stay in the views for as long as these look
// back (96 rows); means and spreads learn them as an outlier of bounded size.
//
// A series that was off, or sent nothing but codes, tells nothing of what it will be like once it lives. So
// when twenty rows follow each other far from where the first ones were, and vary little against that, the
// detector begins anew with these: soon behind the first row, where the first rows were all the same, or
// beyond what its floats can tell apart. That it does a few times only: what is switched on and off all the
// time has two levels, and is to be known by both.
//
// A coarse sensor has steps; in a mean of 96 rows one of them makes a 96th of itself, and what is less is
// none of its doing. So a distance below that is none, though means of what is left without level and season
// are never the same twice.
//
// There is nothing to set, to train or to choose: the same numbers serve every series. The method is a
// nearest-neighbour detector as KNN-CAD (Burnaev, Ishimtsev 2016) with views in place of a delay embedding.
//
// State: the head as `save` writes it, and pages:
//   's' bucket                => a bucket of the season (seasonal_level.h)
//   '0' … '5' block           => counts of gaps of a view (gap_tail.h)
//   'h' u8 epoch, varint page => for each view: varint count, fixed32 cell… (view_history.h)
#pragma once

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"
#include "pipelines/anomaly/first_rows.h"
#include "pipelines/anomaly/gap_tail.h"
#include "pipelines/anomaly/normal.h"
#include "pipelines/anomaly/seasonal_level.h"
#include "pipelines/anomaly/trailing.h"
#include "pipelines/anomaly/view_history.h"

namespace leat::anomaly {

inline constexpr std::size_t kViews = 6;
using Views = std::array<double, kViews>;

/// From values to their views.
class NoveltyViews {
 public:
  struct Row {
    Views views{};
    double forecast = 0;    ///< Level and season before this row.
    double error_size = 0;  ///< Mean size of the forecasts' errors before this row.
    Views grain{};          ///< Distances of the views that are no more than this are none.
  };
  /// The first rows: call before `step`, and then `step` with each of them. What came before is forgotten.
  void start(std::span<const double> values);
  Row step(double value, std::int64_t time);

  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  SeasonalLevel& season() { return season_; }
  /// From the median of the first rows.
  [[nodiscard]] double distance_of(double value) const { return std::abs(value - origin_); }
  /// So far away that a series that lives there has another scale than its first rows told.
  [[nodiscard]] bool is_elsewhere(double value) const;

 private:
  /// A value of the series as all that follows sees it; it may be the one that sets the unit.
  double scaled(double value);
  void learn_step(double x);
  /// The distances that the resolution of the values makes in the views, or rounding does.
  [[nodiscard]] Views grain_at(double seen, double unit) const;
  /// So many sizes of the errors so far, which an error may have; as many as there are while these are not
  /// known.
  [[nodiscard]] double most_of(double sizes) const;
  /// Learns a scaled value; gives its views.
  Views learn(double x, const SeasonalLevel::Expectation& expected);

  SeasonalLevel season_{SeasonalLevel::Shape::kSteps};
  double origin_ = 0;
  double unit_ = 0;        // A power of 2; 0: all values were 0 so far.
  bool was_flat_ = false;  // The first rows: the unit tells nothing of what is usual.
  double last_ = 0;
  double finest_step_ = 0;  // The smallest from one value to another; 0: there was none.
  double mean_ = 0;         // Of the values without season.
  Trailing<6> without_season_;
  Trailing<96> residuals_;
  Trailing<48> steps_;
};

/// The rows of the views' histories, and how they are saved: a page has 16 rows.
class NoveltyHistory {
 public:
  explicit NoveltyHistory(std::uint32_t rows);

  /// How far each view of a row is from the nearest one before.
  struct Nearest {
    Views distances{};  ///< Infinite in the first row.
    Views values{};     ///< The views as the history keeps them.
  };
  Nearest add(const Views& views);
  /// As a new one; only what the store has of it is kept in mind.
  void forget();
  [[nodiscard]] std::size_t size() const { return views_[0].size(); }

  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] std::size_t most_memory_bytes() const;
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  void save_pages(StatePages& pages);
  Status load_page(ByteReader& page, ByteReader& value);
  void unsave_pages(StatePages& pages);
  /// All pages and the head are loaded: call before the first row.
  void finish_loading();
  [[nodiscard]] static bool owns(std::string_view page) { return page.starts_with(kPageTag); }

 private:
  static constexpr char kPageTag = 'h';
  using Cells = std::array<std::vector<ViewCell>, kViews>;
  void end_epoch();
  void keep_unsaved();
  void save_epoch(std::uint32_t epoch, const Cells& cells, std::size_t first_page, StatePages& pages);
  /// As it is saved.
  static std::string page_of(const Cells& cells, std::size_t page);

  std::uint32_t epoch_rows_;
  std::uint32_t epoch_ = 0;
  std::array<ViewHistory, kViews> views_;
  Cells arrived_;               // Of the current epoch, in their order.
  std::size_t saved_rows_ = 0;  // Of the current epoch.
  std::uint32_t unsaved_ = 0;   // Epochs that ended before a row of them was saved, a bit each.
  std::array<std::uint16_t, kEpochs> stored_{};           // Pages that the store has.
  using Place = std::pair<std::uint32_t, std::uint64_t>;  // Epoch and page.
  std::map<Place, std::string> pending_;  // Last pages of epochs that ended before these were saved.
  std::map<Place, Cells> loading_;
};

class Novelty final : public Detector {
 public:
  explicit Novelty(const DetectorOptions& options);

  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t most_memory_bytes() const override;
  void save(ByteWriter& out) const override;
  Status load(ByteReader& in) override;
  void save_pages(StatePages& pages) override;
  Status load_page(std::string_view page, std::string_view value) override;
  void unsave_pages(StatePages& pages) override;
  /// Less than that of any 'minTrainingSize': gaps are measured from row 20 on, and judged by 30 of them.
  static constexpr std::uint32_t kLeastWarmUp = 50;

 private:
  Verdict judge(std::span<const double> values, std::int64_t time) override;
  /// Without the first rows, which wait.
  Verdict judge_next(double value, std::int64_t time);
  /// With the rows that wait; what came before them is forgotten.
  void begin();
  /// A row that has been judged waits, too, where it may be one of the first of another life.
  void keep_elsewhere(double value, std::int64_t time);
  /// The series lives where the rows that wait are, and what is known does not help there.
  [[nodiscard]] bool begins_anew() const;
  /// By the alert before.
  [[nodiscard]] bool is_held_back(double rarity) const;
  double rarity_of(const NoveltyViews::Row& row);
  void finish_loading();

  double threshold_;
  double width_;  // Of the interval of expected values, in mean sizes of errors.
  std::uint32_t cooldown_;
  std::uint32_t warm_up_;
  std::uint32_t max_training_;
  FirstRows waiting_;
  NoveltyViews source_;
  NoveltyHistory history_;
  static constexpr double kEndOfTail = 512;
  std::array<GapTail, kViews> tails_{GapTail(kEndOfTail), GapTail(kEndOfTail), GapTail(kEndOfTail),
                                     GapTail(kEndOfTail), GapTail(kEndOfTail), GapTail(kEndOfTail)};
  std::uint64_t rows_ = 0;
  std::uint64_t lives_ = 0;             // Begun so far.
  std::uint64_t rows_since_alert_ = 0;  // 0: there was none.
  double rarity_of_alert_ = 0;
  ForecastErrors errors_;
};

}  // namespace leat::anomaly
