// SQL text → tokens → syntax tree, and every message drawn with its caret.
#include "pipelines/sql/parser.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat;
  const sql::SourceText source("fuzz.sql", std::string(fuzz::text_of(data, size)));
  sql::Diagnostics diagnostics;
  (void)sql::parse_script(source, diagnostics);
  return 0;
}
