// When a failed pipeline is started again: Flink's restart strategies by their own names. Pure: the caller
// brings the time and, if it wants, the chance.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::runtime {

/// Fields under the settings that fill them; the prefix 'restart-strategy.' is left out.
struct RestartOptions {
  enum class Strategy : std::uint8_t { kNone, kFixedDelay, kExponentialDelay, kFailureRate };
  Strategy strategy = Strategy::kExponentialDelay;
  std::uint64_t fixed_attempts = 3;             ///< fixed-delay.attempts
  Micros fixed_delay{kMicrosPerSecond};         ///< fixed-delay.delay
  Micros initial_backoff{kMicrosPerSecond};     ///< exponential-delay.initial-backoff
  Micros max_backoff{60 * kMicrosPerSecond};    ///< exponential-delay.max-backoff
  double multiplier = 2.0;                      ///< exponential-delay.backoff-multiplier
  double jitter = 0.1;                          ///< exponential-delay.jitter-factor
  Micros reset_after{3600 * kMicrosPerSecond};  ///< exponential-delay.reset-backoff-threshold
  std::uint64_t equal_failures = 10;            ///< exponential-delay.attempts-before-reset-backoff
  Micros rate_delay{kMicrosPerSecond};          ///< failure-rate.delay
  Micros rate_interval{60 * kMicrosPerSecond};  ///< failure-rate.failure-rate-interval
  std::uint64_t rate_failures = 1;              ///< failure-rate.max-failures-per-interval
};

/// From the pipeline's settings, which the planner has checked.
RestartOptions restart_options(const OptionMap& settings);

/// A number in [0, 1) that differs from gateway to gateway and from call to call. Any thread.
double random_fraction();

/// Counts failures and says how long to wait before the next start.
class RestartPolicy {
 public:
  /// `chance` gives numbers in [0, 1), from which the jitter is made.
  explicit RestartPolicy(const RestartOptions& options, std::function<double()> chance = random_fraction)
      : options_(options), chance_(std::move(chance)) {}

  /// The pipeline failed with `error` at `now` (monotonic microseconds) after having run for `ran`. nullopt:
  /// it stays failed, because the strategy's attempts are used up, the same error (but for its numbers) came
  /// `equal_failures` times in a row, or there were more than `rate_failures` within `rate_interval`. What
  /// the operating system refuses (io: a full disk, a file's owner) is not counted among the equal failures:
  /// it ends outside of the pipeline, and nobody may be there to start it again.
  std::optional<Micros> failed(const Error& error, Micros ran, std::int64_t now);

 private:
  std::optional<Micros> by_attempts() const;
  std::optional<Micros> by_backoff();
  std::optional<Micros> by_rate(std::int64_t now);

  RestartOptions options_;
  std::function<double()> chance_;
  std::string last_error_;      // Without its numbers.
  std::uint64_t attempts_ = 0;  // Failures; for the exponential delay those since the last long run.
  std::uint64_t equal_ = 0;
  std::deque<std::int64_t> failures_;  // When they were, over the last `rate_interval`.
};

}  // namespace leat::runtime
