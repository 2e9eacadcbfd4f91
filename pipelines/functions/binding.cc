#include "pipelines/functions/binding.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat::functions {
namespace {

bool takes(const Overload& overload, Arguments arguments) {
  if (overload.parameters.size() != arguments.size()) return false;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (!implicitly_castable(arguments[i].type, overload.parameters[i])) return false;
  return true;
}

}  // namespace

namespace {

/// "'='" of "a = b": an operator is called by its sign. A function is by its signature.
std::string called(std::string_view signature) {
  if (!signature.starts_with("a ")) return std::string(signature);
  std::string_view sign = signature.substr(2);
  if (sign.ends_with(" b")) sign.remove_suffix(2);
  return fmt::format("'{}'", sign);
}

}  // namespace

tl::unexpected<Error> wrong_arguments(std::string_view signature, Arguments arguments) {
  std::string types;
  for (const ArgumentInfo& argument : arguments) {
    if (!types.empty()) types += ", ";
    types += argument.type.with_nullable(true).to_string();
  }
  return fail(ErrorCode::kInvalid, fmt::format("{} does not take ({})", called(signature), types));
}

bool any_nullable(Arguments arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const ArgumentInfo& argument) {
    return argument.type.nullable() || argument.type.kind() == TypeKind::kNull;
  });
}

Type nullable_like(const Type& type, Arguments arguments) {
  return type.with_nullable(any_nullable(arguments));
}

std::optional<std::string> text_literal(const ArgumentInfo& argument) {
  if (!argument.type.is_character() || !argument.literal || argument.literal->is_null()) return std::nullopt;
  return argument.literal->as_string();
}

Type type_or(const ArgumentInfo& argument, const Type& fallback) {
  return argument.type.kind() == TypeKind::kNull ? fallback : argument.type;
}

Binder choose(std::string signature, std::vector<Overload> overloads) {
  return [signature = std::move(signature), overloads = std::move(overloads)](
             Arguments arguments, const Session&) -> Result<BoundScalar> {
    const auto found = std::find_if(overloads.begin(), overloads.end(),
                                    [&](const Overload& overload) { return takes(overload, arguments); });
    if (found == overloads.end()) return wrong_arguments(signature, arguments);
    const Type result = found->result.with_nullable(found->can_give_null || any_nullable(arguments));
    return BoundScalar{result, found->parameters, found->make(result)};
  };
}

ScalarFunction function(std::string name, std::string signature, std::string doc, std::string example,
                        std::string example_result, std::vector<Overload> overloads) {
  Binder bind = choose(signature, std::move(overloads));
  return {std::move(name),    std::move(signature),      std::move(doc),
          std::move(example), std::move(example_result), std::move(bind)};
}

}  // namespace leat::functions
