#include "pipelines/functions/json_lookup.h"

namespace leat::functions {

Result<JsonLookup::Found> JsonLookup::find(std::string_view document, std::string_view path) {
  if (path != path_text_) {
    path_ = JsonPath::parse(path);
    path_text_ = path;
  }
  if (!path_) return tl::unexpected(path_.error());
  Found found{.list = !path_->definite(), .nodes = {}, .mode = path_->mode()};
  made_.clear();
  document_ = parse_json(document);
  if (!document_) {
    found.list = false;
    if (found.lax()) return found;
    return fail(ErrorCode::kInvalid, "the text is no JSON: " + std::string(document.substr(0, 100)));
  }
  Result<std::vector<const JsonNode*>> nodes = path_->find(*document_, made_);
  if (nodes) found.nodes = std::move(*nodes);
  if (!nodes && !found.lax()) return tl::unexpected(nodes.error());
  if (!found.lax() && found.empty()) return fail(ErrorCode::kInvalid, "the JSON path leads to null");
  return found;
}

bool takes_document(Arguments arguments, std::size_t count) {
  return arguments.size() == count && implicitly_castable(arguments[0].type, Type::string()) &&
         implicitly_castable(arguments[1].type, Type::string());
}

Status check_path(Arguments arguments) {
  const std::optional<std::string> path = text_literal(arguments[1]);
  if (path) LEAT_TRY(JsonPath::parse(*path).map([](const JsonPath&) {}));
  return {};
}

bool is_json_scalar(const Type& type) {
  return type.is_character() || type.is_numeric() || type.kind() == TypeKind::kBoolean;
}

std::optional<std::string> scalar_text(const JsonNode& node, const Type& type) {
  const bool number = node.kind == JsonNode::Kind::kNumber;
  if (type.is_character() || !number) {
    const bool truth = node.kind == JsonNode::Kind::kBoolean;
    return truth && type.is_numeric() ? std::nullopt : std::optional(node.text);
  }
  if (type.kind() == TypeKind::kBoolean) return std::nullopt;
  return type.is_approximate() ? node.text : plain_number(node.text);
}

}  // namespace leat::functions
