// Exactly once into Kafka: one transaction per shipment (or slice of one), in which the shipment's name
// travels as the metadata of a consumer group's offset. Either both are there for a `read_committed`
// consumer, or neither is.
//
// After a start, a crash or any outcome that is not known:
//   1. A new producer of the same transactional id initialises: the broker ends the old one's transaction,
//   one
//      way or the other, and shuts its producer out.
//   2. The offset is read back, and says what became of the shipment:
//        its own unit                  it has arrived: settled
//        the unit before it            it has not: the same shipment is sent again
//        nothing (expired, deleted),
//        or anything else              the topic is searched for the header `leat-shipment` from the offsets
//        of
//                                      the last success on: there → settled; nothing there, and the offset
//                                      merely missing → sent; else nobody can tell: Held
//
// Why nothing is lost or doubled, case by case:
//   - Daemon or broker die anywhere in a transaction: it is decided as a whole in step 1, and step 2 reads
//   only
//     offsets that no open transaction can change any more. A slice is a unit of its own, and its bounds were
//     committed before its first attempt, so the same holds while a refused shipment is bisected.
//   - Settled in Kafka, not in the store (killed between the two): the unit reads back as its own.
//   - A store that was put back to an earlier moment under the same id: if the shipment that it takes up was
//     formed before that moment it has the same bytes as then, and reads back as its own or is found by its
//     header. If its number was since given to other records the digest in the unit differs: neither its own
//     unit nor the one before it → searched → Held. New records are never taken for old ones, nor the
//     reverse.
//   - A store with a new id (copied to another machine, restored by Leat): records that waited in it already
//     are sent by the old identity or by the new one, not by both. Before the first of them the old
//     transactional id is initialised (the original is fenced and can commit nothing more), its number read
//     back and judged as above; if nothing of it has arrived, the old group's offset gets the unit
//     "taken:<new id>", which the original, should it live and be resumed, reads as "anything else" → Held.
//     A second copy reads the same → Held. Records made after the renewal are nobody else's: they go without.
//   - Two daemons of one identity: the broker lets the one that initialised last commit. The other is fenced,
//     sees in the offset that somebody else has gone on since, and is Held; it does not take the place back.
//     A coordinator that ended a transaction because it took too long looks the same to the library, but
//     leaves the offset as it was: then the producer is made anew.
//   - Not covered: a store put back to before its sink's very first shipment, when the broker has forgotten
//     the offset, too. There is nothing to compare then.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "sinks/kafka/kafka_options.h"
#include "sinks/kafka/kafka_producer.h"
#include "sinks/kafka/kafka_progress.h"
#include "sinks/kafka/kafka_transactions.h"
#include "sinks/sink.h"

namespace leat::sinks {

/// The transactional id, and the group's name, of this sink under a store id.
std::string transactional_id(const KafkaOptions& options, const SinkContext& context,
                             const std::string& store);

/// On the delivery thread.
class ExactlyOnce {
 public:
  /// All outlive it.
  ExactlyOnce(const KafkaOptions& options, const SinkContext& context, const std::atomic<bool>& interrupted);

  Delivery deliver(const Shipment& shipment);
  /// The brokers have no transactions: found out at the first attempt.
  [[nodiscard]] bool unsupported() const { return unsupported_; }

 private:
  /// A producer of one identity, initialised.
  struct Session {
    std::unique_ptr<KafkaProducer> producer;
    std::unique_ptr<KafkaTransactions> transactions;
  };
  /// The shipment under way, with what is derived from it.
  struct Unit {
    const Shipment* shipment = nullptr;
    std::vector<Record> records;
    std::string unit;  // unit_name.
    KafkaState state;  // As the last success left it.
  };
  using Step = std::optional<Delivery>;  // nullopt: go on.
  template <class T>
  using Or = std::variant<T, Delivery>;

  Or<Unit> read_unit(const Shipment& shipment) const;
  Step open();
  Or<Session> make_session(const std::string& store);
  void close();
  Step leave_if_fenced();

  Step find_out(const Unit& unit);
  Or<std::optional<std::string>> arrived(const Unit& unit);
  Or<std::optional<std::string>> read_group(Session& session, const std::string& topic);
  Step search_for(const Unit& unit, const Evidence& evidence, const std::string& store);
  Step inherit(const Unit& unit);
  Step mark_taken(Session& old, const Unit& unit);
  Delivery skip(const Unit& unit);
  Step refresh_ends();

  Delivery attempt(const Unit& unit);
  Delivery give_up(const ProduceReport& report);
  Delivery failed(const TransactionError& error, std::string_view doing);
  Delivery delivered(const Unit& unit, const ProduceReport& report);
  [[nodiscard]] KafkaState next_state(const Unit& unit, std::string last) const;

  const KafkaOptions& options_;
  const SinkContext& context_;
  const std::atomic<bool>& interrupted_;
  const std::string claim_;
  std::optional<Session> session_;
  std::string cluster_;              // Of the session.
  std::vector<std::int64_t> ends_;   // Of the topic, as of `ends_at_` or later.
  std::int64_t ends_at_ = 0;         // Monotonic; 0: never in this session.
  std::optional<std::string> seen_;  // The group's metadata as last read or written.
  std::string untried_;              // The unit for which no transaction was begun yet, ever.
  bool sure_ = false;                // The outcome of all that was tried is known.
  bool fenced_ = false;
  bool unsupported_ = false;
};

}  // namespace leat::sinks
