#include "pipelines/plan/bind_insert.h"

#include <algorithm>
#include <optional>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/group_aggregate_node.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/set_operation_node.h"
#include "pipelines/plan/table_nodes.h"

namespace leat::plan {
namespace {

class InsertBinder {
 public:
  InsertBinder(const sql::Insert& insert, const Relation& query, Table& table, const BindContext& context)
      : insert_(insert), query_(query), table_(table), context_(context) {}

  std::shared_ptr<const SinkNode> bind() {
    if (!check_sink() || !take_columns() || !check_arity()) return nullptr;
    auto sink = std::make_shared<SinkNode>();
    sink->table = table_.unique_name;
    sink->connector = table_.connector ? table_.connector->name : "";
    sink->options = table_.option_map();
    std::vector<ExprPtr> values;
    std::vector<std::string> names;
    bool whole = true;
    for (const std::size_t column : persisted_) {
      add_column(*sink, table_.columns[column]);
      values.push_back(value_for(column));
      names.push_back(table_.columns[column].name());
      whole = whole && values.back();
    }
    if (!whole) return nullptr;
    set_partitions(table_, *sink);
    NodePtr rows = named_branches(query_.node);
    if (!required_.empty()) rows = make_filter(std::move(rows), conjunction_of(required_));
    rows = make_project(std::move(rows), std::move(values), names);
    const NodePtr input = settle_changes(std::move(rows), *sink);
    if (!input || !order_fits(*input) || !drops_fit(*input)) return nullptr;
    sink->time_attributes = input->time_attributes;
    sink->updating = input->updating;
    sink->inputs = {input};
    return sink;
  }

 private:
  bool check_sink() {
    table_.written = true;
    if (table_.connector && !table_.connector->can_write) {
      context_.diagnostics.error(insert_.table.span, "'" + table_.name +
                                                         "' cannot be written: the connector '" +
                                                         table_.connector->name + "' only reads");
      return false;
    }
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      if (table_.columns[i].persisted()) persisted_.push_back(i);
    return check_metadata();
  }

  bool check_metadata() {
    if (!table_.connector || !table_.connector->metadata) return true;
    bool whole = true;
    for (const MetadataColumn& offered : table_.connector->metadata(table_.option_map())) {
      for (const std::size_t index : persisted_) {
        const TableColumn& column = table_.columns[index];
        if (column.physical() || column.metadata_key != offered.key || offered.writable) continue;
        context_.diagnostics.error(column.definition->name.span,
                                   "the metadata '" + offered.key + "' cannot be written by INSERT",
                                   "declare the column METADATA … VIRTUAL");
        whole = false;
      }
    }
    return whole;
  }

  /// Which columns the query's go to: those of the same name, the list's, or all in order.
  bool take_columns() {
    bool whole = true;
    if (insert_.match == sql::Insert::Match::kName) {
      for (const Type::Field& field : query_.schema().fields)
        whole = take_column({.text = field.name, .span = insert_.query->span}) && whole;
      return whole;
    }
    if (insert_.columns.empty()) {
      targets_ = persisted_;
      return true;
    }
    for (const sql::Identifier& name : insert_.columns) whole = take_column(name) && whole;
    return whole;
  }

  bool take_column(const sql::Identifier& name) {
    const std::optional<std::size_t> column = table_.find(name.text);
    if (!column) {
      context_.diagnostics.error(name.span, "unknown column '" + name.text + "' in '" + table_.name + "'" +
                                                did_you_mean(name.text, table_.column_names()));
      return false;
    }
    if (!table_.columns[*column].persisted()) {
      context_.diagnostics.error(name.span,
                                 "column '" + name.text + "' is computed or VIRTUAL and takes no values");
      return false;
    }
    if (std::ranges::find(targets_, *column) != targets_.end()) {
      context_.diagnostics.error(name.span, "column '" + name.text + "' is named twice");
      return false;
    }
    targets_.push_back(*column);
    return true;
  }

  bool check_arity() {
    const std::size_t given = query_.schema().size();
    if (given == targets_.size()) return true;
    context_.diagnostics.error(insert_.query->span,
                               "the query has " + std::to_string(given) + " columns, but '" + table_.name +
                                   "' takes " + std::to_string(targets_.size()),
                               "query: " + list(query_.schema()) + "; table: " + list_targets());
    return false;
  }

