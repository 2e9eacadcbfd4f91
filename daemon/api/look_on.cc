// Looking on at what runs (tail), and trying a query on it (trial).
#include <fmt/format.h>

#include <algorithm>

#include "daemon/api/gate.h"
#include "daemon/api/json_text.h"
#include "daemon/api/members.h"
#include "daemon/api/row_events.h"
#include "daemon/api/sql_errors.h"
#include "daemon/api/trial_text.h"
#include "daemon/runtime/trial.h"
#include "pipelines/base/nearest.h"
#include "pipelines/plan/lookup_node.h"
#include "pipelines/plan/node_build.h"
#include "sources/source.h"

namespace leat::api {
namespace {

using runtime::PlannedPipeline;

Response refused(const Error& error) {
  return problem(status_of(error.code), "no rows can be shown", error.message);
}

/// What lives as long as an answer with rows.
struct Kept {
  Gate::Pass tail;
  Gate::Pass trial_pass;
  std::unique_ptr<runtime::Trial> trial;
};

// ---- Where the rows of a trial's tables come from --------------------------------------------------------

/// The tables of a plan in which rows are looked up.
std::vector<std::shared_ptr<const plan::ScanNode>> looked_up(const plan::Plan& plan) {
  std::vector<std::shared_ptr<const plan::ScanNode>> tables;
  plan::for_each_node(plan, [&](const plan::NodePtr& node) {
    if (node->kind == plan::NodeKind::kLookupTable)
      tables.push_back(static_cast<const plan::LookupTableNode&>(*node).scan);
  });
  return tables;
}

/// It is the same table: a text of the API must not make the daemon open what no pipeline opens.
bool same_table(const plan::ScanNode& a, const plan::ScanNode& b) {
  return a.table == b.table && a.connector == b.connector && a.options == b.options;
}

/// The pipeline that reads (or looks up in) the very same table; null: none does.
const PlannedPipeline* user_of(const plan::ScanNode& scan, const std::vector<PlannedPipeline>& pipelines) {
  for (const PlannedPipeline& each : pipelines) {
    const auto is_it = [&](const auto& other) { return same_table(*other, scan); };
    if (std::ranges::any_of(each.plan.scans, is_it) || std::ranges::any_of(looked_up(each.plan), is_it))
      return &each;
  }
  return nullptr;
}

/// They take nothing from anybody and open nothing that the text names.
bool is_harmless(const plan::ScanNode& scan) {
  return scan.connector == "datagen" || scan.connector == "sqlite";
}

class TrialTables {
 public:
  TrialTables(const ApiContext& context, const std::vector<PlannedPipeline>& pipelines,
              runtime::TrialSetup& setup)
      : context_(context), pipelines_(pipelines), setup_(setup) {}

  /// Errors: invalid (a table without rows), and of Host::tap.
  Status connect() {
    for (const auto& scan : setup_.plan.scans) {
      if (setup_.pasted.contains(scan->table)) continue;
      LEAT_TRY(connect(*scan));
    }
    LEAT_TRY(connect_lookups());
    return unknown_input();
  }

