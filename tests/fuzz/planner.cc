// SQL text → plan → EXPLAIN. What is planned without an error must build operators, too.
#include "pipelines/plan/planner.h"

#include "pipelines/exec/dataflow.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat;
  const std::string text = fuzz::tables() + std::string(fuzz::text_of(data, size));
  const auto planned = plan::plan_pipeline(
      {.file = "fuzz.sql", .text = text, .overrides = {}, .allow_select = true}, fuzz::catalog());
  for (const plan::Message& message : planned.messages)
    fuzz::expect(!message.rendered.empty(), "a message says something");
  if (!planned.ok()) return 0;
  (void)plan::explain(planned.plan);
  fuzz::Nowhere nowhere;
  (void)exec::build_dataflow(planned.plan, {}, nowhere);
  return 0;
}