  /// The query's rows; the branches of a set operation call their columns as the table does, so that the
  /// errors of rows name those.
  NodePtr named_branches(const NodePtr& node) const {
    std::vector<std::string> names;
    for (const std::size_t target : targets_) names.push_back(table_.columns[target].name());
    if (node->kind == NodeKind::kUnionAll) {
      std::vector<NodePtr> branches;
      for (const NodePtr& branch : node->inputs) branches.push_back(named_branches(branch));
      return make_union_all(std::move(branches), names);
    }
    if (is_own_set_operation(*node)) return named_set_operation(*node, names);
    if (node->kind != NodeKind::kProject) return node;
    const std::vector<ExprPtr>& exprs = static_cast<const ProjectNode&>(*node).exprs;
    if (passes_on(*node)) return make_project(named_branches(node->inputs[0]), exprs, names);
    return node == query_.node ? node : make_project(node->inputs[0], exprs, names);
  }

  /// True if the INSERT has written it: that of a view keeps its state for all who read the view. UNION is a
  /// grouping by all columns.
  [[nodiscard]] bool is_own_set_operation(const Node& node) const {
    if (!sql::as<sql::SetOperation>(*insert_.query->body)) return false;
    const bool distinct =
        node.kind == NodeKind::kGroupAggregate && static_cast<const GroupAggregateNode&>(node).calls.empty();
    return distinct || node.kind == NodeKind::kSetOperation;
  }

  [[nodiscard]] NodePtr named_set_operation(const Node& node, const std::vector<std::string>& names) const {
    const std::shared_ptr<OperatorNode> named = as_operator_node(node).clone();
    for (NodePtr& branch : named->inputs) branch = named_branches(branch);
    for (std::size_t i = 0; i < names.size(); ++i) named->schema.fields[i].name = names[i];
    return named;
  }

  /// True for a projection that UNION has put there: all columns of a set operation as they are.
  [[nodiscard]] bool passes_on(const Node& project) const {
    const Node& below = *project.inputs[0];
    if (below.kind != NodeKind::kUnionAll && !is_own_set_operation(below)) return false;
    const std::vector<ExprPtr>& exprs = static_cast<const ProjectNode&>(project).exprs;
    bool passes = exprs.size() == below.schema.size();
    for (std::size_t i = 0; passes && i < exprs.size(); ++i)
      passes = exprs[i]->kind == ExprKind::kColumn && exprs[i]->column == i;
    return passes;
  }

  static std::string list(const Schema& schema) {
    std::string text;
    for (const Type::Field& field : schema.fields) text += (text.empty() ? "" : ", ") + field.name;
    return text;
  }
  std::string list_targets() const {
    std::string text;
    for (const std::size_t target : targets_)
      text += (text.empty() ? "" : ", ") + table_.columns[target].name();
    return text;
  }

  void add_column(SinkNode& sink, const TableColumn& column) const {
    const std::size_t index = sink.schema.size();
    sink.schema.fields.push_back({column.name(), column.type});
    if (!column.physical()) sink.metadata.emplace_back(index, column.metadata_key);
    if (!table_.primary_key_definition) return;
    for (const sql::Identifier& key : table_.primary_key_definition->columns)
      if (key.text == column.name()) sink.primary_key.push_back(index);
  }

  ExprPtr value_for(std::size_t column) {
    const auto target = std::ranges::find(targets_, column);
    if (target != targets_.end())
      return given_value(column, static_cast<std::size_t>(target - targets_.begin()));
    const Type& type = table_.columns[column].type;
    if (type.nullable()) return make_literal(type, Value::null());
    context_.diagnostics.error(insert_.table.span,
                               "column '" + table_.columns[column].name() + "' is NOT NULL and gets no value",
                               "add it to the column list and to the query");
    return nullptr;
  }

  ExprPtr given_value(std::size_t column, std::size_t position) {
    const std::string& name = table_.columns[column].name();
    const Type& wanted = table_.columns[column].type;
    const sql::SourceSpan span = span_of(position);
    ExprPtr value = column_of(*query_.node, position);
    if (!goes_into(value->type, wanted)) return wrong_type(*value, column, position);
    const bool same_text = (value->type.is_character() && wanted.is_character()) ||
                           (value->type.is_binary() && wanted.is_binary());
    value = same_text ? text_of_length(std::move(value), wanted, name, span)
                      : coerce(std::move(value), wanted, span, context_);
    if (!value || wanted.nullable()) return value;
    if (context_.settings.not_null == NotNullEnforcer::kDrop && value->type.nullable())
      required_.push_back(make_call("IS NOT NULL", {value}, span, context_));
    return make_not_null(std::move(value), name);
  }

