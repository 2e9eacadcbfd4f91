// The statements of a pipeline file, in order: declarations fill the namespace, INSERTs become sinks.
// Settings are read first, as they hold for the whole file.
#include "pipelines/plan/planner.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/bind_hints.h"
#include "pipelines/plan/bind_insert.h"
#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/bind_settings.h"
#include "pipelines/plan/emit_settings.h"
#include "pipelines/plan/late_rows.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/normalize_node.h"
#include "pipelines/plan/rewrite.h"
#include "pipelines/plan/stall_warnings.h"
#include "pipelines/plan/table.h"
#include "pipelines/plan/table_nodes.h"
#include "pipelines/sql/parser.h"
#include "pipelines/sql/secret_text.h"

namespace leat::plan {
namespace {

class Planner final : public TableLookup {
 public:
  Planner(const PlanRequest& request, const BindContext& context) : request_(request), context_(context) {}

  void bind(const sql::Script& script) {
    for (const sql::Name& name : script.unreadable) unreadable_.insert(name.table_key());
    for (const sql::StatementPtr& statement : script.statements) bind_statement(*statement);
    bind_late_rows(script);
    for (const auto& table : tables_) check_options(*table, context_);
    check_bounded();
    check_nodes(script);
    warn_of_stalls(sinks_, tables_read_by(sinks_), context_);
    warn_of_emit(script, all_sinks(), context_);
    const bool something = !sinks_.empty() || explained_any_ || context_.diagnostics.has_errors();
    if (!something)
      context_.diagnostics.error({}, "nothing to run: there is no INSERT INTO",
                                 "a pipeline ends in INSERT INTO <table> SELECT …");
  }

  [[nodiscard]] bool reads_without_end() const {
    return std::ranges::any_of(tables_read_by(all_sinks()),
                               [](const Table* table) { return !table->scan->bounded; });
  }

  Plan finish(OptionMap settings) {
    Plan plan = plan_of(sinks_);
    plan.settings = std::move(settings);
    return plan;
  }
  /// Answers to EXPLAIN; only meaningful when there was no error.
  std::vector<std::string> explained() const {
    std::vector<std::string> texts;
    for (const Sinks& sinks : explained_) texts.push_back(explain(plan_of(sinks)));
    return texts;
  }

  std::optional<Relation> find_relation(const sql::Name& name, std::span<const sql::Hint> hints) override {
    const std::string key = name.table_key();
    if (const auto view = views_.find(key); view != views_.end()) {
      for (const sql::Hint& hint : hints) refuse_hint(hint, context_);
      return hints.empty() ? view->second : std::nullopt;
    }
    if (Table* table = find_table(key)) {
      Table* const hinted = hinted_table(*table, hints);
      return hinted ? read_table(name, *hinted) : std::nullopt;
    }
    report_unknown(name, "table or view");
    return std::nullopt;
  }

 private:
  using Sinks = std::vector<std::shared_ptr<const SinkNode>>;

  void bind_statement(const sql::Statement& statement) {
    switch (statement.kind) {
      case sql::StatementKind::kCreateTable:
        return create_table(*sql::as<sql::CreateTable>(statement), sinks_);
      case sql::StatementKind::kCreateView:
        return create_view(*sql::as<sql::CreateView>(statement));
      case sql::StatementKind::kDrop:
        return drop(*sql::as<sql::Drop>(statement));
      case sql::StatementKind::kExplain:
        return bind_explain(*sql::as<sql::Explain>(statement));
      case sql::StatementKind::kSelect:
        // What is wrong inside of it is told, too.
        bind_outputs(statement, sinks_);
        if (request_.allow_select) return;
        return context_.diagnostics.error(
            statement.span, "a SELECT alone has nowhere to go in a pipeline",
            "write INSERT INTO <table> SELECT …; `leat run` shows the rows of a SELECT");
      case sql::StatementKind::kInsert:
      case sql::StatementKind::kStatementSet:
        return bind_outputs(statement, sinks_);
      case sql::StatementKind::kSet:
      case sql::StatementKind::kReset:
        return;  // Read before, by bind_settings.
    }
  }

  // ---- Names ---------------------------------------------------------------------------------------------

  Table* find_table(std::string_view name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : found->second;
  }

  /// The table with the options of its hints, made once for equal ones. Null: reported.
  Table* hinted_table(Table& table, std::span<const sql::Hint> hints) {
    if (hints.empty()) return &table;
    const auto key = std::pair(&table, text_of_hints(hints));
    if (const auto known = hinted_.find(key); known != hinted_.end()) return known->second;
    std::unique_ptr<Table> made = with_hints(table, hints, context_);
    if (!made) return nullptr;
    tables_.push_back(std::move(made));
    return hinted_[key] = tables_.back().get();
  }

