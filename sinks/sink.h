// Sinks. A sink makes one attempt to deliver one shipment and says what came of it. When to try again is
// delivery's business (daemon/runtime), one policy for all sinks; keeping what is not delivered is the
// outbox's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipelines/base/ids.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/base/time.h"
#include "pipelines/column/type.h"
#include "pipelines/plan/catalog.h"
#include "sinks/block.h"
#include "sources/clients/local_table.h"

namespace leat::sinks {

/// Some blocks of one sink under one number. Every retry carries the same bytes under the same number.
struct Shipment {
  StoreId store;
  ShipmentNumber number;
  std::vector<std::string> blocks;
  /// Opaque bytes that the sink left at its last success (a file's length, Kafka's offsets); committed with
  /// the number.
  std::string sink_state;
  std::uint32_t attempt = 1;  ///< 1 for the first; > 1 tells receivers "resent".
  /// A slice of a shipment that was refused as a whole: `count` records from `first` on. It is part of every
  /// idempotency key, as it is other bytes than the whole.
  struct Part {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  /// Set while delivery bisects; the blocks then hold the slice's records only.
  std::optional<Part> part = {};
  enum class Origin : std::uint8_t {
    kOwn,        ///< All of it was made under the present store id.
    kInherited,  ///< Some of it waited already when the id was renewed: the store it came from may send it.
  };
  Origin origin = Origin::kOwn;
  /// What somebody has decided about a shipment that was `Held`; for this attempt.
  enum class Decision : std::uint8_t {
    kNone,
    kLookAgain,  ///< Try as if nothing had been held.
    kResend,     ///< It has not arrived: send it, whatever the other side says.
    kSkip,  ///< It has arrived, or shall not: give Delivered, with a state to go on from, and send nothing.
  };
  Decision decision = Decision::kNone;
};

/// All of it is safe on the other side. `sink_state` is kept for the next shipment.
struct Delivered {
  std::string sink_state;
};
/// It may work later; nothing, or an unknown part, has arrived.
struct Retry {
  std::string reason;
  std::optional<Micros> after;  ///< What the other side asked for (Retry-After).
  /// True for 401, 403, 404, 407, wrong credentials, a missing topic: a human is needed. Never dead-lettered.
  bool paused = false;
};
/// The other side will never take some records. `records` are indexes over this shipment's records,
/// ascending: exactly these are refused, and every other one is delivered, so that delivery settles the
/// shipment with these as dead letters. Empty: the shipment is refused as a whole, nothing is known of its
/// records, and delivery bisects it (of a single record: that one).
struct Rejected {
  std::string reason;
  std::vector<std::uint32_t> records;
  enum class Cause : std::uint8_t {
    kContent,  ///< A record is bad.
    kSize,     ///< Of a whole: it is too large, the same records may pass in smaller shipments.
  };
  Cause cause = Cause::kContent;
};
/// Whether it has arrived cannot be found out, or another process has taken this sink's place: to go on by
/// itself would lose or double. Nothing is tried any more until somebody decides.
struct Held {
  std::string reason;
  enum class Question : std::uint8_t {
    kHasItArrived,  ///< Answered by kResend or kSkip.
    kWhoIsRight,    ///< Answered by kLookAgain, once the other process is gone.
  };
  Question question = Question::kHasItArrived;
};
using Delivery = std::variant<Delivered, Retry, Rejected, Held>;

class Sink {
 public:
  virtual ~Sink() = default;
  /// One attempt, blocking, within the sink's own time-outs. On the sink's delivery thread only.
  virtual Delivery deliver(const Shipment& shipment) = 0;
  /// Makes a `deliver` that is under way return soon (with Retry). From another thread; idempotent. It is
  /// part of stopping: from then on every `deliver` returns Retry at once.
  virtual void interrupt() = 0;
  /// Whether it leaves anything open between two shipments, which only waits for more and which `finish`
  /// publishes: who takes the sink away waits for that, and nobody waits for one that leaves nothing. From
  /// any thread; the same for the sink's whole life.
  [[nodiscard]] virtual bool leaves_open() const { return false; }
  /// Called once, after the last shipment of a bounded run is delivered, on the delivery thread: publishes
  /// what only waits for more (the last file). `sink_state` is the state of the last success, and is replaced
  /// by the one to keep, also where an error says that not all is published. Repeating it after a crash, with
  /// the old state, is harmless. Errors: io, conflict; the records are safe all the same.
  virtual Status finish(std::string& sink_state) {
    (void)sink_state;
    return {};
  }
  /// How often `check` wants to be called while there is nothing to deliver; none: never.
  [[nodiscard]] virtual std::optional<Micros> check_interval() const { return std::nullopt; }
  /// Does what time alone brings (publishes a file that has been open for long enough). On the delivery
  /// thread, between shipments; `sink_state` and errors as for `finish`, and it is called again.
  virtual Status check(std::string& sink_state) {
    (void)sink_state;
    return {};
  }
};

std::int64_t wall_clock_micros();

/// What a sink is built from, beside its options.
struct SinkContext {
  std::string gateway_id;
  StoreId store;
  PipelineName pipeline;
  TableName table;
  Schema schema;
  std::vector<std::size_t> primary_key;
  std::string format;        ///< Empty when the connector has none (print, blackhole).
  std::string separator;     ///< The format's, between records of one body or file.
  std::string content_type;  ///< The format's, of one record.
  std::string header;        ///< The record that names the columns; empty: the format has none.
  /// Wall clock in microseconds, for what is judged at a delivery (a file's age, an HTTP date); injected so
  /// that tests own it. Thread-safe.
  std::function<std::int64_t()> now = wall_clock_micros;
};

/// What a sink has left open whose pipeline or table is gone, as far as its state tells.
struct LeftOpen {
  std::vector<std::string> files;  ///< As people find them; hidden ones. Never empty.
  std::unique_ptr<Sink> sink;      ///< Its `finish` publishes them; null: nobody but the former sink can,
  std::string why_not = {};        ///< which is because of this.
};

/// How the engine's rows become the sink's records.
enum class Encoding : std::uint8_t {
  kFormat,     ///< By 'format' (and 'key.format' / 'key.fields').
  kChangelog,  ///< "+I[a, 1]" lines (print).
  kNothing,    ///< No record at all; rows are counted (blackhole).
  kTable,      ///< Rows of a table of the store, in the commit itself (sqlite): nothing is delivered.
  kStream,     ///< Rows of a stream of the store, in the commit itself (stream): nothing is delivered.
};

/// What the keys of a connector's records are, where it has any. Those of a table that is PARTITIONED BY
/// columns are the folders that these name, and the columns are not in the values.
enum class Keying : std::uint8_t {
  kKeyFields,   ///< The columns of `SinkConnector::key_fields`.
  kPrimaryKey,  ///< Those of the table's PRIMARY KEY; a row that goes is a record without a value.
};
enum class ValueColumns : std::uint8_t { kAll, kExceptKey };

/// Common limits of delivery, each with the connector's own default.
struct BatchLimits {
  std::uint64_t max_rows = 1000;
  ByteSize max_bytes{1 << 20};
  Micros linger{0};  ///< How long a shipment may wait to fill.
};

struct SinkConnector {
  plan::ConnectorInfo info;
  Encoding encoding = Encoding::kFormat;
  /// Columns whose values become the record's key ('key.fields' of kafka), as names; empty: no key.
  std::function<std::vector<std::string>(const OptionMap&)> key_fields = [](const OptionMap&) {
    return std::vector<std::string>();
  };
  Keying keying = Keying::kKeyFields;
  std::function<ValueColumns(const OptionMap&)> value_columns = [](const OptionMap&) {
    return ValueColumns::kAll;
  };
  /// How the key is written ('key.format'): "json", an object of the key's columns, or "raw", the one
  /// column's text; empty: no key.
  std::function<std::string(const OptionMap&)> key_format = [](const OptionMap&) { return std::string(); };
  std::function<BatchLimits(const OptionMap&)> batch_limits = [](const OptionMap&) { return BatchLimits(); };
  /// Of Encoding::kTable, which has no `build`: the table that takes the rows, by the name under which the
  /// pipeline knows it.
  std::function<sources::LocalTable(const OptionMap&, std::string_view table, const Schema&,
                                    const std::vector<std::size_t>& primary_key)>
      declare;
  /// Called only after `info.validate_sink` found nothing. May touch the world, but must not need it.
  std::function<Result<std::unique_ptr<Sink>>(const OptionMap&, const SinkContext&)> build;
  /// Of a connector whose sinks leave something open (Sink::leaves_open): what is still open by this state,
  /// which may be that of another connector's sink. Of the context only the names count: how its table was
  /// declared nobody knows any more. Touches nothing.
  std::function<std::optional<LeftOpen>(std::string_view sink_state, const SinkContext&)> left_open;
};

/// The same, of whichever connector's it is; none: nothing is open.
std::optional<LeftOpen> find_left_open(std::string_view sink_state, const SinkContext& context);

std::span<const SinkConnector> all_sinks();
const SinkConnector* find_sink(std::string_view name);

}  // namespace leat::sinks
