// When a failed pipeline is started again: Flink's restart strategies by their own names. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pipelines/base/options.h"

namespace leat::runtime {

struct RestartOptions {
  enum class Strategy : std::uint8_t { kNone, kFixedDelay, kExponentialDelay };
  Strategy strategy = Strategy::kExponentialDelay;
  std::uint64_t fixed_attempts = 3;           ///< restart-strategy.fixed-delay.attempts
  Micros fixed_delay{kMicrosPerSecond};       ///< restart-strategy.fixed-delay.delay
  Micros initial_backoff{kMicrosPerSecond};   ///< restart-strategy.exponential-delay.initial-backoff
  Micros max_backoff{60 * kMicrosPerSecond};  ///< restart-strategy.exponential-delay.max-backoff
  double multiplier = 2.0;                    ///< restart-strategy.exponential-delay.backoff-multiplier
  Micros reset_after{3600 *
                     kMicrosPerSecond};  ///< restart-strategy.exponential-delay.reset-backoff-threshold
  std::uint64_t equal_failures = 10;     ///< restart-strategy.exponential-delay.attempts-before-reset-backoff
};

/// From the pipeline's settings, which the planner has checked.
RestartOptions restart_options(const OptionMap& settings);

/// Counts failures and says how long to wait before the next start.
class RestartPolicy {
 public:
  explicit RestartPolicy(const RestartOptions& options) : options_(options) {}

  /// The pipeline failed with `error` after having run for `ran`. nullopt: it stays failed (the strategy's
  /// attempts are used up, or the same error came `equal_failures` times in a row).
  std::optional<Micros> failed(const std::string& error, Micros ran);

 private:
  RestartOptions options_;
  std::string last_error_;
  std::uint64_t attempts_ = 0;  // Failures in a row, since the last long run.
  std::uint64_t equal_ = 0;
};

}  // namespace leat::runtime
