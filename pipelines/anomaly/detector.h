// A detector judges the values of one series, one after the other, by what it saw before. It knows nothing of
// SQL, keys or watermarks: whoever owns it holds one for each key and calls it in the order of time.
//
// Every detector: costs the same for each value however long the series is, holds a bounded number of bytes,
// learns a new level by itself, and gives the same answers again when it is saved, loaded and goes on. None
// reads a clock or a random device. A value is judged before it is learnt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "pipelines/base/bytes.h"
#include "pipelines/base/result.h"

namespace leat::anomaly {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// What a detector says of one value. A number that it does not know (while it warms up, or ever) is
/// kUnknown.
struct Verdict {
  std::size_t value = 0;       ///< Which of the row's values forecast and bounds are of.
  double forecast = kUnknown;  ///< What was expected, in the unit of the value.
  double lower = kUnknown;     ///< Values from here …
  double upper = kUnknown;     ///< … to here are as expected.
  /// -log10 of the chance that a value of this series is so odd: 2 is one in a hundred. From 0 to
  /// kGreatestRarity; kUnknown while the detector warms up.
  double rarity = kUnknown;
  bool alert = false;
  double rmse = kUnknown;  ///< Root of the mean square of the forecasts' errors.
  double aic = kUnknown;   ///< Akaike's criterion of the forecasts' errors, to compare models of one series.
};

inline constexpr double kGreatestRarity = 300;

/// The chance that a value is less odd, from 0 to 1; kUnknown stays.
double score_of(double rarity);

/// Takes the changed parts of a state. Parts have short names of their own beside the head.
class StatePages {
 public:
  virtual ~StatePages() = default;
  /// Both views live until the call returns.
  virtual void put(std::string_view page, std::string_view value) = 0;
  virtual void erase(std::string_view page) = 0;
};

class Detector {
 public:
  virtual ~Detector() = default;
  Detector() = default;
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  /// Judges the next row, then learns it. `values` are as many as the detector was made for; `time` is in
  /// microseconds and may stand still or step back. Values beyond 1e100 count as that, those of a size below
  /// 1e-100 as 0. A row with a value that is no finite number is passed over: nothing is known of it, and
  /// nothing is learnt.
  Verdict observe(std::span<const double> values, std::int64_t time);

  /// All that it holds, in bytes.
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
  /// `memory_bytes` never is more, whatever the series.
  [[nodiscard]] virtual std::size_t most_memory_bytes() const { return memory_bytes(); }

  /// The head of the state, a few hundred bytes at most, and back into a new detector of the same options.
  /// Errors: corrupt.
  virtual void save(ByteWriter& out) const = 0;
  virtual Status load(ByteReader& in) = 0;

  /// Writes the pages that changed since the last `save_pages` or `load_page`. One row changes a few pages,
  /// each of a few hundred bytes, however long the history is.
  virtual void save_pages(StatePages& pages) { (void)pages; }
  /// Puts back one page; pages and the head come in any order, before the first row. Errors: corrupt.
  virtual Status load_page(std::string_view page, std::string_view value);
  /// Erases all pages that the store has; the detector counts as never saved.
  virtual void unsave_pages(StatePages& pages) { (void)pages; }

 private:
  /// `values` are finite, no larger than 1e100, and 0 or no smaller than 1e-100.
  virtual Verdict judge(std::span<const double> values, std::int64_t time) = 0;
};

using DetectorPtr = std::unique_ptr<Detector>;

}  // namespace leat::anomaly
