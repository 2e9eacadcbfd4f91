#include "daemon/runtime/source_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "daemon/log/log.h"
#include "daemon/runtime/format_files.h"
#include "daemon/runtime/leftovers.h"
#include "daemon/runtime/secrets.h"

namespace leat::runtime {
namespace {

// Grammar of a position in a commit:
//   position := varint number of the last processed message, string tracker's bytes,
//               varint rows behind it that are processed, too [, string connector]
struct Position {
  MessageNumber number;
  std::string_view tracker;
  std::uint64_t rows = 0;
  std::string_view connector;
};

Result<Position> read_position(std::string_view bytes) {
  Position position;
  if (bytes.empty()) return position;
  ByteReader in(bytes);
  position.number = MessageNumber{in.varint()};
  position.tracker = in.string();
  position.rows = in.varint();
  if (!in.at_end()) position.connector = in.string();  // The first versions did not write it.
  if (!in.ok() || !in.at_end())
    return fail(
        ErrorCode::kCorrupt,
        "the saved position of the source cannot be read: a newer Leat has written it, or the store is "
        "damaged; run that Leat, restore a backup of the store (see 'leat store check'), or give the "
        "table another name: it then begins anew, and what waits in its journal stays there");
  return position;
}

// A line of three bytes may become a row of a thousand columns: some MiB of cells are enough for a piece.
constexpr std::size_t kMostCells = 4'000'000;

/// Its trial has ended, or never came about.
bool is_gone(const std::shared_ptr<MessageTap>& tap) {
  return tap->left() || tap.use_count() == 1;
}

std::vector<std::string> metadata_keys(const plan::ScanNode& scan) {
  std::vector<std::string> keys;
  for (const auto& metadata : scan.metadata) keys.push_back(metadata.key);
  return keys;
}

/// What the source tells of a message, as a JSON object; bytes that are no UTF-8 are replaced.
std::string metadata_json(const sources::Source& source, const sources::Message& message) {
  auto object = nlohmann::ordered_json::object();
  for (auto& [name, value] : source.describe(message)) object[name] = value;
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void add(SourceCounters& counters, const SourceCounters& more) {
  counters.decoded += more.decoded;
  counters.empty += more.empty;
  counters.dead += more.dead;
  counters.rows += more.rows;
}

}  // namespace

SourceReader::SourceReader(PipelineName pipeline, const plan::ScanNode& scan,
                           const sources::SourceConnector& connector)
    : pipeline_(std::move(pipeline)),
      scan_(scan),
      connector_(connector),
      framing_(connector.framing_by_options ? connector.framing_by_options(scan.options)
                                            : connector.framing) {}

SourceReader::~SourceReader() {
  end_taps("the pipeline has ended");
  stop();
}

Result<std::unique_ptr<SourceReader>> SourceReader::create(const plan::ScanNode& scan,
                                                           const ReaderContext& context,
                                                           std::string_view committed) {
  const sources::SourceConnector* connector =
      context.connector != nullptr ? context.connector : sources::find_source(scan.connector);
  if (connector == nullptr)
    return fail(ErrorCode::kInvalid, fmt::format("there is no source connector '{}'", scan.connector));
  const auto position = read_position(committed);
  if (!position) return fail(position.error(), fmt::format("table '{}'", scan.table));
  std::unique_ptr<SourceReader> reader(new SourceReader(context.pipeline, scan, *connector));
  reader->number_ = position->number;
  if (position->connector.empty() || position->connector == scan.connector) {
    reader->resume_ = position->tracker;
    reader->skip_ = position->rows;
  } else {
    reader->begins_anew_ = true;
    log::warn("the connector of a table has changed: it is read from its beginning",
              {{"pipeline", context.pipeline.value},
               {"table", scan.table},
               {"before", std::string(position->connector)},
               {"now", scan.connector}});
  }
  LEAT_TRY(reader->open_intake(context));
  LEAT_TRY(reader->make_source(context));
  LEAT_TRY(reader->make_decoder(context));
  reader->make_builders();
  reader->tracker_ = reader->source_->tracker(reader->resume_);
  return reader;
}

Status SourceReader::open_intake(const ReaderContext& context) {
  using Durability = sources::IntakeOptions::Durability;
  const sources::IntakeOptions options =
      connector_.intake_options ? connector_.intake_options(scan_.options) : sources::IntakeOptions{};
  const bool rewinds = connector_.intake == sources::IntakeKind::kMemory;
  if (rewinds || options.durability == Durability::kNone || context.journal_dir.empty()) {
    intake_ =
        sources::make_memory_intake(options, rewinds ? sources::WhenFull::kWait : sources::WhenFull::kNever);
  } else {
    const std::string path =
        context.journal_dir + "/" + journal_file_name(context.known_as(), TableName{scan_.table});
    sources::JournalFindings findings;
    LEAT_ASSIGN(intake_, sources::open_journal(path, options, number_, findings));
    tell(findings);
  }
  intake_->on_readable(context.wake);
  intake_->on_room([this] { source_->resume(); });
  return {};
}

void SourceReader::tell(const sources::JournalFindings& findings) {
  using Weight = sources::JournalFindings::Weight;
  set_aside_files_ = findings.set_aside_files;
  // A journal that has lost messages, or goes on behind the store: what the source remembers has a hole.
  if (!findings.complete) resume_.clear();
  if (findings.weight == Weight::kNotice)
    log::warn("journal is not as the store left it",
              {{"pipeline", pipeline_.value}, {"table", scan_.table}, {"detail", findings.detail}});
  if (findings.weight == Weight::kDamaged)
    log::error("journal was damaged", {{"pipeline", pipeline_.value},
                                       {"table", scan_.table},
                                       {"lost", std::to_string(findings.lost)},
                                       {"detail", findings.detail}});
}

Status SourceReader::make_source(const ReaderContext& context) {
  const formats::Format* const format = value_format_of(scan_.options);
  sources::SourceContext made{.gateway_id = context.gateway_id,
                              .store = context.store,
                              .pipeline = context.known_as(),
                              .table = TableName{scan_.table},
                              .physical = scan_.physical,
                              .wanted = scan_.physical_wanted,
                              .metadata_keys = metadata_keys(scan_),
                              .partitions = scan_.partitions,
                              .now = context.now,
                              .chunk_bytes = context.chunk_bytes,
                              .splitter = {},
                              .header_splitter = {},
                              .text = format == nullptr || format->text,
                              .tables = context.tables,
                              .ports = context.ports,
                              .streams = context.streams,
                              .deployed_as = context.pipeline};
  if (format != nullptr && format->make_splitter) {
    LEAT_ASSIGN(made.splitter, format->make_splitter(value_format_options(scan_.options)));
  }
  splitter_ = made.splitter;
  if (format != nullptr && format->header_splitter) {
    LEAT_ASSIGN(made.header_splitter, format->header_splitter(value_format_options(scan_.options)));
  }
  const auto options = with_secrets(scan_.options, connector_.info.validate_source);
  if (!options) return fail(options.error(), fmt::format("table '{}'", scan_.table));
  auto source = connector_.build(*options, made);
  if (!source) return fail(source.error(), fmt::format("table '{}'", scan_.table));
  source_ = *std::move(source);
  return {};
}

Status SourceReader::make_decoder(const ReaderContext& context) {
  std::unique_ptr<formats::Decoder> own = source_->own_decoder();
  const bool lines = framing_ == formats::Framing::kLines;
  const formats::Format* const format = value_format_of(scan_.options);
  divisible_ = own == nullptr && lines && format != nullptr && format->text;
  counts_records_ = own != nullptr || lines;
  LEAT_ASSIGN(decoder_,
              MessageDecoder::create(scan_, connector_, framing_, context.time_zone, std::move(own)));
  if (connector_.compression)
    compressed_ = connector_.compression(scan_.options).compression != formats::Compression::kNone;
  return {};
}

void SourceReader::make_builders() {
  builders_.reserve(scan_.physical_wanted.size() + scan_.metadata.size());
  for (const std::size_t column : scan_.physical_wanted)
    physical_.push_back(&builders_.emplace_back(scan_.physical.fields[column].type));
  for (const auto& metadata : scan_.metadata) metadata_.push_back(&builders_.emplace_back(metadata.type));
}

Status SourceReader::start() {
  started_ = true;
  return source_->start(*intake_, resume_);
}

void SourceReader::begin_stop() {
  if (started_) source_->begin_stop();
}

void SourceReader::stop() {
  if (std::exchange(started_, false)) source_->stop();
}

bool SourceReader::quiet() const {
  using Link = sources::SourceHealth::Link;
  const Link link = source_->health().link;
  return (link == Link::kConnected || link == Link::kIdle) && intake_->queued_messages() == 0;
}

bool SourceReader::drained() const {
  return intake_->queued_messages() == 0;
}

/// A source may have ended its intake because it cannot read.
Status SourceReader::check_end() const {
  const sources::SourceHealth health = source_->health();
  if (health.link != sources::SourceHealth::Link::kFailed) return {};
  return fail(ErrorCode::kIo, health.detail);
}

Result<std::optional<Batch>> SourceReader::read(std::size_t max_bytes, Extent extent) {
  LEAT_TRY(take_messages(max_bytes));
  return decode_next(extent);
}

std::optional<Batch> SourceReader::read_piece() {
  return decode_next(Extent::kPiece);
}

Status SourceReader::take_messages(std::size_t max_bytes) {
  // A batch is what the messages become, and those of a batch are few enough that all may become large.
  constexpr std::size_t kExpected = 16;
  if (compressed_) max_bytes = std::max<std::size_t>(max_bytes / kExpected, 1);
  LEAT_ASSIGN(messages_, intake_->read(max_bytes));
  while (messages_.lost > 0) {
    pass_over_lost();
    LEAT_ASSIGN(messages_, intake_->read(max_bytes));
  }
  if (messages_.messages.empty()) {
    if (messages_.end) LEAT_TRY(check_end());
    ended_ = ended_ || messages_.end;
  } else if (!taps_.empty()) {
    show_messages();
  }
  return {};
}

void SourceReader::show_messages() {
  std::erase_if(taps_, is_gone);
  for (const auto& tap : taps_) tap->offer(messages_.messages);
}

void SourceReader::add_tap(std::shared_ptr<MessageTap> tap) {
  std::erase_if(taps_, is_gone);
  taps_.push_back(std::move(tap));
}

void SourceReader::end_taps(const std::string& why) {
  for (const auto& tap : std::exchange(taps_, {})) tap->end(why);
}

/// What is lost is counted when the position passes it: so a commit has both or neither.
void SourceReader::pass_over_lost() {
  counters_.lost += messages_.lost;
  number_ = messages_.through;
  skip_ -= std::min(skip_, messages_.lost);  // They had a row each, as far as is known.
}

/// Of the messages that are under way.
std::optional<Batch> SourceReader::decode_next(Extent extent) {
  if (!has_rest()) return std::nullopt;
  for (ColumnBuilder& builder : builders_) builder.keep(messages_.memory);
  std::vector<std::int64_t> intake_times;
  intake_times.reserve(messages_.messages.size() - next_message_);
  while (has_rest() && (extent == Extent::kWhole || !is_full(intake_times.size())))
    decode_one(take_part(extent, intake_times.size()), under_way_, dead_, intake_times);
  return finish_batch(std::move(intake_times));
}

bool SourceReader::is_full(std::size_t rows) const {
  return rows > kMostCells / std::max<std::size_t>(builders_.size(), 1);
}

/// The next message, or of one that may become too much beside `rows` others the next records.
sources::Message SourceReader::take_part(Extent extent, std::size_t rows) {
  sources::Message part = messages_.messages[next_message_];
  part.payload.remove_prefix(next_byte_);
  const std::size_t length =
      extent == Extent::kPiece && may_overfill(part, rows) ? part_bytes(part.payload) : part.payload.size();
  next_byte_ += length;
  if (length == part.payload.size()) {
    ++next_message_;
    next_byte_ = 0;
  }
  part.payload = part.payload.substr(0, length);
  return part;
}

/// Each record of a text ends a line at least.
bool SourceReader::may_overfill(const sources::Message& part, std::size_t rows) const {
  if (!divisible_ || !is_full(rows + part.payload.size())) return false;
  const auto lines = static_cast<std::size_t>(std::ranges::count(part.payload, '\n'));
  return is_full(rows + lines) && !source_->refuse(part);
}

/// Of whole records whose cells are a part of a piece's, however short the records are: some bytes of them,
/// or the first alone if it is longer.
std::size_t SourceReader::part_bytes(std::string_view payload) const {
  constexpr std::size_t kFewestBytes = 1024;
  const std::size_t step = std::max(kFewestBytes, kMostCells / (2 * builders_.size()));
  if (step >= payload.size()) return payload.size();
  if (!splitter_) return std::min(payload.find('\n', step - 1), payload.size() - 1) + 1;
  const auto whole = [&](std::size_t head) {
    return head < payload.size() ? splitter_(payload.substr(0, head), formats::Behind::kMore)
                                 : payload.size();
  };
  std::size_t short_of = 0;  // So many bytes hold no whole record.
  std::size_t head = step;
  while (whole(head) == 0) {
    short_of = head;
    head = std::min(2 * head, payload.size());
  }
  while (head - short_of > step) {
    const std::size_t middle = short_of + (head - short_of) / 2;
    (whole(middle) == 0 ? short_of : head) = middle;
  }
  return whole(head);
}

void SourceReader::decode_one(const sources::Message& message, SourceCounters& counters,
                              std::vector<store::DeadLetter>& dead, std::vector<std::int64_t>& intake_times) {
  bad_.clear();
  const formats::DecodeCount count = decode(message);
  add_records(count, counters);
  counters.rows += count.rows;
  const auto rows = static_cast<std::size_t>(count.rows);
  intake_times.insert(intake_times.end(), rows, message.intake_time);
  add_kinds(rows);
  for (std::size_t row = 0; row < rows && !metadata_.empty(); ++row)
    source_->append_metadata(message, metadata_);
  if (!bad_.empty()) reject(message, dead);
}

/// Where messages are counted, one that holds several records counts once: as dead if one of them is.
void SourceReader::add_records(const formats::DecodeCount& count, SourceCounters& counters) const {
  const std::uint64_t dead = count.skipped + bad_.size();
  if (counts_records_) {
    counters.decoded += count.decoded;
    counters.empty += count.empty;
    counters.dead += dead;
  } else if (dead > 0) {
    ++counters.dead;
  } else if (count.decoded > 0) {
    ++counters.decoded;
  } else {
    ++counters.empty;
  }
}

Batch SourceReader::replay(std::span<const sources::Message> messages, const HeapPtr& memory,
                           std::vector<store::DeadLetter>& dead) {
  replayed_ += messages.size();
  for (ColumnBuilder& builder : builders_) builder.keep(memory);
  std::vector<std::int64_t> intake_times;
  for (const sources::Message& message : messages) decode_one(message, counters_, dead, intake_times);
  return finish_batch(std::move(intake_times));
}

/// What the source refuses (a line that is too long) becomes a dead letter without being decoded.
formats::DecodeCount SourceReader::decode(const sources::Message& message) {
  refused_bytes_ = 0;
  if (auto refusal = source_->refuse(message)) {
    refused_bytes_ = refusal->whole_bytes;
    bad_.push_back({message.payload, std::move(refusal->reason)});
    return {};
  }
  using Meaning = MessageDecoder::Meaning;
  const bool deletes = scan_.deletion && connector_.info.deletions && source_->deletes(message);
  return decoder_->decode(message, deletes ? Meaning::kDeletion : Meaning::kRow, physical_, bad_);
}

/// What the rows of the message that was decoded last do.
void SourceReader::add_kinds(std::size_t rows) {
  const std::span<const RowKind> kinds = decoder_->kinds();
  if (kinds.size() == rows) kinds_.insert(kinds_.end(), kinds.begin(), kinds.end());
}

Batch SourceReader::finish_batch(std::vector<std::int64_t> intake_times) {
  Batch batch;
  batch.size = intake_times.size();
  batch.intake_times = std::move(intake_times);
  batch.kinds = std::exchange(kinds_, {});
  for (ColumnBuilder& builder : builders_) batch.columns.push_back(builder.finish());
  return batch;
}

void SourceReader::reject(const sources::Message& message, std::vector<store::DeadLetter>& dead) const {
  for (const formats::BadRecord& bad : bad_)
    dead.push_back({.origin = "source " + scan_.table,
                    .reason = bad.reason,
                    .payload = std::string(bad.bytes.substr(0, store::kLongestDeadPayload)),
                    .metadata = metadata_json(*source_, message),
                    .time = message.intake_time,
                    .payload_bytes = std::max<std::uint64_t>(bad.bytes.size(), refused_bytes_),
                    .key = std::string(message.key),
                    .attributes = std::string(message.attributes)});
}

void SourceReader::processed(std::vector<store::DeadLetter>& dead) {
  for (const sources::Message& message : messages_.messages) tracker_->consumed(message);
  if (!messages_.messages.empty()) number_ = messages_.messages.back().number;
  taken_ += messages_.messages.size();
  std::move(dead_.begin(), dead_.end(), std::back_inserter(dead));
  dead_.clear();
  add(counters_, std::exchange(under_way_, {}));
  // One that has failed is asked once more, and says so.
  ended_ = ended_ || (messages_.end && check_end());
  messages_ = {};
  next_message_ = 0;
}

// Messages of a split are appended behind the set that has it, so every split of a batch is known when the
// batch is. That one is opened a little too early only holds the watermark back.
std::optional<exec::SplitChanges> SourceReader::take_split_changes() {
  using Scope = exec::SplitChanges::Scope;
  exec::SplitChanges changes;
  for (sources::SplitSet& set : source_->take_split_sets()) {
    std::ranges::set_difference(set.splits, splits_, std::back_inserter(changes.opened));
    if (!std::exchange(told_splits_, true)) changes.scope = Scope::kAll;
    endings_.push_back(std::move(set));
    splits_ = endings_.back().splits;
  }
  while (!endings_.empty() && endings_.front().after <= taken_) {
    std::ranges::set_difference(open_splits_, endings_.front().splits, std::back_inserter(changes.ended));
    open_splits_ = std::move(endings_.front().splits);
    endings_.pop_front();
  }
  const bool nothing = changes.scope == Scope::kSome && changes.opened.empty() && changes.ended.empty();
  return nothing ? std::nullopt : std::optional(std::move(changes));
}

std::size_t SourceReader::take_skipped(std::size_t rows) {
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(rows, skip_));
  skip_ -= skipped;
  return skipped;
}

std::string SourceReader::position(std::uint64_t rows_done) const {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(number_.value);
  out.string(tracker_->encode());
  // Until the first batch after a restart is read, what was done of it is still to be skipped.
  out.varint(rows_done + skip_);
  out.string(scan_.connector);
  return bytes;
}

void SourceReader::save(exec::StateChanges& changes) const {
  tracker_->save(
      [&](std::string_view key, std::string_view value) { changes.put(memory_name(), key, value); });
}

void SourceReader::committed(std::string_view position) {
  const auto kept = read_position(position);
  if (!kept) return;
  source_->committed(kept->tracker);
  intake_->release(kept->number);
}

sources::SourceHealth SourceReader::health() const {
  sources::SourceHealth health = source_->health();
  health.disk = intake_->trouble();
  return health;
}

SourceStatus SourceReader::status() const {
  SourceStatus status{TableName{scan_.table}, scan_.connector, health(), counters_, intake_->used_bytes()};
  status.rewinds = rewinds();
  status.set_aside_files = set_aside_files_;
  SourceCounters& counters = status.counters;
  add(counters, under_way_);
  const sources::IntakeCounters intake = intake_->counters();
  counters.received_bytes = intake.received_bytes;
  counters.redelivered = intake.redelivered;
  counters.lost = counters_.lost;
  counters.dropped = intake.dropped + counters_.lost;
  if (!counts_records_) {
    counters.queued = intake.queued;
    counters.received = intake.received + replayed_;
  } else {
    counters.received =
        counters.decoded + counters.empty + counters.dead + counters.redelivered + counters.dropped;
  }
  return status;
}

SourceReader::Saved SourceReader::saved_counters() const {
  const sources::IntakeCounters intake = intake_->counters();
  return {.decoded = counters_.decoded,
          .empty = counters_.empty,
          .dead = counters_.dead,
          .rows = counters_.rows,
          .redelivered = intake.redelivered,
          .dropped = intake.dropped + counters_.lost,
          .received_bytes = intake.received_bytes,
          .received = intake.received + replayed_,
          .lost = counters_.lost};
}

std::uint64_t SourceReader::received_for_good() const {
  return rewinds() || counts_records_ ? 0 : intake_->counters().received + replayed_;
}

void SourceReader::restore_counters(const Saved& saved) {
  counters_.decoded = saved.decoded;
  counters_.empty = saved.empty;
  counters_.dead = saved.dead;
  counters_.rows = saved.rows;
  counters_.lost = saved.lost;
  // What the journal holds beyond the commit was received, too, and waits. What was replayed is in the sum:
  // to the intake it looks as if it had come that way.
  std::uint64_t received = saved.decoded + saved.empty + saved.dead + saved.redelivered + saved.dropped +
                           intake_->queued_messages();
  const bool for_good = !rewinds() && !counts_records_;
  if (for_good && saved.received > received) {
    const std::uint64_t gone = saved.received - received;
    counters_.lost += gone;
    received = saved.received;
    log::warn("messages that had come in are gone: they were not in the journal, or it is damaged",
              {{"pipeline", pipeline_.value}, {"table", scan_.table}, {"messages", std::to_string(gone)}});
  }
  intake_->restore_counters({.received = received,
                             .redelivered = saved.redelivered,
                             .dropped = saved.dropped - saved.lost,
                             .received_bytes = saved.received_bytes});
}

}  // namespace leat::runtime
