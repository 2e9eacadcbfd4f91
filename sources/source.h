// Sources. A source runs on its own thread(s) and appends raw messages to its Intake; the engine's loop reads
// them from there. The contract is the same for all; one suite (tests/contract) holds every source to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/ids.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/formats/compression.h"
#include "pipelines/formats/format.h"
#include "pipelines/plan/catalog.h"
#include "sources/intake.h"

namespace leat::sources {

class HttpPorts;         // http/http_ports.h
class LocalTableReader;  // clients/local_table.h
class StreamReader;      // clients/local_stream.h

/// What the outside is like, for status, metrics and the idle rules. Any thread may read it.
struct SourceHealth {
  enum class Link : std::uint8_t {
    kIdle,  ///< Not started, or a source without a connection (files, datagen).
    kConnecting,
    kConnected,
    kPaused,      ///< Disconnected on purpose: the intake is at its high-water mark.
    kLost,        ///< Not connected, trying again with back-off.
    kUnreadable,  ///< What is to be read is missing or refused (files): looking again from time to time.
    kEnded,       ///< Bounded input is read to its end.
    kFailed,      ///< Bounded input cannot be read, and never will be. It has ended its intake; `detail` says
                  ///< why.
  };
  Link link = Link::kIdle;
  std::string detail;  ///< "tcp://127.0.0.1:1883: connection refused, next try in 4 s"
  // Since the start; an outage that is over when somebody looks still shows here.
  std::uint64_t connects = 0;
  std::uint64_t losses = 0;  ///< Connections that ended although nobody of us wanted it.
  std::string last_loss;     ///< Where and why: "tcp://127.0.0.1:1883: connection lost".
  /// Connections at which the broker had forgotten the session that it was asked to keep.
  std::uint64_t sessions_lost = 0;
  /// What came to a source that listens and was turned away: senders without a token, bodies that are too
  /// large, requests while the intake is full.
  std::uint64_t refused = 0;
  std::string last_refusal;  ///< "401 to 192.0.2.7".
  /// How often the other side had nothing (any more) where the source wanted to read, the last time, and how
  /// many messages were passed over, which count as dropped.
  std::uint64_t jumps = 0;
  std::string last_jump;
  std::uint64_t messages_gone = 0;
  /// Polls of a source that polls which gave no row, or not all of it: a device did not answer, or they were
  /// passed over because the one before took too long or the intake was full; and the last one.
  std::uint64_t missed = 0;
  std::string last_miss;  ///< "unit 3: holding 0 to 1 (speed): no answer within 1 s".
  std::string trouble;    ///< What gives nothing at present while the rest goes on.
  /// Of bounded input whose size is known: how far it is read, and how much there is, in bytes as they are
  /// stored; 0: not known.
  std::uint64_t done_bytes = 0;
  std::uint64_t whole_bytes = 0;
  std::string
      disk;  ///< What the disk refuses of the intake at present (`Intake::trouble`); filled by the reader.
  /// Nothing of it can be read at present; `detail` says why.
  [[nodiscard]] bool is_out() const { return link == Link::kLost || link == Link::kUnreadable; }
};
std::string_view to_string(SourceHealth::Link link);

/// Where a source stands: fed with each message that the engine has taken, encoded into the commit.
/// Used on the engine's loop only.
class PositionTracker {
 public:
  virtual ~PositionTracker() = default;
  /// The engine has processed this message and all before it.
  virtual void consumed(const Message& message) = 0;
  /// The position behind the last consumed message, as `Source::start` takes it.
  [[nodiscard]] virtual std::string encode() const = 0;
  /// What a source remembers of messages that are committed, in entries that the commit keeps until they are
  /// put anew: gives those that changed since the last call.
  virtual void save(const std::function<void(std::string_view key, std::string_view value)>& put) {
    (void)put;
  }
};

/// What a source reads side by side, the partitions of a topic: rows of one of them come in its order, those
/// of several in any. Each has a watermark of its own then.
struct SplitSet {
  std::vector<std::string> splits;  ///< All of them, sorted; as the connector's `info.splits` names them.
  /// The source had appended so many messages when it became so: those before it may be of splits that are
  /// not in it any more; those behind it are of these.
  std::uint64_t after = 0;
};

struct Refusal {
  std::string reason;
  std::uint64_t whole_bytes = 0;  ///< Of the record, of which the payload is the beginning.
};

class Source {
 public:
  virtual ~Source() = default;

  /// One entry that its tracker saved, before `start`; in any order. Errors: corrupt.
  virtual Status restore(std::string_view key, std::string_view value) {
    (void)key;
    (void)value;
    return {};
  }

  /// Begins to append messages behind `from` (empty: from the beginning as the options say) to `intake`,
  /// which outlives the source. Returns at once: an absent broker or file is no error, it is retried and
  /// shows in `health`. Called once, on the loop. Errors: invalid (the position is not ours), internal.
  virtual Status start(Intake& intake, std::string_view from) = 0;

  /// Everything up to this position is committed; what a source keeps for its redelivery may go. On the loop.
  virtual void committed(std::string_view position) { (void)position; }

  /// The intake's consumer has made room below the low-water mark. Any thread.
  virtual void resume() {}

