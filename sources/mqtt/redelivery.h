// Recognises what a broker sends again. Between storing a message and the arrival of its acknowledgement the
// connection, or the process, may end; a broker that kept the session then repeats the message, marked as a
// duplicate and under the same packet identifier. It can only repeat what it had in flight, so: after a
// reconnect to a kept session, among the first `window` deliveries (QoS 1 and 2), one that equals one of the
// last `window` that were stored is skipped, and each of those absorbs one.
//
// QoS 1 must carry the duplicate flag as well. For QoS 2 Paho hides the flag, so the packet identifier alone
// tells a repetition from a new message with the same topic and payload.
//
// Used on the client's thread only, after the seeding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace leat::sources {

class Redelivery {
 public:
  explicit Redelivery(std::size_t window) : window_(window) {}

  /// A delivery of QoS 1 or 2 was stored (or survived from before the process started).
  void stored(std::uint64_t fingerprint);
  void session_kept();
  void session_lost() { candidates_.clear(); }
  /// True if this delivery (QoS 1 or 2) is here already: skip it.
  bool absorbs(std::uint64_t fingerprint, bool may_be_repeated);

 private:
  const std::size_t window_;
  std::vector<std::uint64_t> recent_;  // A ring once it has `window_` entries.
  std::size_t next_ = 0;               // Where the next one goes in the ring.
  std::unordered_map<std::uint64_t, std::uint32_t> candidates_;
  std::size_t deliveries_left_ = 0;  // Until the candidates are forgotten.
};

}  // namespace leat::sources