 private:
  Status connect(const plan::ScanNode& scan) {
    if (is_harmless(scan)) return {};
    const PlannedPipeline* user = user_of(scan, pipelines_);
    if (user == nullptr) return no_rows(scan);
    const sources::SourceConnector* connector = sources::find_source(scan.connector);
    if (connector == nullptr) return {};
    // Who could read again by itself does; a stream has its readers' places, and a trial is none of them.
    if (connector->intake == sources::IntakeKind::kMemory && scan.connector != "stream") return {};
    LEAT_ASSIGN(setup_.live[scan.table], context_.host->tap(user->name, {scan.table}));
    return {};
  }
  /// The trial asks the daemon's tables or its own.
  [[nodiscard]] Status connect_lookups() const {
    const auto tables = looked_up(setup_.plan);
    const auto is_pasted = [&](const auto& scan) { return setup_.pasted.contains(scan->table); };
    const bool any_pasted = std::ranges::any_of(tables, is_pasted);
    for (const auto& scan : tables) {
      if (is_pasted(scan)) continue;
      if (any_pasted && scan->connector == "sqlite")
        return fail(ErrorCode::kInvalid,
                    fmt::format("paste rows for '{}', too, as for the other table in which "
                                "rows are looked up; or for none of them",
                                scan->table));
      if (!is_harmless(*scan) && user_of(*scan, pipelines_) == nullptr) return no_rows(*scan);
    }
    return {};
  }
  static Status no_rows(const plan::ScanNode& scan) {
    return fail(ErrorCode::kInvalid,
                fmt::format("no pipeline reads '{0}' from '{1}' with these options: paste rows for it "
                            "('input'), or name a pipeline that has the table ('pipeline')",
                            scan.table, scan.connector));
  }
  [[nodiscard]] Status unknown_input() const {
    std::vector<std::string> known;
    for (const auto& scan : setup_.plan.scans) known.push_back(scan->table);
    for (const auto& scan : looked_up(setup_.plan)) known.push_back(scan->table);
    for (const auto& [table, text] : setup_.pasted)
      if (std::ranges::find(known, table) == known.end())
        return fail(ErrorCode::kInvalid,
                    fmt::format("'input' has rows for '{}', which the query does not read{}", table,
                                did_you_mean(table, known)));
    return {};
  }

