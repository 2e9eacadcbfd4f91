// How long an operator takes for a batch: a histogram of fixed buckets, each twice as wide as the one before.
// The engine reads no clock: whoever builds the dataflow may hand one in, and without it nothing is measured.
//
// An operator hands its rows on from within its own call, so a call holds those of all operators behind it;
// what is kept is the operator's own share.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace leat::exec {

/// Nanoseconds since any fixed moment; never goes back.
using NanoClock = std::int64_t (*)();

class Latency {
 public:
  /// Bucket b holds what took less than 2^b microseconds and is in no bucket before it; the last one all the
  /// rest.
  static constexpr std::size_t kBuckets = 24;

  void add(std::int64_t nanos) {
    const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(nanos, 0));
    ++counts_[std::min(static_cast<std::size_t>(std::bit_width(whole / 1000)), kBuckets - 1)];
    sum_nanos_ += whole;
    longest_nanos_ = std::max(longest_nanos_, whole);
  }

  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] const std::array<std::uint64_t, kBuckets>& buckets() const { return counts_; }
  [[nodiscard]] double sum_seconds() const { return static_cast<double>(sum_nanos_) / 1e9; }
  [[nodiscard]] double longest_micros() const { return static_cast<double>(longest_nanos_) / 1e3; }
  /// Of 0.99, say: the microseconds that so many of all calls did not exceed, taken as spread evenly over
  /// their bucket; 0 without a call.
  [[nodiscard]] double quantile_micros(double share) const;

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t sum_nanos_ = 0;
  std::uint64_t longest_nanos_ = 0;
};

/// The time that calls inside the present one have taken; one for all operators of a dataflow.
class Stopwatch {
 public:
  /// Null: nothing is measured.
  explicit Stopwatch(NanoClock clock = nullptr) : clock_(clock) {}

  /// Runs `call` and adds its own time to `latency`.
  template <class Call>
  auto measure(Latency& latency, const Call& call) {
    if (clock_ == nullptr) return call();
    const std::int64_t outer = inner_nanos_;
    inner_nanos_ = 0;
    const std::int64_t begin = clock_();
    auto result = call();
    const std::int64_t whole = clock_() - begin;
    latency.add(whole - inner_nanos_);
    inner_nanos_ = outer + whole;
    return result;
  }

 private:
  NanoClock clock_;
  std::int64_t inner_nanos_ = 0;
};

}  // namespace leat::exec