  /// A text for a column of texts, as 'table.exec.sink.type-length-enforcer' wants it.
  ExprPtr text_of_length(ExprPtr value, const Type& wanted, const std::string& name,
                         sql::SourceSpan span) const {
    if (wanted.precision() == kMaxLength || value->type.same_shape(wanted)) return value;
    switch (context_.settings.length) {
      case LengthEnforcer::kIgnore:
        return value;
      case LengthEnforcer::kTrimPad:
        return make_cast(std::move(value), wanted.with_nullable(true), functions::CastKind::kCast, span,
                         context_);
      case LengthEnforcer::kError:
        return make_fitting(std::move(value), wanted, name);
    }
    return value;
  }

  ExprPtr wrong_type(const Expr& value, std::size_t column, std::size_t position) const {
    const Type& wanted = table_.columns[column].type;
    const bool named = !value.name.starts_with("EXPR$");
    context_.diagnostics.error(span_of(position),
                               "column " + std::to_string(position + 1) + " of the query (" +
                                   (named ? "'" + value.name + "', " : "") + plain(value.type) +
                                   ") does not go into '" + table_.columns[column].name() + "' of '" +
                                   table_.name + "', which is " + plain(wanted),
                               "write CAST(" + (named ? value.name : "…") + " AS " + plain(wanted) + ")");
    return nullptr;
  }

  /// Where the text gives the query's column `position`: the item of SELECT, the value of the first row of
  /// VALUES, or else the whole query.
  [[nodiscard]] sql::SourceSpan span_of(std::size_t position) const {
    const sql::QueryBody* body = insert_.query->body.get();
    if (const auto* set = sql::as<sql::SetOperation>(*body)) body = set->first.get();
    if (const auto* values = sql::as<sql::Values>(*body))
      if (position < values->rows[0].values.size()) return values->rows[0].values[position]->span;
    if (const auto* select = sql::as<sql::Select>(*body)) {
      const auto is_star = [](const sql::SelectItem& item) {
        return item.value->kind == sql::ExpressionKind::kStar;
      };
      if (position < select->items.size() && std::ranges::none_of(select->items, is_star))
        return select->items[position].span;
    }
    return insert_.query->span;
  }

  static bool goes_into(const Type& from, const Type& to) {
    if (from.is_character() && to.is_character()) return true;
    if (from.is_binary() && to.is_binary()) return true;
    return functions::implicitly_castable(from, to);
  }
  static std::string plain(const Type& type) { return type.with_nullable(true).to_string(); }

  /// Changes as the sink takes them; null: it does not, reported.
  NodePtr settle_changes(NodePtr rows, const SinkNode& sink) const {
    if (rows->updating && context_.settings.batch) rows = make_final_rows(std::move(rows));
    if (insert_.on_conflict != sql::Insert::OnConflict::kNone && sink.primary_key.empty())
      return refuse_conflict();
    rows = first_of_key(std::move(rows), sink);
    const bool writes_changes = table_.format && table_.format->changelog;
    const SinkChanges taken =
        table_.connector && !writes_changes ? table_.connector->changes : SinkChanges::kRetract;
    if (taken == SinkChanges::kUpsert && rows->kind != NodeKind::kUpsert)
      return upserted(std::move(rows), sink);
    if (taken == SinkChanges::kUpsert) return rows;
    if (!rows->updating || taken == SinkChanges::kRetract) return rows;
    return refuse_updates();
  }

  NodePtr refuse_updates() const {
    const EmitSettings& emit = context_.settings.emit;
    const std::string format = table_.connector->needs_format ? "'format' = 'debezium-json', or " : "";
    const std::string windows =
        emit.early || emit.late
            ? "aggregate over windows without 'table.exec.emit.…', which updates theirs"
            : "aggregate over windows, whose rows are final, or write the changes: " + format +
                  "SELECT * FROM TO_CHANGELOG(TABLE …)";
    context_.diagnostics.error(insert_.table.span,
                               "the query updates its rows, but '" + table_.name + "' only takes new ones",
                               "the connector '" + table_.connector->name + "' is append-only; " + windows);
    return nullptr;
  }