  const ApiContext& context_;
  const std::vector<PlannedPipeline>& pipelines_;
  runtime::TrialSetup& setup_;
};

// ---- Members of a trial's body ---------------------------------------------------------------------------

constexpr std::int64_t kUsualSeconds = 10;
constexpr std::int64_t kMostSeconds = 60;
constexpr std::int64_t kUsualRows = 1'000;
constexpr std::int64_t kMostRows = 10'000;

struct Wanted {
  std::string sql;
  std::string pipeline;
  std::string table;
  std::map<std::string, std::string> input;
  std::int64_t seconds = 0;
  std::int64_t rows = 0;
};

Status read_input(const Request& request, std::map<std::string, std::string>& input) {
  const auto member = request.body.find("input");
  if (member == request.body.end()) return {};
  if (!member->is_object())
    return fail(ErrorCode::kInvalid, "'input' is an object: table names and their rows");
  for (const auto& [table, text] : member->items()) {
    if (!text.is_string())
      return fail(ErrorCode::kInvalid, fmt::format("'input': the rows of '{}' are a text", table));
    input[table] = text.get<std::string>();
  }
  return {};
}

Result<Wanted> read_wanted(const Request& request) {
  Wanted wanted;
  LEAT_ASSIGN(wanted.sql, required_text(request, "sql"));
  LEAT_ASSIGN(wanted.pipeline, text_member(request, "pipeline"));
  LEAT_ASSIGN(wanted.table, text_member(request, "table"));
  LEAT_TRY(read_input(request, wanted.input));
  LEAT_ASSIGN(wanted.seconds, number_member(request, "seconds", {1, kMostSeconds, kUsualSeconds}));
  LEAT_ASSIGN(wanted.rows, number_member(request, "rows", {1, kMostRows, kUsualRows}));
  return wanted;
}

/// Null: there is none of that name.
const PlannedPipeline* find(const std::vector<PlannedPipeline>& pipelines, const std::string& name) {
  const auto found = std::ranges::find(pipelines, PipelineName{name}, &PlannedPipeline::name);
  return found == pipelines.end() ? nullptr : &*found;
}

Response no_pipeline(const std::string& name) {
  return problem(404, "no such pipeline", "there is no pipeline '" + name + "'");
}

Response too_many_trials(const ApiContext& context) {
  return busy(fmt::format("{} trials run, which is all that do at once", context.gates->trials.most()));
}

Response begin_trial(std::shared_ptr<Kept> kept, runtime::TrialSetup setup,
                     const std::vector<plan::Message>& warnings) {
  auto trial = runtime::Trial::start(std::move(setup));
  if (!trial) return problem(503, "the trial cannot be begun", trial.error().message);
  kept->trial = *std::move(trial);
  for (const plan::Message& warning : warnings) kept->trial->channel()->note(warning.text);
  return row_events(kept->trial->channel(), kept);
}

/// Why a pipeline's views show nothing; empty: it runs.
std::string idleness(const ApiContext& context, const PipelineName& pipeline) {
  using State = runtime::PipelineState;
  for (const runtime::PipelineStatus& status : context.host->statuses())
    if (status.name == pipeline && status.state != State::kRunning && status.state != State::kStalled)
      return fmt::format("pipeline '{}' is {}: no rows pass", pipeline.value, to_string(status.state));
  return {};
}

/// A view has no rows of its own in the plan: its query is tried, from now on, with state that begins empty.
Response tail_view(const ApiContext& context, const PlannedPipeline& pipeline, const std::string& view,
                   std::shared_ptr<Kept> kept, const std::vector<PlannedPipeline>& pipelines) {
  if (const std::string why = idleness(context, pipeline.name); !why.empty())
    return problem(409, "no rows can be shown", why);
  kept->trial_pass = context.gates->trials.enter();
  if (!kept->trial_pass) return too_many_trials(context);
  std::string quoted;
  for (const char c : view) quoted += c == '`' ? std::string("``") : std::string(1, c);
  TrialPlan planned = plan_trial(declarations_of(pipeline.text), "SELECT * FROM `" + quoted + "`");
  if (!planned.ok()) return sql_problem(planned.messages);
  runtime::TrialSetup setup{.plan = std::move(planned.plan), .tables = &context.store->tables()};
  if (const Status connected = TrialTables(context, pipelines, setup).connect(); !connected)
    return problem(status_of(connected.error().code), "no rows can be shown", connected.error().message);
  return begin_trial(std::move(kept), std::move(setup), {});
}

}  // namespace

Response tail(const ApiContext& context, const Request& request) {
  const std::string& table = request.parts.at(0);
  const auto pipeline = text_member(request, "pipeline");
  auto kept = std::make_shared<Kept>();
  kept->tail = context.gates->tails.enter();
  if (!kept->tail)
    return busy(fmt::format("{} look on, which is all that may at once", context.gates->tails.most()));
  const auto named = pipeline->empty() ? std::nullopt : std::optional(PipelineName{*pipeline});
  auto channel = context.host->tail(named, {table});
  if (channel) return row_events(*std::move(channel), kept);
  if (channel.error().code != ErrorCode::kNotFound) return refused(channel.error());
  const auto pipelines = context.host->plans();
  if (!pipelines) return refused(pipelines.error());
  for (const PlannedPipeline& each : *pipelines)
    if ((!named || each.name == *named) && declares_view(each.text, table))
      return tail_view(context, each, table, std::move(kept), *pipelines);
  return refused(channel.error());
}

Response trial(const ApiContext& context, const Request& request) {
  const auto wanted = read_wanted(request);
  if (!wanted) return wrong_member(wanted.error());
  auto kept = std::make_shared<Kept>();
  kept->trial_pass = context.gates->trials.enter();
  if (!kept->trial_pass) return too_many_trials(context);
  const auto pipelines = context.host->plans();
  if (!pipelines) return refused(pipelines.error());
  const PlannedPipeline* pipeline = find(*pipelines, wanted->pipeline);
  if (pipeline == nullptr && !wanted->pipeline.empty()) return no_pipeline(wanted->pipeline);
  TrialPlan planned =
      plan_trial(pipeline == nullptr ? std::string() : declarations_of(pipeline->text), wanted->sql);
  if (!planned.ok()) return sql_problem(planned.messages);
  const auto sink = shown_sink(planned.plan, wanted->table);
  if (!sink) return sql_problem(wanted->sql, std::nullopt, sink.error().message);
  runtime::TrialSetup setup{.plan = std::move(planned.plan),
                            .sink = *sink,
                            .pasted = wanted->input,
                            .live = {},
                            .tables = &context.store->tables(),
                            .time = wanted->seconds * kMicrosPerSecond,
                            .rows = static_cast<std::uint64_t>(wanted->rows)};
  if (const Status connected = TrialTables(context, *pipelines, setup).connect(); !connected) {
    if (connected.error().code != ErrorCode::kInvalid) return refused(connected.error());
    return sql_problem(wanted->sql, std::nullopt, connected.error().message);
  }
  return begin_trial(std::move(kept), std::move(setup), planned.messages);
}

}  // namespace leat::api
