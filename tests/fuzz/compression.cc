// Compressed payloads. The first byte chooses the compression; what comes out is never larger than the bound,
// and what is refused has a reason.
#include "pipelines/formats/compression.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat;
  if (size == 0) return 0;
  constexpr std::uint64_t kMost = 100'000;
  const auto compression = (data[0] & 1) != 0 ? formats::Compression::kZstd : formats::Compression::kGzip;
  std::string out;
  const Status done = formats::decompress(fuzz::text_of(data + 1, size - 1), compression, kMost, out);
  if (done)
    fuzz::expect(out.size() <= kMost, "what comes out is bounded");
  else
    fuzz::expect(!done.error().message.empty(), "what is refused has a reason");
  return 0;
}
