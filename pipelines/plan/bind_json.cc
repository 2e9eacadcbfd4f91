// The SQL/JSON functions: their clauses become arguments, as functions/json_read.cc and json_write.cc read
// them.
#include "pipelines/plan/bind_json.h"

#include <utility>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_type.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/sql/json_clauses.h"

namespace leat::plan {
namespace {

using Behaviour = sql::JsonClauses::Behaviour;

ExprPtr word(std::string text) {
  return make_literal(Type::string().with_nullable(false), Value::string(std::move(text)));
}

/// `otherwise` where nothing is written.
std::string word_of(Behaviour behaviour, std::string otherwise) {
  switch (behaviour) {
    case Behaviour::kNone:
      return otherwise;
    case Behaviour::kNull:
      return "NULL";
    case Behaviour::kError:
      return "ERROR";
    case Behaviour::kEmptyArray:
      return "EMPTY ARRAY";
    case Behaviour::kEmptyObject:
      return "EMPTY OBJECT";
    case Behaviour::kTrue:
      return "TRUE";
    case Behaviour::kFalse:
      return "FALSE";
    case Behaviour::kUnknown:
      return "UNKNOWN";
    case Behaviour::kDefault:
      return "DEFAULT";
  }
  return otherwise;
}

std::string wrapper_of(sql::JsonClauses::Wrapper wrapper) {
  using enum sql::JsonClauses::Wrapper;
  if (wrapper == kConditional) return "CONDITIONAL";
  return wrapper == kUnconditional ? "UNCONDITIONAL" : "WITHOUT";
}

/// The behaviours that a function knows beside NULL and ERROR, or of which it knows only some.
bool allowed(const std::string& function, Behaviour behaviour) {
  using enum sql::JsonClauses::Behaviour;
  if (behaviour == kNone || behaviour == kError) return true;
  if (function == "JSON_EXISTS") return behaviour == kTrue || behaviour == kFalse || behaviour == kUnknown;
  if (behaviour == kNull) return true;
  if (function == "JSON_VALUE") return behaviour == kDefault;
  return behaviour == kEmptyArray || behaviour == kEmptyObject;
}

}  // namespace

bool gives_json(const sql::Expression& expression) {
  const auto* call = sql::as<sql::Call>(expression);
  return call && (call->name == "JSON_OBJECT" || call->name == "JSON_ARRAY" || call->name == "JSON");
}

ExprPtr ExprBinder::bind_json(const sql::Call& call) const {
  const sql::JsonClauses& clauses = *call.json;
  for (const Behaviour behaviour : {clauses.on_empty, clauses.on_error}) {
    if (allowed(call.name, behaviour)) continue;
    context_.diagnostics.error(call.span,
                               call.name + " knows no " + word_of(behaviour, "") + " ON EMPTY or ON ERROR");
    return nullptr;
  }
  std::optional<std::vector<ExprPtr>> arguments = bind_arguments(call);
  if (!arguments) return nullptr;
  if (call.name == "JSON_OBJECT" || call.name == "JSON_ARRAY") return bind_json_parts(call, *arguments);
  if (call.name == "JSON_EXISTS")
    arguments->push_back(word(word_of(clauses.on_error, "FALSE")));
  else if (!add_json_clauses(call, *arguments))
    return nullptr;
  return make_call(call.name, std::move(*arguments), call.span, context_);
}

/// The clauses of JSON_VALUE and JSON_QUERY; false: an error has been reported.
bool ExprBinder::add_json_clauses(const sql::Call& call, std::vector<ExprPtr>& arguments) const {
  const sql::JsonClauses& clauses = *call.json;
  const std::optional<Type> type =
      clauses.returning ? bind_type(*clauses.returning, context_, BareLength::kUnlimited) : Type::string();
  if (!type) return false;
  arguments.push_back(make_literal(type->with_nullable(true), Value::null()));
  if (call.name == "JSON_QUERY") {
    arguments.push_back(word(wrapper_of(clauses.wrapper)));
    arguments.push_back(word(word_of(clauses.on_empty, "NULL")));
    arguments.push_back(word(word_of(clauses.on_error, "NULL")));
    return true;
  }
  for (const auto& [behaviour, fallback] : {std::pair(clauses.on_empty, clauses.default_on_empty.get()),
                                            std::pair(clauses.on_error, clauses.default_on_error.get())}) {
    arguments.push_back(word(word_of(behaviour, "NULL")));
    ExprPtr value = fallback ? bind_branch(*fallback) : make_literal(*type, Value::null());
    if (value && fallback)
      value = make_cast(std::move(value), *type, functions::CastKind::kCast, fallback->span, context_);
    if (!value) return false;
    arguments.push_back(std::move(value));
  }
  return true;
}

/// JSON_OBJECT and JSON_ARRAY: each value gets a word that says whether it is JSON already.
ExprPtr ExprBinder::bind_json_parts(const sql::Call& call, std::vector<ExprPtr> values) const {
  using enum sql::JsonClauses::NullHandling;
  const bool object = call.name == "JSON_OBJECT";
  const bool keep = call.json->nulls == kNone ? object : call.json->nulls == kNullOnNull;
  std::vector<ExprPtr> arguments = {word(keep ? "NULL" : "ABSENT")};
  for (std::size_t i = 0; i < values.size(); ++i) {
    arguments.push_back(std::move(values[i]));
    const bool key = object && i % 2 == 0;
    if (!key) arguments.push_back(word(gives_json(*call.arguments[i].value) ? "JSON" : "VALUE"));
  }
  return make_call(call.name, std::move(arguments), call.span, context_);
}

std::optional<std::vector<std::string>> aggregate_words(const sql::Call& call, const BindContext& context) {
  using Nulls = sql::Call::Nulls;
  if (!call.order_by.empty()) {
    context.not_yet(call.span, "an aggregate with ORDER BY",
                    "values come in the order of their arrival; ARRAY_SORT(ARRAY_AGG(x)) sorts them");
    return std::nullopt;
  }
  const bool array = call.name == "ARRAY_AGG";
  const bool positional = call.name == "FIRST_VALUE" || call.name == "LAST_VALUE";
  if (call.nulls != Nulls::kDefault && !array && !positional) {
    context.diagnostics.error(call.span, call.name + " takes neither IGNORE NULLS nor RESPECT NULLS",
                              "FILTER (WHERE x IS NOT NULL) leaves NULLs out; ARRAY_AGG, FIRST_VALUE, "
                              "LAST_VALUE, LAG and LEAD take them");
    return std::nullopt;
  }
  if (array && call.nulls == Nulls::kIgnore) return std::vector<std::string>{"IGNORE NULLS"};
  if (positional && call.nulls == Nulls::kRespect) return std::vector<std::string>{"RESPECT NULLS"};
  if (!call.json || call.arguments.empty()) return std::vector<std::string>();
  using enum sql::JsonClauses::NullHandling;
  const bool object = call.name == "JSON_OBJECTAGG";
  const bool keep = call.json->nulls == kNone ? object : call.json->nulls == kNullOnNull;
  return std::vector<std::string>{keep ? "NULL" : "ABSENT",
                                  gives_json(*call.arguments.back().value) ? "JSON" : "VALUE"};
}

}  // namespace leat::plan
