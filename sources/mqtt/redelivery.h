// Recognises what a broker sends again. Between storing a message and the arrival of its acknowledgement the
// connection, or the process, may end; a broker that kept the session then repeats the message, marked as a
// duplicate and under the same packet identifier. So after a reconnect to a kept session a delivery (QoS 1 or
// 2) that equals the last one stored under its packet identifier is skipped: the broker gives an identifier
// to another message only when it has seen the acknowledgement.
//
// A broker repeats in the order in which it has sent. What was stored comes first, and what was lost on its
// way behind it: so what is absorbed must have been stored one after the other, and behind the first repeated
// delivery that is not known nothing is absorbed any more in this connection.
//
// How far back? Not by the receive maximum: mosquitto 2.0 sends on beyond it after a reconnect, further with
// each that happens under load (measured with 1,000: up to 35,503 repeated at once). What bounds it is the
// protocol: 65,535 identifiers, shared by what is repeated and what was sent into the connection that broke
// and never arrived, which comes marked as a duplicate, too, but is new. A broker that uses the identifiers
// in turn had the one of such a message in use nearly 65,535 deliveries ago, and if all payloads are alike
// nothing else tells the two apart. So of deliveries that are alike three quarters are taken for repeated,
// and the last quarter is left to what got lost on its way; one whose content no other has is known at any
// age.
//
// A QoS 1 delivery must carry the duplicate flag to be skipped: without it an equal one is an honest new
// message, or comes from a broker that was killed and has restored a state from before it first sent the
// message; nobody can tell which, and a double is better than a loss. For QoS 2, where Paho hides the flag,
// only the first deliveries after the reconnect, as many as the receive maximum, may be. And where messages
// are alike, only those of a broker that has been seen to use the identifiers in turn: from one that takes
// the lowest free one an equal delivery may be new.
//
// Used on the client's thread only, after the seeding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sources/mqtt/delivery.h"

namespace leat::sources {

class Redelivery {
 public:
  /// How many stored deliveries are remembered.
  static constexpr std::uint64_t kWindow = 65'535 / 4 * 3;
  /// So many deliveries under rising identifiers show that they are used in turn.
  static constexpr std::uint64_t kInTurn = 16;

  /// What a delivery tells of itself.
  enum class Mark : std::uint8_t {
    kNew,       ///< QoS 1 without the duplicate flag.
    kRepeated,  ///< QoS 1 with it.
    kHidden,    ///< QoS 2.
  };

  explicit Redelivery(std::size_t receive_maximum) : receive_maximum_(receive_maximum) {}

  /// A delivery of QoS 1 or 2 was stored (or survived from before the process started).
  void stored(DeliveryIdentity delivery);
  void session_kept();
  /// The identifiers start anew.
  void session_lost();
  /// True if this delivery is here already: skip it.
  bool absorbs(DeliveryIdentity delivery, Mark mark);

 private:
  /// The last delivery under a packet identifier.
  struct Last {
    std::uint64_t fingerprint = 0;
    std::uint64_t number = 0;  ///< Counts what was stored; 0: nothing yet.
  };
  /// The repeats of one connection and one QoS: Paho gives out the two in orders of their own.
  struct Run {
    std::uint64_t absorbed = 0;  ///< Number of the last one absorbed.
    std::size_t deliveries = 0;
    bool over = false;
  };
  [[nodiscard]] bool repeats(DeliveryIdentity delivery, const Run& run) const;
  [[nodiscard]] bool may_be_hidden(DeliveryIdentity delivery, const Run& run) const;
  [[nodiscard]] bool is_unique(DeliveryIdentity delivery) const;
  void note_turn(std::uint16_t packet_id);

  const std::size_t receive_maximum_;
  std::vector<Last> last_;         // By packet identifier; allocated with the first delivery.
  std::uint64_t stored_ = 0;       // The number of the last one.
  std::uint64_t reconnected_ = 0;  // What was the last one at the reconnect; 0: in a new session.
  std::uint64_t forgotten_ = 0;    // Those up to this number belong to a session that is gone.
  std::uint16_t last_id_ = 0;      // Of the last one stored.
  bool alike_ = false;             // An identifier has come again with the same content.
  std::uint64_t in_turn_ = 0;      // How many have had rising identifiers until now.
  std::array<Run, 2> runs_;        // QoS 1, QoS 2.
};

}  // namespace leat::sources
