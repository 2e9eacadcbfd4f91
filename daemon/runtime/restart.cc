#include "daemon/runtime/restart.h"

#include <algorithm>
#include <cmath>

namespace leat::runtime {
namespace {

void read(const OptionMap& settings, const std::string& key, auto& into) {
  const auto setting = settings.find("restart-strategy." + key);
  if (setting == settings.end()) return;
  auto value = into;
  if (option_text::read(setting->second, value)) into = value;
}

}  // namespace

RestartOptions restart_options(const OptionMap& settings) {
  using Strategy = RestartOptions::Strategy;
  RestartOptions options;
  std::string type;
  read(settings, "type", type);
  if (type == "none" || type == "off" || type == "disable") options.strategy = Strategy::kNone;
  if (type == "fixed-delay" || type == "fixeddelay") options.strategy = Strategy::kFixedDelay;
  read(settings, "fixed-delay.attempts", options.fixed_attempts);
  read(settings, "fixed-delay.delay", options.fixed_delay);
  read(settings, "exponential-delay.initial-backoff", options.initial_backoff);
  read(settings, "exponential-delay.max-backoff", options.max_backoff);
  read(settings, "exponential-delay.backoff-multiplier", options.multiplier);
  read(settings, "exponential-delay.reset-backoff-threshold", options.reset_after);
  read(settings, "exponential-delay.attempts-before-reset-backoff", options.equal_failures);
  return options;
}

std::optional<Micros> RestartPolicy::failed(const std::string& error, Micros ran) {
  using Strategy = RestartOptions::Strategy;
  if (options_.strategy == Strategy::kNone) return std::nullopt;
  if (ran >= options_.reset_after) attempts_ = equal_ = 0;
  equal_ = error == last_error_ ? equal_ + 1 : 1;
  last_error_ = error;
  ++attempts_;
  if (options_.strategy == Strategy::kFixedDelay) {
    if (attempts_ > options_.fixed_attempts) return std::nullopt;
    return options_.fixed_delay;
  }
  if (equal_ > options_.equal_failures) return std::nullopt;
  const double grown = static_cast<double>(options_.initial_backoff.count()) *
                       std::pow(std::max(options_.multiplier, 1.0), static_cast<double>(attempts_ - 1));
  const auto most = static_cast<double>(options_.max_backoff.count());
  return Micros(static_cast<std::int64_t>(std::min(grown, most)));
}

}  // namespace leat::runtime