  /// The same table with other options is another one to whoever reads and writes it.
  void name_uniquely(Table& table) {
    if (!table.unique_name.empty()) return;
    table.unique_name = table.name;
    for (int n = 2; !unique_names_.insert(table.unique_name).second; ++n)
      table.unique_name = table.name + "$" + std::to_string(n);
  }

  std::optional<Relation> read_table(const sql::Name& name, Table& table) {
    if (table.connector && !table.connector->can_read) {
      context_.diagnostics.error(name.span, "'" + table.name + "' cannot be read: the connector '" +
                                                table.connector->name + "' only writes");
      return std::nullopt;
    }
    if (table.broken) return std::nullopt;
    name_uniquely(table);
    NodePtr rows = rows_of(table);
    // A bounded changelog is the table that it leaves.
    if (rows->updating && context_.settings.batch) rows = make_final_rows(std::move(rows));
    Relation relation = plain_relation(std::move(rows));
    if (table.primary_key_definition)
      for (const sql::Identifier& column : table.primary_key_definition->columns)
        relation.primary_key.push_back(table.find(column.text).value());
    return relation;
  }

  /// The table's rows: what its scan gives, as a changelog where that says which rows replace others.
  NodePtr rows_of(Table& table) const {
    const auto scan = scan_of(table);
    if (!scan->deletion) return scan;
    std::vector<std::size_t> keys;
    if (table.primary_key_definition)
      for (const sql::Identifier& column : table.primary_key_definition->columns)
        keys.push_back(table.find(column.text).value());
    return make_normalize(scan, std::move(keys), scan->schema.size() - 1, context_.settings.state_ttl);
  }

  void report_unknown(const sql::Name& name, std::string_view what) const {
    if (unreadable_.contains(name.table_key())) return;
    std::vector<std::string> known;
    for (const auto& [table, ignored] : names_) known.push_back(table);
    for (const auto& [view, ignored] : views_) known.push_back(view);
    context_.diagnostics.error(name.span, "unknown " + std::string(what) + " '" + name.to_string() + "'" +
                                              did_you_mean(name.to_string(), known));
  }

  /// False: the statement is to be left out, because the name is taken.
  bool is_free(const sql::Name& name, sql::IfExists if_exists) const {
    const std::string key = name.table_key();
    if (!names_.contains(key) && !views_.contains(key)) return true;
    if (if_exists == sql::IfExists::kFail)
      context_.diagnostics.error(name.span, "'" + key + "' is declared twice");
    return false;
  }

  /// The rows of CREATE TABLE … AS go to `sinks`.
  void create_table(const sql::CreateTable& statement, Sinks& sinks) {
    if (!is_free(statement.name, statement.if_exists)) return;
    TableOrigin origin{.like = statement.like ? find_table(statement.like->table.table_key()) : nullptr};
    if (statement.like && !origin.like) report_unknown(statement.like->table, "table");
    std::optional<Relation> query;
    if (statement.as) query = QueryBinder(*this, context_).bind(*statement.as->query);
    if (query) origin.as = &query->schema();
    tables_.push_back(bind_table(statement, origin, context_));
    Table& table = *tables_.back();
    names_[statement.name.table_key()] = &table;
    if (!query || table.broken) return;
    if (statement.temporary)
      context_.diagnostics.error(statement.name.span, "CREATE TABLE … AS makes no TEMPORARY table",
                                 "leave TEMPORARY out: every table is the pipeline's own");
    name_uniquely(table);
    add(bind_insert(*statement.as, *query, table, context_), sinks);
  }

  void create_view(const sql::CreateView& statement) {
    if (!is_free(statement.name, statement.if_exists)) return;
    std::optional<Relation> relation = QueryBinder(*this, context_).bind(*statement.query);
    if (relation) relation = rename(std::move(*relation), statement.columns, context_);
    views_[statement.name.table_key()] = std::move(relation);
  }

  void drop(const sql::Drop& statement) {
    const std::string name = statement.name.table_key();
    const bool table = statement.object == sql::Drop::Object::kTable;
    if ((table ? names_.erase(name) : views_.erase(name)) > 0) return;
    if (statement.if_exists == sql::IfExists::kFail) report_unknown(statement.name, table ? "table" : "view");
  }

  // ---- What runs -----------------------------------------------------------------------------------------

