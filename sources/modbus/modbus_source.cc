#include "sources/modbus/modbus_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "sources/clients/backoff.h"
#include "sources/modbus/modbus_client.h"
#include "sources/modbus/modbus_metadata.h"
#include "sources/modbus/modbus_options.h"
#include "sources/modbus/poll_schedule.h"
#include "sources/modbus/unit_reader.h"
#include "sources/pause_gate.h"

namespace leat::sources {
namespace {

using Link = SourceHealth::Link;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::string_view kPosition = "\x01";  // Its version: the intake's reader knows the place.
/// The wall clock may be set while a poll is waited for: it is looked at this often.
constexpr Micros kLook{kMicrosPerSecond};
constexpr Micros kDiskRetry{kMicrosPerSecond};

SteadyTime steady_now() {
  return std::chrono::steady_clock::now();
}

Micros micros_since(SteadyTime since) {
  return std::chrono::duration_cast<Micros>(steady_now() - since);
}

/// There is nothing to go back to: a poll is of its moment.
class NoPosition final : public PositionTracker {
 public:
  void consumed(const Message&) override {}
  [[nodiscard]] std::string encode() const override { return std::string(kPosition); }
};

Result<std::unique_ptr<formats::Decoder>> make_row_decoder(const formats::DecodeRequest& request) {
  const formats::Format* json = formats::find_format("json");
  if (json == nullptr) return fail(ErrorCode::kInternal, "there is no format json");
  return json->make_decoder({}, request);
}

/// One unit, and how long it is left alone when it does not answer.
struct Unit {
  std::uint8_t number = 0;
  Backoff backoff;
  bool silent = false;
  SteadyTime rests_until;
  std::string trouble;  ///< Empty: the last answer was whole.

  [[nodiscard]] bool rests() const { return silent && steady_now() < rests_until; }
};

class ModbusSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> build(const OptionMap& map, const SourceContext& context) {
    const ModbusOptions options = read_modbus_options(map);
    std::vector<OptionError> wrong;
    check_modbus_columns(map, {.name = context.table.value, .physical = context.physical}, wrong);
    if (!wrong.empty()) return fail(ErrorCode::kInvalid, wrong.front().message);
    LEAT_ASSIGN(ModbusMetadataWriter metadata,
                ModbusMetadataWriter::make(options.url, context.metadata_keys));
    const formats::DecodeRequest rows{.schema = context.physical, .wanted = context.wanted};
    LEAT_TRY(make_row_decoder(rows));
    return std::unique_ptr<Source>(new ModbusSource(options, context, std::move(metadata), rows));
  }
  ~ModbusSource() override { stop(); }

