#include "daemon/store/store.h"

#include <sys/random.h>
#include <algorithm>

#include <future>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "daemon/store/ballast.h"
#include "daemon/store/commits.h"
#include "daemon/store/dead_letters.h"
#include "daemon/store/disk_room.h"
#include "daemon/store/file_bound.h"
#include "daemon/store/health.h"
#include "daemon/store/housekeeping.h"
#include "daemon/store/outbox.h"
#include "daemon/store/paused.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/sqlite_pipelines.h"
#include "daemon/store/sqlite_streams.h"
#include "daemon/store/sqlite_tables.h"
#include "daemon/store/storage_thread.h"
#include "daemon/store/store_file.h"
#include "pipelines/base/fault_point.h"

namespace leat::store {
namespace {

constexpr std::chrono::milliseconds kIdleAfter{500};
/// A reader that takes longer would keep the WAL from being reused.
constexpr std::chrono::milliseconds kReadLimit{2'000};

std::string random_store_id() {
  unsigned char random[16] = {};
  // Up to 256 bytes come whole or not at all, and never fail once the system has booted.
  while (::getrandom(random, sizeof random, 0) != sizeof random) {
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : random) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

/// The writers on one connection; made anew with it.
struct Tables {
  Tables(std::unique_ptr<Connection> opened, const StoreOptions& options)
      : connection(std::move(opened)),
        letters(*connection, {.bytes = options.dead_letters_max_bytes,
                              .letters = options.dead_letters_max_count,
                              .payload_bytes = options.dead_letter_payload_bytes}),
        outbox(*connection, letters),
        paused(*connection),
        tables(*connection),
        streams(*connection),
        pipelines(*connection, outbox, tables.tables, streams),
        commits(*connection, outbox, letters, tables.writer, streams) {}

  std::unique_ptr<Connection> connection;
  DeadLetters letters;
  Outbox outbox;
  Paused paused;
  TableParts tables;
  Streams streams;
  PipelineParts pipelines;
  Commits commits;
};

/// With a new id: the blocks that are there already may be another store's to deliver, too.
constexpr const char* kInheritBlocks =
    "UPDATE store SET inherited_blocks = coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'blocks'), "
    "0)";

struct Identity {
  StoreId id;
  std::string note;  // Why the id was renewed; empty: it was not.
};

/// Reads the store's identity, makes one for a new store, and renews it on another machine. A backup and a
/// repaired store have none.
Result<Identity> identify(Connection& connection, const StoreOptions& options) {
  const std::string machine = read_first_line(options.machine_id_file);
  Identity identity;
  std::string known;
  {
    Statement select(connection, "SELECT id, machine_id FROM store");
    Rows rows = select.query();
    LEAT_ASSIGN(const bool found, rows.next());
    if (found) {
      identity.id = {rows.text(0)};
      known = rows.text(1);
    }
  }
  const bool is_new = identity.id.value.empty();
  const bool moved = !machine.empty() && !known.empty() && machine != known;
  const bool learns_machine = !machine.empty() && known.empty();
  if (!is_new && !moved && !learns_machine) return identity;
  if (is_new || moved) identity.id = {options.make_store_id ? options.make_store_id() : random_store_id()};
  if (moved)
    identity.note = "the store comes from another machine (" + known + ", this is " + machine +
                    "): it gets a new id, receivers will not recognise resent shipments of the old one";
  LEAT_ASSIGN(const std::string pipelines, connection.value("SELECT count(*) FROM pipelines"));
  const bool restored = is_new && pipelines != "0";
  if (restored)
    identity.note =
        "the store comes from a backup or a repair: it gets a new id, receivers will not recognise "
        "what it sends again";
  Statement write(connection,
                  "INSERT INTO store (one, id, machine_id) VALUES (1, ?1, ?2) ON CONFLICT DO UPDATE SET id = "
                  "?1, machine_id = ?2");
  LEAT_TRY(write.run(std::string_view(identity.id.value), std::string_view(machine)));
  if (moved || restored) LEAT_TRY(connection.exec(kInheritBlocks));
  return identity;
}

/// Whether a request adds to the file, and how much; what reads, deletes, or changes a row goes on when the
/// disk is full.
struct Growth {
  bool grows = false;
  std::uint64_t bytes = 0;
};

class SqliteStore final : public Store, public TellsHealth {
 public:
  SqliteStore(StoreOptions options, std::unique_ptr<StoreLock> lock, std::unique_ptr<Connection> connection,
              StoreId id, const std::vector<OutboxStatus>& outboxes)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        id_(std::move(id)),
        ballast_(options_.path + ".ballast", in_memory() ? 0 : ballast_bytes_for(options_.path)),
        tables_(std::make_unique<Tables>(std::move(connection), options_)),
        local_tables_(table_host()),
        streams_(stream_host()),
        pipelines_(pipeline_host()) {
    const std::lock_guard guard(levels_mutex_);
    for (const OutboxStatus& one : outboxes)
      levels_[{one.pipeline, one.sink}] = {one.blocks, one.records, one.bytes, one.oldest, one.rejected};
    if (!in_memory()) health_.damaged_files = count_damaged_files(options_.path);
    if (const Status put = ballast_.put(); !put) note_health(put);
    (void)file_bound_.measure(*tables_->connection);
    streams_.refresh(*tables_->connection);
  }
  ~SqliteStore() override { SqliteStore::close(); }

  [[nodiscard]] StoreId id() const override { return id_; }
  [[nodiscard]] StoreHealth health() const override;
  Result<std::int64_t> last_commit_time() override;
  Result<SavedPipeline> load(const PipelineName& pipeline) override;
  void commit(std::shared_ptr<const Commit> commit, Answer<void> done) override;
  void next_shipment(const PipelineName& pipeline, const TableName& sink, const ShipmentLimits& limits,
                     Answer<std::optional<OutboxShipment>> done) override;
  void settle(const PipelineName& pipeline, const TableName& sink, Settlement settlement,
              Answer<void> done) override;
  void split(const PipelineName& pipeline, const TableName& sink, ShipmentNumber number, std::uint64_t first,
             std::uint64_t records, Answer<void> done) override;
  void keep_sink_state(const PipelineName& pipeline, const TableName& sink, std::string sink_state,
                       Answer<void> done) override;
  bool is_paused(const PipelineName& pipeline, const TableName& sink) override;
  Status set_paused(const PipelineName& pipeline, const TableName& sink, bool paused) override;
  bool is_paused(const PipelineName& pipeline) override;
  Status set_paused(const PipelineName& pipeline, bool paused) override;
  void on_blocks(const PipelineName& pipeline, const TableName& sink, std::function<void()> wake) override;
  void trim(const PipelineName& pipeline, const TableName& sink, std::uint64_t max_bytes,
            std::int64_t oldest_allowed, DropOrder order, Answer<std::uint64_t> done) override;
  void set_yield(const PipelineName& pipeline, const TableName& sink,
                 std::optional<DropOrder> order) override {
    file_bound_.set_yield(pipeline, sink, order);
  }
  [[nodiscard]] bool file_full() const override { return file_bound_.full(); }
  Result<std::vector<OutboxStatus>> outbox_status() override;
  void purge_dead_letters(const DeadLetterFilter& filter, std::size_t limit,
                          Answer<std::uint64_t> done) override;
  Result<std::vector<DeadLetterRow>> dead_letters(const DeadLetterFilter& filter,
                                                  const DeadLetterPage& page) override;
  Result<DeadLetterStatus> dead_letter_status() override;
  [[nodiscard]] OutboxLevel outbox_level(const PipelineName& pipeline, const TableName& sink) const override;
  TableStore& tables() override { return local_tables_; }
  StreamStore& streams() override { return streams_; }
  PipelineStore& pipelines() override { return pipelines_; }
  void close() override;

 private:
  using SinkKey = std::pair<PipelineName, TableName>;

  [[nodiscard]] bool in_memory() const { return options_.path.empty(); }
  Status ready();
  Status ready_to_grow(std::uint64_t adding);
  void make_room();
  void note_health(const Status& outcome);
  template <class T, class Work>
  void request(Work work, Answer<T> done, Growth growth = {});
  template <class T, class Work>
  Result<T> request_and_wait(Work work, Growth growth = {});
  template <class T, class Read>
  Result<T> read(Read read);
  Status refresh_level(const SinkKey& key);
  Status write_commit(const Commit& commit);
  void trim_on(const SinkKey& key, const Outbox::Bounds& bounds, std::uint64_t dropped,
               Answer<std::uint64_t> done);
  UntilNextStep idle(bool quiet);
  SqliteTables::Host table_host();
  SqliteStreams::Host stream_host();
  SqlitePipelines::Host pipeline_host();
  void refresh_levels_of(const PipelineName& pipeline);

  const StoreOptions options_;
  std::unique_ptr<StoreLock> lock_;  // Null in memory, and after `close`.
  const StoreId id_;

  // Storage thread only (and the constructing one before it starts, the closing one after it has ended).
  Ballast ballast_;
  std::unique_ptr<Tables> tables_;  // Null while the file cannot be reopened, and after `close`.
  Housekeeper housekeeper_;
  bool short_of_room_ = false;      // The last request that adds was refused for want of room.
  bool made_room_in_vain_ = false;  // Since the last request that went well.

  std::mutex reader_mutex_;  // Guards the reader; held while reading.
  std::unique_ptr<Connection> reader_;
  bool readers_closed_ = false;

  mutable std::mutex health_mutex_;  // Guards health_.
  StoreHealth health_;

  mutable std::mutex levels_mutex_;  // Guards levels_.
  std::map<SinkKey, OutboxLevel> levels_;

  std::mutex wakes_mutex_;  // Guards wakes_; held while calling one.
  std::map<SinkKey, std::function<void()>> wakes_;

  FileBound file_bound_{options_.max_bytes};
  SqliteTables local_tables_;
  SqliteStreams streams_;
  SqlitePipelines pipelines_;

  std::once_flag closed_;
  StorageThread thread_{
      kIdleAfter, [this](bool quiet) { return idle(quiet); }};  // Last: its requests use everything above.
};

// After an I/O error nobody knows whether the last commit is on the disk. Everything is closed and opened
// anew, and the log is emptied into the database: what is visible then is what happened, and the callers'
// retries find it by its number.
Status SqliteStore::ready() {
  if (tables_ && tables_->connection->trouble() != Trouble::kUnknownOutcome) return {};
  if (in_memory()) return {};
  const std::lock_guard lock(reader_mutex_);
  tables_.reset();
  reader_.reset();
  LEAT_ASSIGN(std::unique_ptr<Connection> connection, reopen_store_file(options_.path));
  tables_ = std::make_unique<Tables>(std::move(connection), options_);
  return {};
}

// What adds to the file waits until the ballast's room is there again.
Status SqliteStore::ready_to_grow(std::uint64_t adding) {
  LEAT_TRY(ready());
  LEAT_TRY(ballast_.put());
  if (in_memory()) return {};
  const Status room = keep_room(*tables_->connection, adding);
  short_of_room_ = !room;
  return room;
}

// Gives the ballast's room to the log, and then back from it: a log that was emptied takes little. A log that
// is larger than the ballast stays: half of it in the database would take the room and give none back. Where
// the ballast's room was not enough it is tried all the same: nothing else would ever change.
void SqliteStore::make_room() {
  ballast_.release();
  const bool is_stuck = std::exchange(made_room_in_vain_, true);
  if (tables_ && (is_stuck || log_bytes(options_.path) <= ballast_.bytes()))
    (void)tables_->connection->exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

void SqliteStore::note_health(const Status& outcome) {
  const bool damaged = tables_ && !in_memory() && tables_->connection->trouble() == Trouble::kDamaged;
  if (damaged) mark_suspect(options_.path);
  const std::lock_guard lock(health_mutex_);
  // Whatever goes well afterwards: pages are damaged until the next start, which checks and mends the file.
  if (damaged && health_.damage.empty())
    health_.damage =
        options_.path +
        " has damaged pages: restart the daemon, which checks the file and saves what can be read "
        "(or stop it and run 'leat store repair')";
  health_.has_ballast = ballast_.in_place();
  if (outcome && ballast_.in_place() && !short_of_room_) health_.problem.clear();
  if (outcome) {
    made_room_in_vain_ = false;
    return;
  }
  const ErrorCode code = outcome.error().code;
  if (code != ErrorCode::kExhausted && code != ErrorCode::kIo && code != ErrorCode::kCorrupt) return;
  ++health_.refused;
  health_.problem = outcome.error().message;
}

StoreHealth SqliteStore::health() const {
  const std::lock_guard lock(health_mutex_);
  StoreHealth health = health_;
  if (!in_memory()) health.log_bytes = log_bytes(options_.path);
  return health;
}

template <class T, class Work>
void SqliteStore::request(Work work, Answer<T> done, Growth growth) {
  auto answer = std::make_shared<Answer<T>>(std::move(done));
  const bool posted = thread_.post([this, work = std::move(work), answer, growth]() mutable {
    const Status usable = growth.grows ? ready_to_grow(growth.bytes) : ready();
    Result<T> result = usable ? work() : Result<T>(tl::unexpected<Error>(usable.error()));
    const bool full = usable && !result && result.error().code == ErrorCode::kExhausted;
    if (full && !in_memory() && (ballast_.in_place() || !growth.grows)) {
      make_room();
      if (!growth.grows) result = work();
    }
    note_health(result ? Status() : Status(tl::unexpected<Error>(result.error())));
    (*answer)(std::move(result));
  });
  if (!posted) (*answer)(fail(ErrorCode::kCancelled, "the store is closed"));
}

template <class T, class Work>
Result<T> SqliteStore::request_and_wait(Work work, Growth growth) {
  std::promise<Result<T>> answer;
  request<T>(
      std::move(work), [&answer](Result<T> result) { answer.set_value(std::move(result)); }, growth);
  return answer.get_future().get();
}

// Readers have a connection of their own, and do not wait for commits. A database in memory has one only.
template <class T, class Read>
Result<T> SqliteStore::read(Read read) {
  if (in_memory()) return request_and_wait<T>([this, read] { return read(*tables_->connection); });
  const std::lock_guard lock(reader_mutex_);
  if (readers_closed_) return fail(ErrorCode::kCancelled, "the store is closed");
  if (!reader_) {
    LEAT_ASSIGN(reader_, Connection::open(options_.path, OpenMode::kReadOnly));
    LEAT_TRY(reader_->set_pragma("cache_size", "-256", "-256"));
  }
  reader_->limit_time(kReadLimit);
  Result<T> result = read(*reader_);
  if (result) return result;
  reader_.reset();
  if (result.error().code == ErrorCode::kCancelled)
    return fail(ErrorCode::kUnavailable, "reading the store took longer than its time limit");
  return result;
}

Status SqliteStore::refresh_level(const SinkKey& key) {
  LEAT_ASSIGN(const OutboxLevel level, tables_->outbox.level(key.first, key.second));
  const std::lock_guard lock(levels_mutex_);
  levels_[key] = level;
  return {};
}

OutboxLevel SqliteStore::outbox_level(const PipelineName& pipeline, const TableName& sink) const {
  const std::lock_guard lock(levels_mutex_);
  const auto found = levels_.find({pipeline, sink});
  return found == levels_.end() ? OutboxLevel{} : found->second;
}

Result<std::int64_t> SqliteStore::last_commit_time() {
  return request_and_wait<std::int64_t>([this]() -> Result<std::int64_t> {
    Statement newest(*tables_->connection, "SELECT coalesce(max(last_commit_time), 0) FROM pipelines");
    Rows rows = newest.query();
    LEAT_ASSIGN(const bool found, rows.next());
    return found ? rows.integer(0) : 0;
  });
}

Result<SavedPipeline> SqliteStore::load(const PipelineName& pipeline) {
  return request_and_wait<SavedPipeline>([this, pipeline] { return tables_->commits.load(pipeline); });
}

void SqliteStore::commit(std::shared_ptr<const Commit> commit, Answer<void> done) {
  const Growth growth{.grows = true, .bytes = bytes_of(*commit)};
  request<void>([this, commit = std::move(commit)] { return write_commit(*commit); }, std::move(done),
                growth);
}

Status SqliteStore::write_commit(const Commit& commit) {
  const Status written = tables_->commits.write(commit);
  if (!written) tables_->tables.writer.forget();
  local_tables_.outdate(commit.tables);
  LEAT_TRY(written);
  LEAT_FAULT_STEP("commit.synced");
  std::set<TableName> sinks;
  for (const NewBlock& block : commit.blocks) sinks.insert(block.sink);
  for (const TableName& sink : sinks) {
    const SinkKey key{commit.pipeline, sink};
    // The commit stands; a level that cannot be read now is read at the next change.
    (void)refresh_level(key);
    const std::lock_guard lock(wakes_mutex_);
    if (const auto wake = wakes_.find(key); wake != wakes_.end()) wake->second();
  }
  streams_.committed(*tables_->connection, commit);
  // As above: the next commit tries again.
  (void)file_bound_.keep(*tables_->connection, tables_->outbox,
                         [this](const PipelineName& pipeline, const TableName& sink) {
                           (void)refresh_level({pipeline, sink});
                         });
  LEAT_FAULT_STEP("commit.before-answer");
  return {};
}

void SqliteStore::next_shipment(const PipelineName& pipeline, const TableName& sink,
                                const ShipmentLimits& limits, Answer<std::optional<OutboxShipment>> done) {
  request<std::optional<OutboxShipment>>(
      [this, pipeline, sink, limits] { return tables_->outbox.next_shipment(pipeline, sink, limits); },
      std::move(done));
}

void SqliteStore::settle(const PipelineName& pipeline, const TableName& sink, Settlement settlement,
                         Answer<void> done) {
  request<void>(
      [this, pipeline, sink, settlement = std::move(settlement)]() -> Status {
        LEAT_TRY(tables_->outbox.settle(pipeline, sink, settlement));
        LEAT_FAULT_STEP("settle.synced");
        (void)refresh_level({pipeline, sink});
        (void)file_bound_.measure(*tables_->connection);
        return {};
      },
      std::move(done));
}

void SqliteStore::split(const PipelineName& pipeline, const TableName& sink, ShipmentNumber number,
                        std::uint64_t first, std::uint64_t records, Answer<void> done) {
  request<void>(
      [this, pipeline, sink, number, first, records]() -> Status {
        LEAT_TRY(tables_->outbox.split(pipeline, sink, number, first, records));
        LEAT_FAULT_STEP("part.synced");
        return {};
      },
      std::move(done));
}

void SqliteStore::keep_sink_state(const PipelineName& pipeline, const TableName& sink, std::string sink_state,
                                  Answer<void> done) {
  request<void>(
      [this, pipeline, sink, sink_state = std::move(sink_state)]() -> Status {
        LEAT_TRY(tables_->outbox.keep_sink_state(pipeline, sink, sink_state));
        LEAT_FAULT_STEP("sink-state.synced");
        return {};
      },
      std::move(done));
}

bool SqliteStore::is_paused(const PipelineName& pipeline, const TableName& sink) {
  return request_and_wait<bool>([this, pipeline, sink] { return tables_->paused.contains(pipeline, sink); })
      .value_or(false);
}

Status SqliteStore::set_paused(const PipelineName& pipeline, const TableName& sink, bool paused) {
  return request_and_wait<void>(
      [this, pipeline, sink, paused] { return tables_->paused.set(pipeline, sink, paused); });
}

bool SqliteStore::is_paused(const PipelineName& pipeline) {
  return request_and_wait<bool>([this, pipeline] { return tables_->paused.contains(pipeline); })
      .value_or(false);
}

Status SqliteStore::set_paused(const PipelineName& pipeline, bool paused) {
  return request_and_wait<void>([this, pipeline, paused] { return tables_->paused.set(pipeline, paused); });
}

void SqliteStore::on_blocks(const PipelineName& pipeline, const TableName& sink, std::function<void()> wake) {
  const std::lock_guard lock(wakes_mutex_);
  if (wake)
    wakes_[{pipeline, sink}] = std::move(wake);
  else
    wakes_.erase({pipeline, sink});
}

void SqliteStore::trim(const PipelineName& pipeline, const TableName& sink, std::uint64_t max_bytes,
                       std::int64_t oldest_allowed, DropOrder order, Answer<std::uint64_t> done) {
  trim_on({pipeline, sink}, {max_bytes, oldest_allowed, order}, 0, std::move(done));
}

// A step is a request of its own: commits get their turn between two.
void SqliteStore::trim_on(const SinkKey& key, const Outbox::Bounds& bounds, std::uint64_t dropped,
                          Answer<std::uint64_t> done) {
  request<Outbox::Trimmed>(
      [this, key, bounds]() -> Result<Outbox::Trimmed> {
        LEAT_ASSIGN(const Outbox::Trimmed step, tables_->outbox.trim_some(key.first, key.second, bounds));
        LEAT_FAULT_STEP("trim.synced");
        (void)refresh_level(key);
        (void)file_bound_.measure(*tables_->connection);
        return step;
      },
      [this, key, bounds, dropped, done = std::move(done)](Result<Outbox::Trimmed> step) mutable {
        if (!step) return done(tl::unexpected<Error>(step.error()));
        if (!step->more) return done(dropped + step->records);
        trim_on(key, bounds, dropped + step->records, std::move(done));
      });
}

Result<std::vector<OutboxStatus>> SqliteStore::outbox_status() {
  return read<std::vector<OutboxStatus>>(
      [](Connection& connection) { return read_outbox_status(connection); });
}

void SqliteStore::purge_dead_letters(const DeadLetterFilter& filter, std::size_t limit,
                                     Answer<std::uint64_t> done) {
  request<std::uint64_t>([this, filter, limit] { return tables_->letters.purge(filter, limit); },
                         std::move(done));
}

Result<std::vector<DeadLetterRow>> SqliteStore::dead_letters(const DeadLetterFilter& filter,
                                                             const DeadLetterPage& page) {
  return read<std::vector<DeadLetterRow>>(
      [filter, page](Connection& connection) { return read_dead_letters(connection, filter, page); });
}

Result<DeadLetterStatus> SqliteStore::dead_letter_status() {
  return read<DeadLetterStatus>([](Connection& connection) { return read_dead_letter_status(connection); });
}

UntilNextStep SqliteStore::idle(bool quiet) {
  if (!tables_ || !ready()) return std::nullopt;
  const auto step = [&](Housekeeper::Load load) {
    return housekeeper_.step(*tables_->connection, load, Housekeeper::Clock::now());
  };
  UntilNextStep next;
  if (ballast_.in_place() && !short_of_room_) {
    next = step(quiet ? Housekeeper::Load::kQuiet : Housekeeper::Load::kBusy);
  } else {
    // On a full disk no commit comes meanwhile: on to the end, where what was deleted becomes room.
    do next = step(Housekeeper::Load::kUrgent);
    while (next && next->count() == 0);
    note_health(ballast_.put());
  }
  const UntilNextStep sweep = local_tables_.keep_house(tables_->tables);
  return next && sweep ? std::min(*next, *sweep) : next ? next : sweep;
}

std::int64_t system_micros() {
  return std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch()).count();
}

SqliteTables::Host SqliteStore::table_host() {
  return {.path = options_.path,
          .write =
              [this](const SqliteTables::Work& work) {
                return request_and_wait<void>([&] { return work(tables_->tables); });
              },
          .read = [this](const SqliteTables::Read& read) -> Status {
            return this->read<void>([&](Connection& connection) { return read(connection); });
          },
          .now = options_.now ? options_.now : system_micros};
}

SqliteStreams::Host SqliteStore::stream_host() {
  return {.write =
              [this](const SqliteStreams::Work& work) {
                return request_and_wait<void>([&] { return work(*tables_->connection, tables_->streams); });
              },
          .read = [this](const SqliteStreams::Read& read) -> Status {
            return this->read<void>([&](Connection& connection) { return read(connection); });
          }};
}

SqlitePipelines::Host SqliteStore::pipeline_host() {
  return {.write =
              [this](std::uint64_t adds, const SqlitePipelines::Work& work) {
                return request_and_wait<void>([&] { return work(tables_->pipelines); },
                                              {.grows = adds > 0, .bytes = adds});
              },
          .read = [this](const SqliteTables::Read& read) -> Status {
            return this->read<void>([&](Connection& connection) { return read(connection); });
          },
          .refresh = [this](const PipelineName& pipeline) { refresh_levels_of(pipeline); },
          .now = options_.now ? options_.now : system_micros};
}

/// All its outboxes, those that have another name now included.
void SqliteStore::refresh_levels_of(const PipelineName& pipeline) {
  streams_.refresh(*tables_->connection);
  const auto all = read_outbox_status(*tables_->connection);
  if (!all) return;  // Read at the next change.
  (void)file_bound_.measure(*tables_->connection);
  const std::lock_guard lock(levels_mutex_);
  std::erase_if(levels_, [&](const auto& level) { return level.first.first == pipeline; });
  for (const OutboxStatus& one : *all)
    if (one.pipeline == pipeline)
      levels_[{one.pipeline, one.sink}] = {one.blocks, one.records, one.bytes, one.oldest, one.rejected};
}

void SqliteStore::close() {
  std::call_once(closed_, [this] {
    thread_.finish();
    local_tables_.close();
    const std::lock_guard lock(reader_mutex_);
    readers_closed_ = true;
    reader_.reset();
    // Closing the last connection checkpoints and removes the WAL: the mark of a clean stop.
    tables_.reset();
    lock_.reset();
  });
}

}  // namespace

StoreHealth health_of(const Store& store) {
  const auto* teller = dynamic_cast<const TellsHealth*>(&store);
  return teller == nullptr ? StoreHealth{} : teller->health();
}

Result<std::unique_ptr<Store>> Store::open(StoreOptions options, std::vector<std::string>& notes) {
  std::unique_ptr<StoreLock> lock;
  const bool in_memory = options.path.empty();
  if (!in_memory) {
    LEAT_ASSIGN(lock, StoreLock::take(options.path));
  }
  Identity identity;
  std::vector<OutboxStatus> outboxes;
  const FirstUse first_use = [&](Connection& connection) -> Status {
    LEAT_ASSIGN(identity, identify(connection, options));
    LEAT_ASSIGN(outboxes, read_outbox_status(connection));
    return {};
  };
  LEAT_ASSIGN(std::unique_ptr<Connection> connection,
              open_store_file(in_memory ? ":memory:" : options.path, first_use, notes));
  if (!identity.note.empty()) notes.push_back(identity.note);
  return std::make_unique<SqliteStore>(std::move(options), std::move(lock), std::move(connection),
                                       std::move(identity.id), outboxes);
}

}  // namespace leat::store
