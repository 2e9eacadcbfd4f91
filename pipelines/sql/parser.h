// From text to AST. A pure function; reads the text once, in time and memory linear in its length, whatever
// the bytes are.
#pragma once

#include "pipelines/sql/ast.h"
#include "pipelines/sql/diagnostic.h"
#include "pipelines/sql/source_span.h"

namespace leat::sql {

/// Longer text is refused: no pipeline is that long, and offsets are 32 bits wide.
inline constexpr std::size_t kMaxScriptBytes = std::size_t{4} << 20;

/// Parses all statements of a file. After an error it goes on behind the statement's `;`, so one call reports
/// the errors of all statements; a statement with an error is not part of the result. Errors of form only:
/// names, types and options are the binder's.
Script parse_script(const SourceText& source, Diagnostics& diagnostics);

}  // namespace leat::sql
