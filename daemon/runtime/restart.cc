#include "daemon/runtime/restart.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace leat::runtime {
namespace {

void read(const OptionMap& settings, const std::string& key, auto& into) {
  const auto setting = settings.find("restart-strategy." + key);
  if (setting == settings.end()) return;
  auto value = into;
  if (option_text::read(setting->second, value)) into = value;
}

RestartOptions::Strategy strategy_of(const std::string& type) {
  using enum RestartOptions::Strategy;
  if (type == "none" || type == "off" || type == "disable") return kNone;
  if (type == "fixed-delay" || type == "fixeddelay") return kFixedDelay;
  if (type == "failure-rate" || type == "failurerate") return kFailureRate;
  return kExponentialDelay;
}

/// The message without its numbers and their units: what fails at each restart for the same reason seldom
/// fails at the same byte.
std::string without_numbers(const std::string& message) {
  static constexpr std::string_view kUnits[] = {"bytes", "kb", "mb", "gb", "tb"};
  std::string rest;
  std::size_t at = 0;
  while (at < message.size()) {
    const std::size_t end = std::min(message.find(' ', at), message.size());
    const std::string word = message.substr(at, end - at);
    const bool number = word.find_first_of("0123456789") != std::string::npos;
    const bool unit = std::find(std::begin(kUnits), std::end(kUnits),
                                word.substr(0, word.find_last_not_of(",;:.)") + 1)) != std::end(kUnits);
    if (!number && !unit) rest += word + ' ';
    at = end + 1;
  }
  return rest;
}

}  // namespace

RestartOptions restart_options(const OptionMap& settings) {
  RestartOptions options;
  std::string type;
  read(settings, "type", type);
  options.strategy = strategy_of(type);
  read(settings, "fixed-delay.attempts", options.fixed_attempts);
  read(settings, "fixed-delay.delay", options.fixed_delay);
  read(settings, "exponential-delay.initial-backoff", options.initial_backoff);
  read(settings, "exponential-delay.max-backoff", options.max_backoff);
  read(settings, "exponential-delay.backoff-multiplier", options.multiplier);
  read(settings, "exponential-delay.jitter-factor", options.jitter);
  read(settings, "exponential-delay.reset-backoff-threshold", options.reset_after);
  read(settings, "exponential-delay.attempts-before-reset-backoff", options.equal_failures);
  read(settings, "failure-rate.delay", options.rate_delay);
  read(settings, "failure-rate.failure-rate-interval", options.rate_interval);
  read(settings, "failure-rate.max-failures-per-interval", options.rate_failures);
  return options;
}

double random_fraction() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

std::optional<Micros> RestartPolicy::failed(const Error& error, Micros ran, std::int64_t now) {
  using enum RestartOptions::Strategy;
  if (options_.strategy == kNone) return std::nullopt;
  if (options_.strategy == kFailureRate) return by_rate(now);
  // Flink's fixed delay has so many attempts for the life of a job; only the growing one forgets.
  if (options_.strategy == kExponentialDelay && ran >= options_.reset_after) attempts_ = equal_ = 0;
  const std::string reason = without_numbers(error.message);
  equal_ = reason == last_error_ ? equal_ + 1 : 1;
  if (error.code == ErrorCode::kIo) equal_ = 0;
  last_error_ = reason;
  ++attempts_;
  return options_.strategy == kFixedDelay ? by_attempts() : by_backoff();
}

std::optional<Micros> RestartPolicy::by_attempts() const {
  if (attempts_ > options_.fixed_attempts) return std::nullopt;
  return options_.fixed_delay;
}

/// The jitter is a part of the wait, up or down, so that pipelines that failed together do not come back
/// together; at the longest wait only down.
std::optional<Micros> RestartPolicy::by_backoff() {
  if (equal_ > options_.equal_failures) return std::nullopt;
  const auto most = static_cast<double>(options_.max_backoff.count());
  const double grown = static_cast<double>(options_.initial_backoff.count()) *
                       std::pow(std::max(options_.multiplier, 1.0), static_cast<double>(attempts_ - 1));
  const double wait = std::min(grown, most);
  const double jitter = wait * options_.jitter * (2 * chance_() - 1);
  return Micros(std::llround(std::clamp(wait + jitter, 0.0, most)));
}

std::optional<Micros> RestartPolicy::by_rate(std::int64_t now) {
  while (!failures_.empty() && now - failures_.front() > options_.rate_interval.count())
    failures_.pop_front();
  failures_.push_back(now);
  if (failures_.size() > options_.rate_failures) return std::nullopt;
  return options_.rate_delay;
}

}  // namespace leat::runtime
