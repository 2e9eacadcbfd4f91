// The committed deliveries that a broker may repeat, as a commit keeps them: the journal forgets a message
// when it is committed, the broker only when it has seen the acknowledgement.
//
// They lie in pages of 64, in a ring of pages. A full page is written once, as an entry beside the position;
// the page under way is part of the position. So a commit writes what is new and at most one page more.
//
// Grammar (pipelines/base/bytes.h):
//   position := u8 1 (version), fixed64 session, fixed64 generation, u8 gone, varint deliveries so far,
//               varint deliveries when the broker's session began, record*    the page under way
//     session     what names it: broker and client id, as one number; another one has other deliveries
//     generation  drawn when the log began, so that pages are never taken for those of another log
//     gone        1: the broker has begun a new session, of which nothing is in the log yet
//   key      := number of the page in the ring, four bytes, high first
//   value    := fixed64 generation, varint deliveries before it, record*
//   record   := packet identifier (two bytes, low first), fixed64 fingerprint
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
  enum class Session : std::uint8_t { kKept, kGone };

  /// Goes on behind a position that `position` gave; from nothing if it is empty, unreadable or of another
  /// session.
  static DeliveryLog from(std::string_view position, std::uint64_t session);

  void add(DeliveryIdentity delivery);
  /// What was added so far belongs to a session that is gone.
  void begin_session() { session_begin_ = count_; }

  [[nodiscard]] std::string position(Session session) const;
  /// Gives the pages that have become full since the last call.
  void save(const std::function<void(std::string_view key, std::string_view value)>& put);

 private:
  std::uint64_t session_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t session_begin_ = 0;
  std::vector<DeliveryIdentity> page_;
  std::map<std::string, std::string> full_;  // Key and value.
};

/// Puts a log together again: all its pages in any order, then the position.
class DeliveryHistory {
 public:
  /// Errors: corrupt.
  Status load(std::string_view value);
  /// The deliveries of the broker's session that goes on, oldest first, as many as are known without a gap up
  /// to the position; none if that is of another session. Errors: invalid (it is no position of ours).
  Result<std::vector<DeliveryIdentity>> up_to(std::string_view position, std::uint64_t session) const;

 private:
  struct Page {
    std::uint64_t generation = 0;
    std::vector<DeliveryIdentity> deliveries;
  };
  std::multimap<std::uint64_t, Page> pages_;  // By the number of deliveries before them.
};

}  // namespace leat::sources
