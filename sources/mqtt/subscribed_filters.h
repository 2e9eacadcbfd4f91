// The topic filters that a broker's session is subscribed to. A broker keeps subscriptions with the session:
// when a pipeline's text names other topics than before, the old ones go on coming until they are taken back.
// So a commit keeps which they are; those of a former text are unsubscribed at the next connect, and
// forgotten once that has been acknowledged.
//
// Grammar (pipelines/base/bytes.h) of the entry beside the position:
//   key   := "filters"
//   value := u8 1 (version), fixed64 session (delivery_log.h), varint count, string filter…
//
// No threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/bytes.h"
#include "pipelines/base/result.h"

namespace leat::sources {

/// No page of the delivery log has it: their keys are four bytes.
inline constexpr std::string_view kFiltersKey = "filters";

class SubscribedFilters {
 public:
  SubscribedFilters(std::uint64_t session, std::vector<std::string> wanted)
      : session_(session), wanted_(std::move(wanted)) {}

  /// What a commit kept; that of another session is of no interest. Errors: corrupt.
  Status restore(std::string_view value) {
    ByteReader in(value);
    const bool known = in.u8() == kVersion;
    const std::uint64_t session = in.fixed64();
    std::vector<std::string> filters;
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) filters.emplace_back(in.string());
    if (!known || !in.ok() || !in.at_end())
      return fail(ErrorCode::kCorrupt, "the subscriptions of the mqtt source cannot be read");
    kept_ = value;
    if (session != session_) return {};
    for (std::string& filter : filters)
      if (std::ranges::find(wanted_, filter) == wanted_.end()) unwanted_.push_back(std::move(filter));
    return {};
  }

  /// Those of a former text.
  [[nodiscard]] const std::vector<std::string>& unwanted() const { return unwanted_; }

  /// Whether the broker has taken the unwanted ones back.
  enum class Taken : std::uint8_t { kNotYet, kBack };
  /// What a commit is to keep, if that is not what the last one has kept.
  std::optional<std::string> take_changed(Taken unwanted) {
    std::vector<std::string> filters = wanted_;
    if (unwanted == Taken::kNotYet) filters.insert(filters.end(), unwanted_.begin(), unwanted_.end());
    std::string value;
    ByteWriter out(value);
    out.u8(kVersion);
    out.fixed64(session_);
    out.varint(filters.size());
    for (const std::string& filter : filters) out.string(filter);
    if (value == kept_) return std::nullopt;
    kept_ = value;
    return value;
  }

 private:
  static constexpr std::uint8_t kVersion = 1;

  const std::uint64_t session_;
  const std::vector<std::string> wanted_;
  std::vector<std::string> unwanted_;
  std::string kept_;
};

}  // namespace leat::sources
