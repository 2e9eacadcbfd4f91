// Recognises what a broker sends again. Between storing a message and the arrival of its acknowledgement the
// connection, or the process, may end; a broker that kept the session then repeats the message, marked as a
// duplicate and under the same packet identifier. So after a reconnect to a kept session a delivery (QoS 1 or
// 2) that equals one of those stored lately is skipped, and each of those absorbs one.
//
// "Lately" would be the receive maximum, if all brokers kept to it: mosquitto 2.0 sends on beyond it after a
// reconnect, and a broker whose write fails throws away the acknowledgements that it has not read yet. So ten
// times as many are remembered. A QoS 1 delivery must carry the duplicate flag to be skipped; for QoS 2,
// where Paho hides the flag, only the first deliveries after the reconnect, as many as the receive maximum,
// may be.
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
  explicit Redelivery(std::size_t receive_maximum)
      : receive_maximum_(receive_maximum), window_(window_for(receive_maximum)) {}

  /// How many stored deliveries are remembered.
  static constexpr std::size_t window_for(std::size_t receive_maximum) { return 10 * receive_maximum; }

  /// A delivery of QoS 1 or 2 was stored (or survived from before the process started).
  void stored(std::uint64_t fingerprint);
  void session_kept();
  void session_lost() { candidates_.clear(); }
  /// What a delivery tells of itself.
  enum class Mark : std::uint8_t {
    kNew,       ///< QoS 1 without the duplicate flag.
    kRepeated,  ///< QoS 1 with it.
    kHidden,    ///< QoS 2.
  };
  /// True if this delivery is here already: skip it.
  bool absorbs(std::uint64_t fingerprint, Mark mark);

 private:
  const std::size_t receive_maximum_;
  const std::size_t window_;
  std::vector<std::uint64_t> recent_;  // A ring once it has `window_` entries.
  std::size_t next_ = 0;               // Where the next one goes in the ring.
  std::unordered_map<std::uint64_t, std::uint32_t> candidates_;
  std::size_t deliveries_ = 0;  // Since the reconnect, while there are candidates.
};

}  // namespace leat::sources
