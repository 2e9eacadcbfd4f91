#include "pipelines/plan/gap_fill_node.h"

namespace leat::plan {

std::string GapFillNode::line() const {
  const Schema& input = inputs[0]->schema;
  return "GapFill(" + names_of(input, keys) + ") " + input.fields[time_column].name + " step " +
         format_duration(step) + (method == Method::kLinear ? " linear" : " locf") + " max gap " +
         format_duration(max_gap);
}

std::vector<Type::Field> GapFillNode::own_columns() const {
  if (!gives_filled) return {};
  return {{"filled", Type::boolean().with_nullable(false)}};
}

void GapFillNode::add_own_needs(const Needs&, Needs& input) const {
  need(input, keys);
  need(input, time_column);
}

void GapFillNode::move_own(const Needs& own_needed, std::span<const std::size_t> new_index) {
  gives_filled = gives_filled && own_needed[0];
  keys = moved(keys, new_index);
  time_column = new_index[time_column];
}

std::string GapFillNode::own_identity(std::span<const std::string> texts) const {
  return "by " + typed_columns(inputs[0]->schema, texts, keys) + "time " + texts[time_column];
}

}  // namespace leat::plan