  /// ON CONFLICT DO NOTHING and DO ERROR: the first row of a key stays, where the query may have several.
  NodePtr first_of_key(NodePtr rows, const SinkNode& sink) const {
    using enum sql::Insert::OnConflict;
    const bool first = insert_.on_conflict == kNothing || insert_.on_conflict == kError;
    if (!first || names_rows_of(sink.primary_key, *rows)) return rows;
    const UpsertForm form = insert_.on_conflict == kError ? UpsertForm::kOnly : UpsertForm::kFirst;
    return make_upsert(std::move(rows), form, sink.primary_key);
  }

  NodePtr refuse_conflict() const {
    context_.diagnostics.error(insert_.on_conflict_span,
                               "rows of '" + table_.name + "' have no conflicts: it has no PRIMARY KEY",
                               "declare which columns name a row, PRIMARY KEY (…) NOT ENFORCED, or leave "
                               "ON CONFLICT out");
    return nullptr;
  }

  /// What is dropped may be the last word on a row, or the word that it is gone.
  bool drops_fit(const Node& rows) const {
    if (!rows.updating) return true;
    for (const char* key : {"sink.buffer.on-full", "sink.buffer.max-age"}) {
      const TableOption* option = table_.find_option(key);
      if (!option || option->value.text == "block") continue;
      context_.diagnostics.error(option->value.span,
                                 "rows must not be dropped, because the query updates its rows",
                                 "the last update of a row would be missing for ever; use "
                                 "'sink.buffer.on-full' = 'block' and no 'sink.buffer.max-age'");
      return false;
    }
    return true;
  }

  /// An update that overtakes a later one would be the last word.
  bool order_fits(const Node& rows) const {
    const TableOption* order = table_.find_option("sink.delivery.order");
    if (!rows.updating || !order || order->value.text != "newest-first") return true;
    context_.diagnostics.error(order->value.span,
                               "'newest-first' is for rows that are final, but the query updates its rows",
                               "an older update would arrive behind a newer one; use 'oldest-first'");
    return false;
  }

  /// The sink keeps one row per PRIMARY KEY.
  NodePtr upserted(NodePtr rows, const SinkNode& sink) const {
    const UpsertMaterialize setting = context_.settings.upsert_materialize;
    if (sink.primary_key.empty()) {
      if (!rows->updating) return rows;
      context_.diagnostics.error(insert_.table.span,
                                 "the query updates its rows, but '" + table_.name + "' has no PRIMARY KEY",
                                 "declare which columns name a row: PRIMARY KEY (…) NOT ENFORCED");
      return nullptr;
    }
    const bool needed = rows->updating && !names_rows_of(sink.primary_key, *rows);
    const bool materialize =
        setting == UpsertMaterialize::kForce || (setting == UpsertMaterialize::kAuto && needed);
    if (!materialize && !rows->updating) return rows;
    return make_upsert(std::move(rows), materialize ? UpsertForm::kMaterialize : UpsertForm::kSameKey,
                       sink.primary_key);
  }

  /// True if at most one row of the query has each value of `key`: its own key is part of it.
  static bool names_rows_of(const std::vector<std::size_t>& key, const Node& rows) {
    const auto in_key = [&](std::size_t column) { return std::ranges::find(key, column) != key.end(); };
    return std::ranges::any_of(upsert_keys_of(rows), [&](const std::vector<std::size_t>& own) {
      return std::ranges::all_of(own, in_key);
    });
  }

  const sql::Insert& insert_;
  const Relation& query_;
  Table& table_;
  const BindContext& context_;
  std::vector<std::size_t> persisted_;  ///< Columns of the table that a sink has.
  std::vector<ExprPtr> required_;       ///< Rows for which one of them is not TRUE are left out.
  std::vector<std::size_t> targets_;    ///< Of these, where the query's columns go, in its order.
};

}  // namespace

std::shared_ptr<const SinkNode> bind_insert(const sql::Insert& insert, const Relation& query, Table& table,
                                            const BindContext& context) {
  return InsertBinder(insert, query, table, context).bind();
}

std::shared_ptr<const SinkNode> output_of(const Relation& query, const BindContext& context) {
  auto sink = std::make_shared<SinkNode>();
  const bool collects = query.node->updating && context.settings.batch;
  sink->inputs = {collects ? make_final_rows(query.node) : query.node};
  sink->schema = query.schema();
  sink->time_attributes = query.node->time_attributes;
  sink->updating = sink->inputs[0]->updating;
  return sink;
}

}  // namespace leat::plan
