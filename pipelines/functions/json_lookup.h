// A path followed into a document, for the functions that read JSON: what they share.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/functions/binding.h"
#include "pipelines/functions/json_path.h"
#include "pipelines/functions/json_tree.h"

namespace leat::functions {

/// Keeps the compiled path of the row before and the document of the last call.
class JsonLookup {
 public:
  struct Found {
    bool list = false;  ///< Of an indefinite path.
    std::vector<const JsonNode*> nodes;
    JsonPath::Mode mode = JsonPath::Mode::kStrict;

    [[nodiscard]] const JsonNode* single() const { return list || nodes.empty() ? nullptr : nodes[0]; }
    /// Lax, and nothing there; or NULL.
    [[nodiscard]] bool empty() const {
      return !list && (nodes.empty() || nodes[0]->kind == JsonNode::Kind::kNull);
    }
    [[nodiscard]] bool lax() const { return mode == JsonPath::Mode::kLax; }
  };

  /// Errors: invalid: no JSON, no path, nothing where a strict path leads. The nodes live until the next
  /// call.
  Result<Found> find(std::string_view document, std::string_view path);

 private:
  std::string path_text_;
  Result<JsonPath> path_ = JsonPath::parse("$");
  std::optional<JsonNode> document_;
  std::deque<JsonNode> made_;  // By the path's functions.
};

/// The first two arguments are a document and a path, and there are `count` in all.
bool takes_document(Arguments arguments, std::size_t count);
/// A literal path must be one. Errors: invalid.
Status check_path(Arguments arguments);

inline std::string_view text_at(const Datum& datum, std::size_t row) {
  return datum.column->strings()[datum.index(row)];
}
/// The document or the path is NULL.
inline bool has_null(std::span<const Datum> a, std::size_t row) {
  return a[0].column->is_null(a[0].index(row)) || a[1].column->is_null(a[1].index(row));
}

/// The types into which a scalar can go.
bool is_json_scalar(const Type& type);
/// A scalar's text, as the cast to such a type reads it; nothing: it does not go into the type.
std::optional<std::string> scalar_text(const JsonNode& node, const Type& type);

}  // namespace leat::functions
