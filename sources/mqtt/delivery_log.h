// The committed deliveries that a broker may repeat, as a commit keeps them: the journal forgets a message
// when it is committed, the broker only when it has seen the acknowledgement.
//
// They lie in pages of 64, in a ring of pages. A full page is written once, as an entry beside the position;
// the page under way is part of the position. So a commit writes what is new and at most one page more.
//
// Grammar (pipelines/base/bytes.h):
//   position := varint deliveries so far, varint deliveries when the session began, record*   the page under
//   way key      := fixed32 number of the page in the ring value    := varint deliveries before it, record*
//   record   := fixed16 packet identifier (two u8, low first), fixed64 fingerprint
//
// No threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/mqtt/delivery.h"

namespace leat::sources {

class DeliveryLog {
 public:
  static constexpr std::size_t kPageDeliveries = 64;

  /// Goes on behind a position that `position` gave (empty: from nothing). Errors: invalid.
  static Result<DeliveryLog> from(std::string_view position);

  void add(DeliveryIdentity delivery);
  /// What was added so far belongs to a session that is gone.
  void begin_session() { session_ = count_; }

  [[nodiscard]] std::string position() const;
  /// Gives the pages that have become full since the last call.
  void save(const std::function<void(std::string_view key, std::string_view value)>& put);

 private:
  std::uint64_t count_ = 0;
  std::uint64_t session_ = 0;
  std::vector<DeliveryIdentity> page_;
  std::map<std::string, std::string> full_;  // Key and value.
};

/// Puts a log together again: all its pages in any order, then the position.
class DeliveryHistory {
 public:
  /// Errors: corrupt.
  Status load(std::string_view key, std::string_view value);
  /// The deliveries of the session that goes on, oldest first, as many as are known without a gap up to the
  /// position. Errors: invalid.
  Result<std::vector<DeliveryIdentity>> up_to(std::string_view position) const;

 private:
  std::map<std::uint64_t, std::vector<DeliveryIdentity>> pages_;  // By the number of deliveries before them.
};

}  // namespace leat::sources