  void bind_outputs(const sql::Statement& statement, Sinks& sinks) {
    if (const auto* insert = sql::as<sql::Insert>(statement)) return add(bind_one(*insert), sinks);
    if (const auto* set = sql::as<sql::StatementSet>(statement)) {
      for (const auto& insert : set->inserts) add(bind_one(*insert), sinks);
    } else if (const auto* select = sql::as<sql::SelectStatement>(statement)) {
      const std::optional<Relation> relation = QueryBinder(*this, context_).bind(*select->query);
      if (relation) add(output_of(*relation, context_), sinks);
    } else if (const auto* table = sql::as<sql::CreateTable>(statement); table && table->as) {
      explain_create(*table, sinks);
    } else {
      context_.diagnostics.error(statement.span, "EXPLAIN takes a query, an INSERT or CREATE TABLE … AS");
    }
  }

  /// EXPLAIN makes no table.
  void explain_create(const sql::CreateTable& statement, Sinks& sinks) {
    const std::string key = statement.name.table_key();
    const bool there = find_table(key) != nullptr;
    create_table(statement, sinks);
    if (!there) names_.erase(key);
  }

  static void add(std::shared_ptr<const SinkNode> sink, Sinks& sinks) {
    if (sink) sinks.push_back(std::move(sink));
  }

  bool refuse_clauses(const sql::Insert& insert) const {
    const std::size_t before = context_.diagnostics.error_count();
    if (insert.mode == sql::Insert::Mode::kOverwrite)
      context_.not_yet(insert.span, "INSERT OVERWRITE", "INSERT INTO adds rows");
    if (!insert.partition.empty())
      context_.not_yet(insert.partition[0].column.span, "PARTITION", "give the column a value in the query");
    return context_.diagnostics.error_count() > before;
  }

  std::shared_ptr<const SinkNode> bind_one(const sql::Insert& insert) {
    bool refused = refuse_clauses(insert);
    Table* table = find_table(insert.table.table_key());
    if (table && !insert.hints.empty()) {
      Table* const hinted = hinted_table(*table, insert.hints);
      refused = refused || !hinted;
      if (hinted) table = hinted;
    }
    if (!table && views_.contains(insert.table.table_key()))
      context_.diagnostics.error(insert.table.span,
                                 "'" + insert.table.to_string() + "' is a view; only a table can be written");
    else if (!table)
      report_unknown(insert.table, "table");
    const std::optional<Relation> query = QueryBinder(*this, context_).bind(*insert.query);
    if (!query || !table || refused || table->broken) return nullptr;
    name_uniquely(*table);
    return bind_insert(insert, *query, *table, context_);
  }

  Sinks all_sinks() const {
    Sinks all = sinks_;
    for (const Sinks& sinks : explained_) all.insert(all.end(), sinks.begin(), sinks.end());
    return all;
  }

  void bind_explain(const sql::Explain& statement) {
    explained_any_ = true;
    Sinks sinks;
    bind_outputs(*statement.statement, sinks);
    explained_.push_back(std::move(sinks));
  }

  /// 'leat.late-rows' names a table of the file.
  void bind_late_rows(const sql::Script& script) {
    const std::string& name = context_.settings.late_rows;
    if (name.empty()) return;
    const sql::SourceSpan span = span_of_setting(script, "leat.late-rows");
    if (Table* table = find_table(name)) {
      name_uniquely(*table);
      late_sink_ = bind_late_sink(*table, tables_read_by(sinks_), span, context_);
      return;
    }
    if (unreadable_.contains(name)) return;
    std::vector<std::string> known;
    for (const auto& [table, ignored] : names_) known.push_back(table);
    context_.diagnostics.error(span, "unknown table '" + name + "'" + did_you_mean(name, known));
  }

  // ---- The plan ------------------------------------------------------------------------------------------

  /// Each of them is an operator that runs.
  void check_nodes(const sql::Script& script) const {
    Plan plan;
    plan.sinks = all_sinks();
    std::size_t nodes = 0;
    for_each_node(plan, [&](const NodePtr&) { ++nodes; });
    if (nodes <= kMostNodes || script.statements.empty()) return;
    context_.diagnostics.error(script.statements.back()->span,
                               "the plan of this text has " + std::to_string(nodes) +
                                   " operators; more than " + std::to_string(kMostNodes) + " are too many",
                               "divide it into several pipelines");
  }

  void check_bounded() const {
    if (!context_.settings.batch) return;
    for (const Table* table : tables_read_by(sinks_))
      if (!table->scan->bounded)
        context_.diagnostics.error(
            table->span, "'" + table->name + "' has no end, but 'execution.runtime-mode' is 'batch'",
            "bound the source, or set the mode to 'streaming'");
  }

