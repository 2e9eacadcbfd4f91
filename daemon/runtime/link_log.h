// What the log says of a source's link and of a sink's delivery: each change once, however short it was. They
// are looked at once per tick, so what lies between two looks is known by their counts. Pure; on the loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/runtime/delivery_status.h"
#include "sources/source.h"

namespace leat::runtime {

/// One line for the log.
struct News {
  enum class Weight : std::uint8_t { kStateChange, kTrouble };
  Weight weight = Weight::kStateChange;
  std::string_view message;  ///< A constant.
  std::string detail;
};

class SourceLinkLog {
 public:
  /// `rewinds`: a pause loses nothing and is not news.
  enum class Pauses : std::uint8_t { kTold, kKept };
  explicit SourceLinkLog(Pauses pauses) : pauses_(pauses) {}

  /// What is new since the last look, in the order in which it happened.
  std::vector<News> look(const sources::SourceHealth& health);

 private:
  enum class Told : std::uint8_t { kNothing, kConnected, kDown, kUnreadable, kPaused };
  void trouble(const sources::SourceHealth& health, std::vector<News>& news);
  void connected(const sources::SourceHealth& health, std::vector<News>& news);
  void state(const sources::SourceHealth& health, std::vector<News>& news);

  const Pauses pauses_;
  std::uint64_t connects_ = 0;  // As told.
  std::uint64_t losses_ = 0;
  std::uint64_t sessions_lost_ = 0;
  std::uint64_t refused_ = 0;
  bool refuses_ = false;  // It had refused something between the last two looks, and that was told.
  bool troubled_ = false;
  std::uint64_t jumps_ = 0;
  Told told_ = Told::kNothing;
  bool disk_refuses_ = false;
};

/// An outage is told once, when it begins, however its reasons change; again when a human becomes needed;
/// and once when it is over.
class DeliveryLog {
 public:
  std::optional<News> look(const DeliveryStatus& status);

 private:
  enum class Told : std::uint8_t { kNothing, kRefused, kPaused, kHeld };
  std::optional<News> refused(const DeliveryStatus& status);

  std::uint64_t retries_ = 0;  // As told.
  std::uint64_t shipments_ = 0;
  std::uint64_t rejected_ = 0;
  Told told_ = Told::kNothing;
  bool is_in_trouble_ = false;  // As its last check said.
  bool off_schedule_ = false;
};

}  // namespace leat::runtime