  Status start(Intake& intake, std::string_view from) override {
    if (!from.empty() && from != kPosition)
      return fail(ErrorCode::kInvalid, "this is no position of a modbus source");
    intake_ = &intake;
    tell(Link::kConnecting, options_.url);
    thread_ = std::thread([this] { run(); });
    return {};
  }
  void resume() override { gate_.open(); }
  void stop() override {
    gate_.stop();
    client_.interrupt();
    if (intake_ != nullptr) intake_->interrupt();
    if (thread_.joinable()) thread_.join();
    intake_ = nullptr;
  }
  [[nodiscard]] SourceHealth health() const override {
    const std::scoped_lock lock(mutex_);
    return health_;
  }
  [[nodiscard]] std::unique_ptr<PositionTracker> tracker(std::string_view) const override {
    return std::make_unique<NoPosition>();
  }
  void append_metadata(const Message& message, std::span<ColumnBuilder* const> columns) const override {
    metadata_.append(message, columns);
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> describe(
      const Message& message) const override {
    return {{"url", options_.url}, {"unit", std::to_string(decode_poll_facts(message.attributes).unit)}};
  }
  [[nodiscard]] std::unique_ptr<formats::Decoder> own_decoder() const override {
    return make_row_decoder(rows_).value_or(nullptr);  // `build` has made one.
  }

 private:
  ModbusSource(const ModbusOptions& options, const SourceContext& context, ModbusMetadataWriter metadata,
               formats::DecodeRequest rows)
      : options_(options),
        now_(context.now),
        metadata_(std::move(metadata)),
        rows_(std::move(rows)),
        client_(place_of(options), options.timeout),
        reader_(mapped_columns(options, context.physical),
                {.registers = options.max_registers, .gap = options.max_gap}, options.order),
        schedule_(options.interval),
        backoff_(options.reconnect_min, options.reconnect_max, static_cast<std::uint32_t>(now_())) {
    for (const std::uint8_t unit : units_of(options))
      units_.push_back({.number = unit,
                        .backoff = Backoff(options.reconnect_min, options.reconnect_max, unit),
                        .rests_until = {},
                        .trouble = {}});
  }

  // On the source's thread.
  void run();
  /// False: not connected; the time until the next attempt has gone by.
  bool connect();
  /// None: the source is to end.
  std::optional<std::int64_t> wait_for_point();
  void poll(std::int64_t point);
  /// False: there is no connection, and none comes about.
  bool poll_unit(Unit& unit, std::int64_t point);
  UnitAnswer read(const Unit& unit);
  /// What may still be tried in the poll of a unit, before it counts as silent.
  struct Attempts {
    std::uint32_t retries = 0;
    std::uint32_t connections = 1;
  };
  ReadOutcome ask(const Unit& unit, Attempts& left, const ReadRequest& request,
                  std::span<std::uint16_t> words);
  void settle(Unit& unit, const UnitAnswer& answer);
  void append(const std::string& payload, const std::string& attributes);
  /// False: the source is to end.
  bool wait_for_intake(Appended appended);
  /// Counts the points that have gone by without a poll.
  void pass_over(std::string_view why);

  // Health.
  void tell(Link link, std::string detail);
  void tell_units();
  void connected(std::string trouble);
  void lost(const std::string& why);
  void missed(std::uint64_t polls, std::string what);
  [[nodiscard]] std::string troubles() const;
  [[nodiscard]] bool all_silent() const {
    return std::ranges::all_of(units_, [](const Unit& unit) { return unit.silent; });
  }

  const ModbusOptions options_;
  const std::function<std::int64_t()> now_;
  const ModbusMetadataWriter metadata_;
  const formats::DecodeRequest rows_;
  Intake* intake_ = nullptr;  // The runtime's; outlives the source. From `start` to `stop`.

  ModbusClient client_;  // What follows is the source's thread's.
  UnitReader reader_;
  PollSchedule schedule_;
  Backoff backoff_;
  std::vector<Unit> units_;
  bool away_ = false;                  // The last attempt to connect has failed.
  SteadyTime counted_ = steady_now();  // When points that have passed were counted last.

  mutable std::mutex mutex_;
  SourceHealth health_;  // Under mutex_.
  PauseGate gate_;
  std::thread thread_;
};

void ModbusSource::run() {
  while (!gate_.stopped()) {
    if (!client_.is_open() && !connect()) continue;
    const auto point = wait_for_point();
    if (!point) return;
    poll(*point);
  }
}

bool ModbusSource::connect() {
  const Status opened = client_.open();
  if (gate_.stopped()) return false;
  pass_over("there was no connection");
  if (opened) {
    backoff_.reset();
    // What was away may have come back whole.
    if (std::exchange(away_, false))
      for (Unit& unit : units_) unit.rests_until = {};
    // Units that have fallen silent must show that they are there.
    if (!all_silent()) connected(troubles());
    return true;
  }
  away_ = true;
  const Micros wait = backoff_.next();
  lost(fmt::format("{}: {}, next try in {}", options_.url, opened.error().message, shown_wait(wait)));
  gate_.wait_for(wait);
  return false;
}

std::optional<std::int64_t> ModbusSource::wait_for_point() {
  while (!gate_.stopped()) {
    const std::int64_t now = now_();
    if (const auto point = schedule_.due(now)) return point;
    if (!gate_.wait_for(std::min(kLook, schedule_.wait(now)))) break;
  }
  return std::nullopt;
}

void ModbusSource::poll(std::int64_t point) {
  for (std::size_t i = 0; i < units_.size() && !gate_.stopped(); ++i) {
    if (units_[i].rests()) {
      missed(1, fmt::format("unit {}: {}", units_[i].number, units_[i].trouble));
    } else if (!poll_unit(units_[i], point)) {
      missed(units_.size() - i, "the connection was lost");
      break;
    }
  }
  if (gate_.stopped()) return;
  pass_over("the poll before took too long");
  // Without a connection `connect` has the word.
  if (client_.is_open() || all_silent()) tell_units();
}

bool ModbusSource::poll_unit(Unit& unit, std::int64_t point) {
  const SteadyTime began = steady_now();
  const UnitAnswer answer = read(unit);
  if (answer.kind == UnitAnswer::Kind::kStopped) return true;
  if (answer.kind == UnitAnswer::Kind::kBroken) {
    lost(fmt::format("{}: {}", options_.url, answer.trouble));
    return false;
  }
  settle(unit, answer);
  if (answer.kind == UnitAnswer::Kind::kRow)
    append(answer.payload, encode_poll_facts({unit.number, point, micros_since(began)}));
  return true;
}

/// A unit that was silent before is asked once: the others are not to wait for it at every try.
UnitAnswer ModbusSource::read(const Unit& unit) {
  Attempts left{.retries = unit.silent ? 0 : options_.retries};
  return reader_.read([&](const ReadRequest& request, std::span<std::uint16_t> words) {
    return ask(unit, left, request, words);
  });
}

/// A device may have closed a connection that was idle since the last poll: it is asked once more over a new
/// one, which is no retry. kBroken: none comes about.
ReadOutcome ModbusSource::ask(const Unit& unit, Attempts& left, const ReadRequest& request,
                              std::span<std::uint16_t> words) {
  using Kind = ReadOutcome::Kind;
  while (true) {
    if (!client_.is_open())
      if (const Status opened = client_.open(); !opened)
        return {gate_.stopped() ? Kind::kStopped : Kind::kBroken, 0, opened.error().message};
    ReadOutcome outcome = client_.read(unit.number, request, words);
    const bool broken = outcome.kind == Kind::kBroken;
    if (!broken && !outcome.is_silence()) return outcome;
    std::uint32_t& attempts = broken ? left.connections : left.retries;
    if (attempts == 0) {
      // Connections come about and end at this unit's request.
      if (broken) outcome.kind = Kind::kSilent;
      return outcome;
    }
    --attempts;
  }
}

void ModbusSource::settle(Unit& unit, const UnitAnswer& answer) {
  unit.trouble = answer.trouble;
  unit.silent = answer.kind == UnitAnswer::Kind::kSilent;
  if (unit.silent) {
    const Micros rest = unit.backoff.next();
    unit.rests_until = steady_now() + rest;
    unit.trouble += fmt::format(", next try in {}", shown_wait(rest));
  } else {
    unit.backoff.reset();
  }
  if (!unit.trouble.empty()) missed(1, fmt::format("unit {}: {}", unit.number, unit.trouble));
}

void ModbusSource::append(const std::string& payload, const std::string& attributes) {
  const std::int64_t now = now_();
  while (!gate_.stopped()) {
    const Appended appended = intake_->append(payload, {}, attributes, now);
    if (appended == Appended::kStored) return;
    if (!wait_for_intake(appended) || appended == Appended::kAboveHigh) return;
  }
}

bool ModbusSource::wait_for_intake(Appended appended) {
  const SourceHealth before = health();
  tell(Link::kPaused, appended == Appended::kFailed ? "the disk refuses the journal: nothing is polled"
                                                    : "the journal is nearly full: nothing is polled");
  const bool goes_on = appended == Appended::kFailed ? gate_.wait_for(kDiskRetry) : gate_.wait_for_room();
  if (!goes_on) return false;
  tell(before.link, before.detail);
  pass_over("the journal was full");
  return true;
}

void ModbusSource::pass_over(std::string_view why) {
  schedule_.pass(now_());
  const std::int64_t points = schedule_.take_passed(micros_since(std::exchange(counted_, steady_now())));
  if (points == 0) return;
  missed(static_cast<std::uint64_t>(points) * units_.size(),
         fmt::format("{} polls passed over: {}", points, why));
}

// ---- Health ----------------------------------------------------------------------------------------------

void ModbusSource::tell(Link link, std::string detail) {
  const std::scoped_lock lock(mutex_);
  health_.link = link;
  health_.detail = std::move(detail);
}

void ModbusSource::connected(std::string trouble) {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(health_.link, Link::kConnected) != Link::kConnected) ++health_.connects;
  health_.trouble = std::move(trouble);
  health_.detail = health_.trouble.empty() ? options_.url : health_.trouble;
}

void ModbusSource::lost(const std::string& why) {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(health_.link, Link::kLost) == Link::kConnected) {
    ++health_.losses;
    health_.last_loss = why;
  }
  health_.detail = why;
}

