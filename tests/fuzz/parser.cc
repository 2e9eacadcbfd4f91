// SQL text → tokens → syntax tree, and every message drawn with its caret.
#include "pipelines/sql/parser.h"

#include <string>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat;
  const std::string text(fuzz::text_of(data, size));  // A source text is a view.
  const sql::SourceText source("fuzz.sql", text);
  sql::Diagnostics diagnostics;
  (void)sql::parse_script(source, diagnostics);
  return 0;
}
