// What the SQL/JSON functions have beside their arguments. The grammar is in parser_json.cc.
#pragma once

#include "pipelines/sql/expression.h"

namespace leat::sql {

/// The clauses of the SQL/JSON functions.
struct JsonClauses {
  enum class Behaviour : std::uint8_t {
    kNone,
    kNull,
    kError,
    kEmptyArray,
    kEmptyObject,
    kTrue,
    kFalse,
    kUnknown,
    kDefault
  };
  enum class Wrapper : std::uint8_t { kNone, kWithout, kConditional, kUnconditional };
  enum class NullHandling : std::uint8_t { kNone, kNullOnNull, kAbsentOnNull };
  std::optional<TypeName> returning;
  Behaviour on_empty = Behaviour::kNone;  ///< kNone: not written.
  Behaviour on_error = Behaviour::kNone;
  ExpressionPtr default_on_empty;  ///< Of kDefault.
  ExpressionPtr default_on_error;
  Wrapper wrapper = Wrapper::kNone;
  NullHandling nulls = NullHandling::kNone;
};

}  // namespace leat::sql
