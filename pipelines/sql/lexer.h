// Text → tokens. One pass, no backtracking, any bytes. White space and comments vanish; hints (`/*+ … */`)
// are tokens of their own. Values of literals are decoded by the parser (string_literal.h), which knows
// whether they are wanted.
#pragma once

#include <vector>

#include "pipelines/sql/diagnostic.h"
#include "pipelines/sql/token.h"

namespace leat::sql {

/// All tokens, ended by one kEnd. Texts that are no token (an open string, a stray byte) are reported and
/// stand in the result as kInvalid.
std::vector<Token> tokenize(const SourceText& source, Diagnostics& diagnostics);

}  // namespace leat::sql
