#include "pipelines/plan/over_node.h"

#include <algorithm>

#include "pipelines/functions/state_size.h"

namespace leat::plan {

std::string OverFrame::to_string() const {
  const std::string start = unit == Unit::kRows ? "ROWS " : "RANGE ";
  if (!preceding) return start + "UNBOUNDED PRECEDING";
  return start + std::to_string(*preceding) + (unit == Unit::kRows ? " PRECEDING" : " us PRECEDING");
}

namespace {

/// What each key costs, where it is much and known before.
std::string size_text(const AggregateCall& call) {
  const auto* sized = dynamic_cast<const functions::BoundedState*>(call.function.get());
  if (sized == nullptr) return "";
  constexpr std::size_t kKibi = 1024;
  return ", up to " + std::to_string(sized->full_state_bytes() / kKibi + 1) + " KiB a key";
}

}  // namespace

std::string OverNode::line() const {
  std::string text = "Over";
  if (!partition_by.empty()) text += " partition by(" + names_of(inputs[0]->schema, partition_by) + ")";
  text += " order by(" + inputs[0]->schema.fields[time_column].name + ") aggregates(";
  for (std::size_t i = 0; i < calls.size(); ++i)
    text += (i > 0 ? ", " : "") + calls[i].call.name + " " + calls[i].frame.to_string() +
            size_text(calls[i].call);
  return text + (key_ttl().count() > 0 ? ") ttl=" + format_duration(key_ttl()) : ")");
}

Micros OverNode::key_ttl() const {
  const bool of_times = std::ranges::all_of(calls, [](const OverCall& over) {
    return over.frame.preceding && over.frame.unit == OverFrame::Unit::kRange;
  });
  return of_times ? Micros(0) : state_ttl;
}

std::vector<Type::Field> OverNode::own_columns() const {
  std::vector<Type::Field> columns;
  for (const OverCall& call : calls) columns.push_back({call.call.name, call.call.function->result_type()});
  return columns;
}

void OverNode::add_own_needs(const Needs& own_needed, Needs& input) const {
  need(input, partition_by);
  need(input, time_column);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!own_needed[i]) continue;
    need(input, calls[i].call.arguments);
    if (calls[i].call.filter) need(input, *calls[i].call.filter);
  }
}

void OverNode::move_own(const Needs& own_needed, std::span<const std::size_t> new_index) {
  partition_by = moved(partition_by, new_index);
  time_column = new_index[time_column];
  std::vector<OverCall> kept;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!own_needed[i]) continue;
    kept.push_back(std::move(calls[i]));
    AggregateCall& call = kept.back().call;
    call.arguments = moved(call.arguments, new_index);
    if (call.filter) call.filter = new_index[*call.filter];
  }
  calls = std::move(kept);
}

std::string OverNode::own_identity(std::span<const std::string> texts) const {
  std::string text = "over by";
  for (const std::size_t column : partition_by) text += " " + texts[column];
  text += " order " + texts[time_column] + (lateness == Lateness::kKey ? " per key" : "");
  for (const OverCall& over : calls) {
    text += "; " + over.call.kind + " " + over.frame.to_string();
    for (const std::size_t argument : over.call.arguments) text += " " + texts[argument];
    if (over.call.filter) text += " filter " + texts[*over.call.filter];
  }
  return text;
}

}  // namespace leat::plan
