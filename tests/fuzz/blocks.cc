// Blocks of the outbox, as a damaged store would give them.
#include "sinks/block.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat;
  const auto records = sinks::read_block(fuzz::text_of(data, size));
  if (!records) return 0;
  sinks::BlockBuilder builder;
  for (const sinks::Record& record : *records) builder.add(record.key, record.payload, record.headers);
  const std::string again = builder.seal();
  const auto same = sinks::read_block(again);
  fuzz::expect(same && same->size() == records->size(), "what was read can be written and read again");
  for (std::size_t i = 0; i < records->size(); ++i)
    fuzz::expect((*same)[i].key == (*records)[i].key && (*same)[i].payload == (*records)[i].payload &&
                     (*same)[i].headers == (*records)[i].headers,
                 "a record is the same after it was written again");
  return 0;
}
