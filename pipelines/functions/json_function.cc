#include "pipelines/functions/json_function.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

#include "pipelines/column/text.h"

namespace leat::functions {
namespace {

constexpr std::array<std::string_view, 10> kFunctions = {"length", "size", "keys", "first", "last",
                                                         "sum",    "min",  "max",  "avg",   "stddev"};

JsonNode number_node(std::string text) {
  return {.kind = JsonNode::Kind::kNumber, .text = std::move(text), .items = {}, .names = {}};
}

// The statistics that the functions are made of, of the numbers in an array; other items do not count.
struct Statistics {
  double count = 0;
  double sum = 0;
  double squares = 0;
  double least = 0;
  double greatest = 0;

  explicit Statistics(const JsonNode& array) {
    for (const JsonNode& item : array.items) {
      if (item.kind != JsonNode::Kind::kNumber) continue;
      const double value = std::strtod(item.text.c_str(), nullptr);
      least = count > 0 ? std::min(least, value) : value;
      greatest = count > 0 ? std::max(greatest, value) : value;
      ++count;
      sum += value;
      squares += value * value;
    }
  }
  [[nodiscard]] double result(std::string_view function) const {
    if (function == "sum") return sum;
    if (function == "min") return least;
    if (function == "max") return greatest;
    if (function == "avg") return sum / count;
    return std::sqrt(squares / count - sum * sum / count / count);
  }
};

JsonNode names_node(const JsonNode& object) {
  JsonNode list{.kind = JsonNode::Kind::kArray, .text = {}, .items = {}, .names = {}};
  for (const std::string& name : object.names)
    list.items.push_back({.kind = JsonNode::Kind::kString, .text = name, .items = {}, .names = {}});
  return list;
}

}  // namespace

bool is_json_function(std::string_view name) {
  return std::ranges::find(kFunctions, name) != kFunctions.end();
}

std::optional<JsonNode> apply_json_function(std::string_view function, const JsonNode& node) {
  if (function == "length" || function == "size")
    return node.is_scalar() ? JsonNode() : number_node(std::to_string(node.items.size()));
  if (function == "keys") return node.kind == JsonNode::Kind::kObject ? names_node(node) : JsonNode();
  if (node.kind != JsonNode::Kind::kArray || node.items.empty()) return std::nullopt;
  if (function == "first") return node.items.front();
  if (function == "last") return node.items.back();
  const Statistics statistics(node);
  if (statistics.count == 0) return std::nullopt;
  std::string text;
  append_double(statistics.result(function), text);
  return number_node(std::move(text));
}

}  // namespace leat::functions