void ModbusSource::missed(std::uint64_t polls, std::string what) {
  const std::scoped_lock lock(mutex_);
  health_.missed += polls;
  health_.last_miss = std::move(what);
}

std::string ModbusSource::troubles() const {
  constexpr std::size_t kTold = 4;
  std::string text;
  std::size_t found = 0;
  for (const Unit& unit : units_) {
    if (unit.trouble.empty() || ++found > kTold) continue;
    text += fmt::format("{}unit {}: {}", text.empty() ? "" : "; ", unit.number, unit.trouble);
  }
  if (found > kTold) text += fmt::format("; and {} more units", found - kTold);
  return text;
}

void ModbusSource::tell_units() {
  if (all_silent())
    lost(fmt::format("{}: {}", options_.url, troubles()));
  else
    connected(troubles());
}

}  // namespace

SourceConnector modbus_source_connector() {
  SourceConnector connector;
  connector.info = {
      .name = "modbus",
      .doc = "Polls the registers of devices, over TCP or a serial line (RTU): a row per unit and poll.",
      .can_read = true,
      .source_options = [] { return modbus_options().docs(); },
      .validate_source = [](const OptionMap& map, const std::vector<OptionDoc>& foreign,
                            std::vector<OptionError>& errors) { read_modbus_options(map, foreign, errors); },
      .validate_table = check_modbus_columns,
      .metadata = modbus_metadata_columns,
      .bounded = [](const OptionMap&) { return false; }};
  connector.intake = IntakeKind::kJournal;
  connector.framing = formats::Framing::kMessage;
  connector.build = ModbusSource::build;
  connector.intake_options = [](const OptionMap& map) { return intake_options_of(read_modbus_options(map)); };
  return connector;
}

}  // namespace leat::sources
