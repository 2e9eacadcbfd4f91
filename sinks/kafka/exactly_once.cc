#include "sinks/kafka/exactly_once.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "pipelines/base/fault_point.h"
#include "sinks/connector.h"
#include "sinks/kafka/kafka_outcome.h"
#include "sinks/kafka/kafka_search.h"

namespace leat::sinks {

namespace {

using Decision = Shipment::Decision;
using Kind = TransactionError::Kind;
using Question = Held::Question;

constexpr int kClusterMillis = 5'000;
/// So old may be where a search would begin, against topics that forget by age.
constexpr std::int64_t kEndsAge = 3'600LL * kMicrosPerSecond;

std::int64_t monotonic_micros() {
  return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string random_claim() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Retry retry(std::string reason, bool paused = false) {
  return Retry{"kafka: " + std::move(reason), std::nullopt, paused};
}

std::string cluster_of(rd_kafka_s& client) {
  char* id = rd_kafka_clusterid(&client, kClusterMillis);
  if (id == nullptr) return {};
  std::string cluster = id;
  rd_kafka_mem_free(&client, id);
  return cluster;
}

bool is_unsupported(int code) {
  return code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE || code == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION;
}

/// The shipment's name as the store of this id gave it to its messages.
std::string name_under(const SinkContext& context, const Shipment& shipment, const std::string& store) {
  Shipment named{.store = {store}, .number = shipment.number, .blocks = {}, .sink_state = {}};
  named.part = shipment.part;
  return shipment_name(context, named);
}

}  // namespace

std::string transactional_id(const KafkaOptions& options, const SinkContext& context,
                             const std::string& store) {
  return joined_name({options.transactional_id_prefix, store, context.pipeline.value, context.table.value},
                     ':');
}

ExactlyOnce::ExactlyOnce(const KafkaOptions& options, const SinkContext& context,
                         const std::atomic<bool>& interrupted)
    : options_(options), context_(context), interrupted_(interrupted), claim_(random_claim()) {}

Delivery ExactlyOnce::deliver(const Shipment& shipment) {
  auto read = read_unit(shipment);
  if (auto* refused = std::get_if<Delivery>(&read)) return *refused;
  const Unit& unit = std::get<Unit>(read);
  if (shipment.decision != Decision::kNone && fenced_) close();
  if (shipment.attempt == 1) untried_ = unit.unit;
  if (fenced_)
    if (Step step = leave_if_fenced()) return *step;
  if (!session_)
    if (Step step = open()) return *step;
  if (shipment.decision == Decision::kSkip) return skip(unit);
  const bool resend = shipment.decision == Decision::kResend;
  if (shipment.origin == Shipment::Origin::kInherited && !resend)
    if (Step step = inherit(unit)) return *step;
  if (!sure_)
    if (Step step = find_out(unit)) return *step;
  if (Step step = refresh_ends()) return *step;
  sure_ = true;
  return attempt(unit);
}

ExactlyOnce::Or<ExactlyOnce::Unit> ExactlyOnce::read_unit(const Shipment& shipment) const {
  Unit unit{.shipment = &shipment, .records = {}, .unit = {}, .state = {}};
  auto records = read_blocks(shipment.blocks);
  if (!records) return Delivery(retry(records.error().message, /*paused=*/true));
  unit.records = *std::move(records);
  auto state = decode_state(shipment.sink_state);
  const bool decided = shipment.decision == Decision::kResend || shipment.decision == Decision::kSkip;
  if (!state && !decided) return Delivery(Held{state.error().message, Question::kHasItArrived});
  if (state) unit.state = *std::move(state);
  unit.unit = unit_name(shipment, unit.records);
  return unit;
}

// --- Sessions -------------------------------------------------------------------------------------------

ExactlyOnce::Or<ExactlyOnce::Session> ExactlyOnce::make_session(const std::string& store) {
  const std::string id = transactional_id(options_, context_, store);
  auto conf = producer_conf(options_, id, DeliveryGuarantee::kExactlyOnce);
  if (!conf) return Delivery(retry(conf.error().message, /*paused=*/true));
  auto producer = KafkaProducer::make(*std::move(conf), options_.topic, options_.keys);
  if (!producer) return Delivery(retry(producer.error().message, /*paused=*/true));
  Session session;
  session.producer = *std::move(producer);
  session.transactions = std::make_unique<KafkaTransactions>(
      session.producer->client(), id, session.producer->limit(),
      [this, made = session.producer.get()] { return interrupted_ || made->human_needed(); });
  const TransactionStatus ready = session.transactions->init();
  if (ready) return session;
  unsupported_ = is_unsupported(ready.error().code);
  const std::string& event = session.producer->event_reason();
  const bool human = clients::judge_kafka_error(ready.error().code) == clients::KafkaFault::kHumanNeeded ||
                     session.producer->human_needed();
  return Delivery(retry(fmt::format("no transactions yet: {}{}", ready.error().text,
                                    event.empty() ? "" : fmt::format(" ({})", event)),
                        human));
}

ExactlyOnce::Step ExactlyOnce::open() {
  auto made = make_session(context_.store.value);
  if (auto* refused = std::get_if<Delivery>(&made)) return *refused;
  session_ = std::move(std::get<Session>(made));
  cluster_ = cluster_of(session_->producer->client());
  ends_at_ = 0;
  sure_ = false;
  return std::nullopt;
}

void ExactlyOnce::close() {
  session_.reset();
  fenced_ = false;
  sure_ = false;
}

// The offset tells who did it: it is as we know it when the coordinator ended a transaction that took too
// long, and another when somebody has gone on under our identity.
ExactlyOnce::Step ExactlyOnce::leave_if_fenced() {
  auto read = read_group(*session_, options_.topic);
  if (auto* failed = std::get_if<Delivery>(&read)) return *failed;
  const auto& now = std::get<std::optional<std::string>>(read);
  const auto progress = now ? read_progress(*now) : std::nullopt;
  if (now == seen_ || (progress && progress->claim == claim_)) {
    close();
    return std::nullopt;
  }
  return Held{fmt::format("fenced: another process delivers as '{}'; stop it, or give one of the two another "
                          "'sink.transactional-id-prefix'",
                          transactional_id(options_, context_, context_.store.value)),
              Question::kWhoIsRight};
}

// --- What became of it ----------------------------------------------------------------------------------

ExactlyOnce::Or<std::optional<std::string>> ExactlyOnce::read_group(Session& session,
                                                                    const std::string& topic) {
  auto metadata = session.transactions->committed(topic);
  if (!metadata) return Delivery(retry("the last number cannot be read: " + metadata.error().message));
  return *std::move(metadata);
}

/// The last unit under our identity, on the topic of now or, when it was changed, of before.
ExactlyOnce::Or<std::optional<std::string>> ExactlyOnce::arrived(const Unit& unit) {
  auto read = read_group(*session_, options_.topic);
  if (std::holds_alternative<Delivery>(read)) return read;
  seen_ = std::get<std::optional<std::string>>(read);
  const auto unit_in = [](const std::optional<std::string>& metadata) -> std::optional<std::string> {
    if (!metadata) return std::nullopt;
    const auto progress = read_progress(*metadata);
    return progress ? progress->unit : *metadata;
  };
  const auto here = unit_in(seen_);
  const bool moved = !unit.state.topic.empty() && unit.state.topic != options_.topic;
  if (!moved || here == unit.unit || (here && *here == unit.state.unit)) return here;
  auto before = read_group(*session_, unit.state.topic);
  if (std::holds_alternative<Delivery>(before)) return before;
  const auto there = unit_in(std::get<std::optional<std::string>>(before));
  return there ? there : here;
}

ExactlyOnce::Step ExactlyOnce::find_out(const Unit& unit) {
  // Also a shipment that somebody decided to send again may have arrived, by an attempt since the decision.
  const bool resend = unit.shipment->decision == Decision::kResend;
  auto last = arrived(unit);
  if (auto* failed = std::get_if<Delivery>(&last)) return *failed;
  const bool same_store = unit.state.store == context_.store.value;
  const Evidence evidence{.unit = unit.unit,
                          .last = same_store ? unit.state.unit : std::string(),
                          .arrived = std::get<std::optional<std::string>>(last),
                          .untried = untried_ == unit.unit};
  const Verdict verdict = judge(evidence);
  if (verdict == Verdict::kSettled) return Delivered{encode_state(next_state(unit, unit.unit))};
  if (verdict == Verdict::kSend || resend) return std::nullopt;
  return search_for(unit, evidence, context_.store.value);
}

ExactlyOnce::Step ExactlyOnce::search_for(const Unit& unit, const Evidence& evidence,
                                          const std::string& store) {
  const std::string stands = evidence.arrived
                                 ? fmt::format("Kafka stands at {}", *evidence.arrived)
                                 : "its number in Kafka is gone (expired, or the group was deleted)";
  const auto held = [&](std::string_view why) {
    return Held{fmt::format("shipment {} was perhaps delivered: {}, the store before it at '{}'; {}",
                            unit.unit, stands, evidence.last, why),
                Question::kHasItArrived};
  };
  if (!unit.state.cluster.empty() && unit.state.cluster != cluster_) {
    if (evidence.untried && !evidence.arrived) return std::nullopt;
    return held(fmt::format("it was tried in cluster {}, this is {}", unit.state.cluster, cluster_));
  }
  auto conf = producer_conf(options_, "leat-search", DeliveryGuarantee::kNone);
  if (!conf) return retry(conf.error().message, /*paused=*/true);
  const std::string name = name_under(context_, *unit.shipment, store);
  const std::string& topic = unit.state.topic.empty() ? options_.topic : unit.state.topic;
  const auto found = search(*std::move(conf), {topic, name, unit.records, unit.state.ends}, interrupted_);
  if (!found) return retry(found.error().message);
  switch (*found) {
    case Found::kShipment:
      return Delivered{encode_state(next_state(unit, unit.unit))};
    case Found::kNothing:
      if (!evidence.arrived) return std::nullopt;
      return held("the topic has no message of it, so another history of this store has gone on");
    case Found::kAnother:
      return held("the topic has other messages of its name, so another history of this store has gone on");
    case Found::kGap:
      break;
  }
  return held("the topic does not reach back to it any more");
}

// Records that waited in the store before its id was renewed: the old identity is ended before they go.
ExactlyOnce::Step ExactlyOnce::inherit(const Unit& unit) {
  const KafkaState& state = unit.state;
  const bool renewed = state.store != context_.store.value;
  if (!renewed && state.former.empty()) return std::nullopt;
  const std::string& former = renewed ? state.store : state.former;
  if (former.empty() || (renewed && !state.former.empty()))
    return Held{
        "these records waited when the store got its new id, and nothing tells whether the store it "
        "comes from has delivered them",
        Question::kHasItArrived};
  auto made = make_session(former);
  if (auto* failed = std::get_if<Delivery>(&made)) return *failed;
  Session& old = std::get<Session>(made);
  auto read = read_group(old, state.topic);
  if (auto* failed = std::get_if<Delivery>(&read)) return *failed;
  const auto& metadata = std::get<std::optional<std::string>>(read);
  const auto progress = metadata ? read_progress(*metadata) : std::nullopt;
  const Evidence evidence{.unit = unit.unit,
                          .last = renewed ? state.unit : state.former_unit,
                          .arrived = progress ? std::optional(progress->unit) : metadata};
  if (evidence.arrived == taken_over_by(context_.store)) return std::nullopt;
  const Verdict verdict = judge(evidence);
  if (verdict != Verdict::kSearch)
    if (Step failed = mark_taken(old, unit)) return failed;
  if (verdict == Verdict::kSend) return std::nullopt;
  if (verdict == Verdict::kSettled) return Delivered{encode_state(next_state(unit, {}))};
  if (Step found = search_for(unit, evidence, former)) {
    // The old identity has gone further than this shipment: the next one is looked for, too.
    if (std::holds_alternative<Delivered>(*found)) return Delivered{encode_state(state)};
    return found;
  }
  return Held{fmt::format("these records waited when the store got its new id; what '{}' has delivered since "
                          "is not known any more",
                          former),
              Question::kHasItArrived};
}

ExactlyOnce::Step ExactlyOnce::mark_taken(Session& old, const Unit& unit) {
  KafkaTransactions& transactions = *old.transactions;
  const std::string mark = write_progress({claim_, taken_over_by(context_.store)});
  TransactionStatus done = transactions.begin();
  if (done) done = transactions.send_progress(unit.state.topic, unit.shipment->number.value, mark);
  if (done) done = transactions.commit();
  if (done) return std::nullopt;
  return retry("the store's former identity cannot be ended yet: " + done.error().text);
}

// The state goes on from what stands in Kafka, so that the next shipment finds the unit before it.
Delivery ExactlyOnce::skip(const Unit& unit) {
  auto last = arrived(unit);
  if (auto* failed = std::get_if<Delivery>(&last)) return *failed;
  sure_ = false;
  return Delivered{encode_state(next_state(unit, std::get<std::optional<std::string>>(last).value_or("")))};
}

// --- One transaction ------------------------------------------------------------------------------------

ExactlyOnce::Step ExactlyOnce::refresh_ends() {
  if (ends_at_ != 0 && monotonic_micros() - ends_at_ < kEndsAge) return std::nullopt;
  auto ends = ends_of(session_->producer->client(), options_.topic);
  if (!ends) return retry(ends.error().message);
  ends_ = *std::move(ends);
  ends_at_ = monotonic_micros();
  return std::nullopt;
}

Delivery ExactlyOnce::attempt(const Unit& unit) {
  KafkaProducer& producer = *session_->producer;
  KafkaTransactions& transactions = *session_->transactions;
  const std::string name = shipment_name(context_, *unit.shipment);
  const Headers common{{"leat-gateway", context_.gateway_id}, {"leat-shipment", name}};
  if (const auto begun = transactions.begin(); !begun) return failed(begun.error(), "begin");
  LEAT_FAULT_POINT("kafka.begun");
  untried_.clear();
  if (!producer.hand_over(unit.records, common, interrupted_))
    return give_up(producer.await_all_or_first_failure(interrupted_));
  LEAT_FAULT_POINT("kafka.handed-over");
  const std::string progress = write_progress({claim_, unit.unit});
  // The number and the reports are waited for at the same time, unless the topic only comes into being now.
  ProduceReport report;
  if (ends_.empty()) report = producer.await_all_or_first_failure(interrupted_);
  if (!report.failed.empty() || (ends_.empty() && !producer.quiet())) return give_up(report);
  const auto sent = transactions.send_progress(options_.topic, unit.shipment->number.value, progress);
  if (!sent && sent.error().kind != Kind::kAbort) return failed(sent.error(), "send the number of");
  if (sent) LEAT_FAULT_POINT("kafka.number-sent");
  if (!ends_.empty()) report = producer.await_all_or_first_failure(interrupted_);
  if (!report.failed.empty() || !producer.quiet()) return give_up(report);
  if (!sent) return failed(sent.error(), "send the number of");
  LEAT_FAULT_POINT("kafka.before-commit");
  if (const auto done = transactions.commit(); !done) return failed(done.error(), "commit");
  LEAT_FAULT_POINT("kafka.committed");
  seen_ = progress;
  return delivered(unit, report);
}

/// Aborts: what the broker took of it is void. Records that it refuses are found by bisecting, since here the
/// others did not arrive.
Delivery ExactlyOnce::give_up(const ProduceReport& report) {
  const auto aborted = session_->transactions->abort();
  if (!aborted && aborted.error().kind == Kind::kFenced) return failed(aborted.error(), "abort");
  if (!aborted || !session_->producer->quiet()) close();
  if (interrupted_ || report.failed.empty())
    return retry(report.event_reason.empty() ? "out of time" : report.event_reason,
                 clients::judge_kafka_error(report.event_code) == clients::KafkaFault::kHumanNeeded);
  Delivery outcome = outcome_of(report);
  if (auto* rejected = std::get_if<Rejected>(&outcome)) rejected->records.clear();
  return outcome;
}

Delivery ExactlyOnce::failed(const TransactionError& error, std::string_view doing) {
  if (error.kind == Kind::kAbort) {
    const auto aborted = session_->transactions->abort();
    if (!aborted || !session_->producer->quiet()) close();
  } else if (error.kind == Kind::kFenced) {
    fenced_ = true;
    if (Step held = leave_if_fenced()) return *held;
    return retry("the broker ended the transaction, which took too long");
  } else {
    close();
  }
  const bool human = clients::judge_kafka_error(error.code) == clients::KafkaFault::kHumanNeeded;
  return retry(fmt::format("cannot {} the transaction: {}", doing, error.text), human);
}

Delivery ExactlyOnce::delivered(const Unit& unit, const ProduceReport& report) {
  if (ends_.size() < report.ends.size()) ends_.resize(report.ends.size());
  for (std::size_t i = 0; i < report.ends.size(); ++i) ends_[i] = std::max(ends_[i], report.ends[i]);
  KafkaState next = next_state(unit, unit.unit);
  next.topic = options_.topic;
  next.cluster = cluster_;
  next.ends = ends_;
  return Delivered{encode_state(next)};
}

KafkaState ExactlyOnce::next_state(const Unit& unit, std::string last) const {
  KafkaState next = unit.state;
  const bool renewed = !next.store.empty() && next.store != context_.store.value;
  if (unit.shipment->origin == Shipment::Origin::kInherited) {
    next.former = next.former_unit = {};  // The old identity was ended, or somebody has decided.
  } else if (renewed) {
    next.former = unit.state.store;
    next.former_unit = unit.state.unit;
  }
  next.store = context_.store.value;
  next.unit = std::move(last);
  if (next.topic.empty()) next.topic = options_.topic;
  if (next.cluster.empty()) next.cluster = cluster_;
  return next;
}

}  // namespace leat::sinks