  /// Begins what `stop` waits for, and returns at once, so that many sources say goodbye at the same time;
  /// messages may come until `stop`, which follows.
  virtual void begin_stop() {}
  /// Ends all threads of the source; idempotent; when it returns, nothing is appended any more. MQTT sessions
  /// are kept.
  virtual void stop() = 0;

  [[nodiscard]] virtual SourceHealth health() const = 0;
  [[nodiscard]] virtual std::unique_ptr<PositionTracker> tracker(std::string_view from) const = 0;

  /// Appends the metadata of `message` to `columns`, one cell each, in the order the source was built for.
  /// The caller has the builders keep the message's memory: string cells may point into it.
  virtual void append_metadata(const Message& message, std::span<ColumnBuilder* const> columns) const {
    (void)message;
    (void)columns;
  }

  /// The sets of splits that became so since the last call, in order; the first one before the first message.
  /// On the loop. Sources without `info.splits` have none.
  virtual std::vector<SplitSet> take_split_sets() { return {}; }

  /// The message has a key and says that the row of this key is gone. Only where the connector has
  /// `info.deletions`.
  [[nodiscard]] virtual bool deletes(const Message& message) const {
    (void)message;
    return false;
  }

  /// Where a message came from, for people who look at a dead letter: names and values ("topic", "path").
  [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> describe(
      const Message& message) const {
    (void)message;
    return {};
  }

  /// Why this message is not to be decoded but to become one dead letter as it is (a line that is too long,
  /// of which the payload holds the beginning); none for all others. On the loop, before decoding.
  [[nodiscard]] virtual std::optional<Refusal> refuse(const Message& message) const {
    (void)message;
    return std::nullopt;
  }

  /// Sources that make rows themselves (datagen) decode without a format; null for all others.
  [[nodiscard]] virtual std::unique_ptr<formats::Decoder> own_decoder() const { return nullptr; }
};

/// What a source is built from, beside its options.
struct SourceContext {
  std::string gateway_id;
  StoreId store;
  PipelineName pipeline;
  TableName table;
  Schema physical;                         ///< All physical columns of the table.
  std::vector<std::size_t> wanted;         ///< The ones to produce (for sources with an own decoder).
  std::vector<std::string> metadata_keys;  ///< What `append_metadata` will be asked for, in order.
  /// The columns of PARTITIONED BY; those that are wanted are in `metadata_keys` by their names.
  Schema partitions = {};
  /// Wall clock in microseconds; injected so that tests own it. Thread-safe.
  std::function<std::int64_t()> now;
  /// 'leat run' over files: messages of at most this many bytes (a file source cuts its chunks by it).
  std::size_t chunk_bytes = 128 * 1024;
  /// Where the table's format ends records in a stream of bytes; null: at the end of each line.
  formats::RecordSplitter splitter;
  /// Where the header of a file ends, for formats that have one (Format::header_splitter); else null.
  formats::RecordSplitter header_splitter = {};
  /// The table's format is text (Format::text).
  bool text = true;
  /// The tables of the store; null: there is none. Outlives the source.
  LocalTableReader* tables = nullptr;
  /// The addresses that the daemon's sources listen on; null: a source has its own. Outlives the source.
  HttpPorts* ports = nullptr;
  /// The streams of the store; null: there is none. Outlives the source.
  StreamReader* streams = nullptr;
  /// The pipeline's name in the daemon; `pipeline` is the one by which other sides know it.
  PipelineName deployed_as = {};
};

/// How messages are kept between the source's thread and the engine.
enum class IntakeKind : std::uint8_t {
  kMemory,   ///< The source rewinds: its position is enough.
  kJournal,  ///< It cannot: the message is in the journal before it is acknowledged.
};

struct SourceConnector {
  plan::ConnectorInfo info;
  IntakeKind intake = IntakeKind::kMemory;
  formats::Framing framing = formats::Framing::kMessage;
  /// In place of `framing`, where it depends on options; null: it does not.
  std::function<formats::Framing(const OptionMap&)> framing_by_options = nullptr;
  /// Called only after `info.validate_source` found nothing. May touch the world, but must not need it.
  std::function<Result<std::unique_ptr<Source>>(const OptionMap&, const SourceContext&)> build;
  /// Messages have as their key the record that names the fields of theirs (a file's header). Null: never.
  std::function<bool(const OptionMap&)> names_fields = nullptr;
  /// How payloads may be compressed; no function: they never are.
  std::function<formats::CompressionOptions(const OptionMap&)> compression;
  /// Options of the intake as the connector's table gives them ('journal', 'journal.size', …).
  std::function<IntakeOptions(const OptionMap&)> intake_options;
  /// What names the session that the other side keeps for the source while it is away; empty: none is kept.
  /// No function: no source of this connector has one.
  std::function<std::string(const OptionMap&, const SourceContext&)> session;
  /// Ends that session; its source has stopped. Blocks for `patience` at most, and the time of a name
  /// look-up. Errors: unavailable.
  std::function<Status(const OptionMap&, const SourceContext&, Micros patience)> end_session;
};

/// The explicit list of all sources (source_table.cc).
std::span<const SourceConnector> all_sources();
const SourceConnector* find_source(std::string_view name);

}  // namespace leat::sources