  /// In order of declaration. A table that only a view reads, which nobody does, is none of them.
  std::vector<const Table*> tables_read_by(const Sinks& sinks) const {
    Plan plan;
    plan.sinks = sinks;
    std::set<const Node*> reached;
    for_each_node(plan, [&](const NodePtr& node) { reached.insert(node.get()); });
    std::vector<const Table*> read;
    for (const auto& table : tables_)
      if (reached.contains(table->scan.get())) read.push_back(table.get());
    return read;
  }

  Plan plan_of(const Sinks& sinks) const {
    Plan plan;
    plan.sinks = sinks;
    for (const Table* table : tables_read_by(sinks)) plan.scans.push_back(table->scan);
    if (late_sink_) {
      plan.late_rows = LateRows{.sink = plan.sinks.size()};
      plan.sinks.push_back(late_sink_);
    }
    rewrite(plan);
    route_late_rows(plan, context_);
    return plan;
  }

  const PlanRequest& request_;
  const BindContext& context_;
  std::vector<std::unique_ptr<Table>> tables_;               ///< In order of declaration, dropped ones too.
  std::map<std::string, Table*, std::less<>> names_;         ///< The tables in sight.
  std::map<std::pair<Table*, std::string>, Table*> hinted_;  ///< With other options than those of WITH.
  std::set<std::string> unique_names_;
  std::map<std::string, std::optional<Relation>, std::less<>> views_;  ///< None: broken, reported.
  std::set<std::string> unreadable_;  ///< Names whose CREATE the parser has refused.
  std::shared_ptr<const SinkNode> late_sink_;
  Sinks sinks_;
  std::vector<Sinks> explained_;
  bool explained_any_ = false;
};

/// Of the marked text, to the end of its first line.
std::size_t marked_length(const sql::Diagnostic& diagnostic, const sql::SourceText& source) {
  const std::string_view marked = source.at(diagnostic.span);
  return sql::count_characters(marked.substr(0, marked.find_first_of("\r\n")));
}

std::vector<Message> messages_of(const sql::Diagnostics& diagnostics, const sql::SourceText& source) {
  std::vector<Message> messages;
  const sql::HiddenText hidden(source.text());
  for (const sql::Diagnostic& diagnostic : diagnostics.sorted()) {
    const sql::SourcePosition position = source.position(diagnostic.span.begin);
    const bool error = diagnostic.severity == sql::Severity::kError;
    messages.push_back({.severity = error ? Severity::kError : Severity::kWarning,
                        .line = position.line,
                        .column = position.column,
                        .length = marked_length(diagnostic, source),
                        .text = hidden.without_secrets(diagnostic.message),
                        .rendered = hidden.render(diagnostic, source)});
  }
  return messages;
}

/// What 'execution.runtime-mode' = 'automatic' stands for: known when the text has been bound.
enum class Automatic : std::uint8_t { kBatch, kStreaming };

struct Attempt {
  PlanOutcome outcome = {};
  bool is_automatic = false;
  bool reads_without_end = false;
};

Attempt plan_with(const PlanRequest& request, const Catalog& catalog, Automatic automatic) {
  const sql::SourceText source(request.file, request.text);
  sql::Diagnostics diagnostics;
  Attempt attempt;
  PlanOutcome& outcome = attempt.outcome;
  const sql::Script script = sql::parse_script(source, diagnostics);
  BoundSettings settings = bind_settings(script, request, diagnostics, outcome.messages);
  PlanSettings read = read_settings(settings.values);
  read.refused = std::move(settings.refused);
  const auto mode = settings.values.find("execution.runtime-mode");
  attempt.is_automatic = mode != settings.values.end() && mode->second == "automatic";
  if (attempt.is_automatic) read.batch = automatic == Automatic::kBatch;
  PlanSize size;
  const BindContext context{diagnostics, catalog, read, {.time_zone = read.time_zone}, &size};
  Planner planner(request, context);
  planner.bind(script);
  attempt.reads_without_end = planner.reads_without_end();
  for (Message& message : messages_of(diagnostics, source)) outcome.messages.push_back(std::move(message));
  if (!outcome.ok()) return attempt;
  outcome.plan = planner.finish(std::move(settings.values));
  outcome.explained = planner.explained();
  for (const Message& message : outcome.messages) outcome.plan.warnings.push_back(message.text);
  return attempt;
}

}  // namespace

bool PlanOutcome::ok() const {
  return std::ranges::none_of(messages, [](const Message& m) { return m.severity == Severity::kError; });
}

PlanOutcome plan_pipeline(const PlanRequest& request, const Catalog& catalog) {
  Attempt first = plan_with(request, catalog, Automatic::kBatch);
  const bool streams = first.is_automatic && first.reads_without_end;
  return streams ? plan_with(request, catalog, Automatic::kStreaming).outcome : std::move(first.outcome);
}

}  // namespace leat::plan
