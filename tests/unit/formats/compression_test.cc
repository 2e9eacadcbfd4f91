// Compressed payloads: what comes out, what is damaged, and bombs.
#include "pipelines/formats/compression.h"

#include "format_fixture.h"
#include "tests/support/gzipped.h"
#include "tests/support/zstandard.h"

namespace leat::formats {
namespace {

using test::gzipped;
using test::zstandard;

constexpr std::uint64_t kMost = 1U << 20;

/// What it becomes, or why not.
std::string decompressed(const std::string& payload, Compression compression,
                         std::uint64_t max_size = kMost) {
  std::string out;
  const Status done = decompress(payload, compression, max_size, out);
  return done ? out : "bad: " + done.error().message;
}

const std::string kText = "{\"s\": \"x\"}";

TEST_CASE("what is compressed comes out, in one frame or several") {
  std::string large;
  for (int i = 0; i < 50'000; ++i) large += std::to_string(i * 7919);
  for (const std::string& text : {kText, std::string(), large}) {
    CHECK(decompressed(gzipped(text), Compression::kGzip) == text);
    CHECK(decompressed(zstandard(text), Compression::kZstd) == text);
    CHECK(decompressed(gzipped(text) + gzipped(kText), Compression::kGzip) == text + kText);
    CHECK(decompressed(zstandard(text) + zstandard(kText), Compression::kZstd) == text + kText);
  }
}

TEST_CASE("what is cut, damaged or followed by something else is bad") {
  for (const Compression one : {Compression::kGzip, Compression::kZstd}) {
    const std::string payload = one == Compression::kGzip ? gzipped(kText) : zstandard(kText);
    const std::string name = one == Compression::kGzip ? "gzip" : "zstd";
    for (std::size_t length = 0; length < payload.size(); ++length)
      CHECK(decompressed(payload.substr(0, length), one) == "bad: not " + name + ": it ends too early");
    CHECK(decompressed(payload + "more", one).starts_with("bad: not " + name));
  }
  std::string damaged = gzipped(kText);
  damaged[damaged.size() - 6] ^= 1;  // In the checksum.
  CHECK(decompressed(damaged, Compression::kGzip) == "bad: not gzip: incorrect data check");
}

TEST_CASE("a bomb is stopped at the bound, which itself is allowed") {
  const std::string zeros(kMost, '\0');
  const std::string message = "bad: decompressed, it has more than 1048576 bytes";
  CHECK(decompressed(gzipped(zeros), Compression::kGzip) == zeros);
  CHECK(decompressed(zstandard(zeros), Compression::kZstd) == zeros);
  CHECK(decompressed(gzipped(zeros + '\0'), Compression::kGzip) == message);
  CHECK(decompressed(zstandard(zeros + '\0'), Compression::kZstd) == message);
  CHECK(decompressed(gzipped(std::string(100U << 20, '\0')), Compression::kGzip) == message);
  CHECK(decompressed(zstandard(std::string(100U << 20, '\0')), Compression::kZstd) == message);
}

TEST_CASE("compressing gives back what went in, and the same bytes each time") {
  for (const Compression compression : {Compression::kGzip, Compression::kZlib, Compression::kZstd}) {
    for (const std::string& text : {std::string(), kText, std::string(100'000, 'y')}) {
      const auto packed = compress(text, compression);
      REQUIRE(packed);
      CHECK(decompressed(*packed, compression) == text);
      CHECK(*compress(text, compression) == *packed);
      if (compression != Compression::kZlib)  // Which has one end.
        CHECK(decompressed(*packed + *packed, compression) == text + text);
    }
  }
}

TEST_CASE("what is compressed has a checksum, by which damage is known") {
  for (const Compression compression : {Compression::kGzip, Compression::kZlib, Compression::kZstd}) {
    std::string packed = *compress("1234567890abcdefghij", compression);
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 1);
    CHECK(decompressed(packed, compression).starts_with("bad: "));
  }
}

TEST_CASE("members that hold nothing take no time, however much there is already") {
  std::string payload = gzipped(std::string(kMost, 'x'));
  const std::string empty = gzipped("");
  for (int i = 0; i < 100'000; ++i) payload += empty;
  CHECK(decompressed(payload, Compression::kGzip).size() == kMost);
}

TEST_CASE("zlib has no members: what follows its end is no part of it") {
  const std::string one = *compress(kText, Compression::kZlib);
  CHECK(decompressed(one, Compression::kZlib) == kText);
  CHECK(decompressed(one + one, Compression::kZlib) == "bad: not zlib: bytes follow its end");
}

TEST_CASE("zlib is not gzip, and says so when it is cut") {
  const std::string packed = *compress(kText, Compression::kZlib);
  CHECK(decompressed(packed.substr(0, packed.size() - 1), Compression::kZlib) ==
        "bad: not zlib: it ends too early");
  CHECK(decompressed(gzipped(kText), Compression::kZlib) == "bad: not zlib: incorrect header check");
  CHECK(decompressed(packed, Compression::kGzip) == "bad: not gzip: incorrect header check");
}

TEST_CASE("a table's bound is as written, and else the default") {
  CHECK(max_decompressed_of({}).bytes == kMost);
  CHECK(max_decompressed_of({{"payload.max-decompressed-size", "2 mb"}}).bytes == 2 * kMost);
}

TEST_CASE("payloads are told apart by how they begin") {
  CHECK(compression_of(gzipped(kText), Compression::kGzip) == Compression::kGzip);
  CHECK(compression_of(gzipped(kText), Compression::kZstd) == Compression::kNone);
  CHECK(compression_of(zstandard(kText), Compression::kAuto) == Compression::kZstd);
  CHECK(compression_of(kText, Compression::kAuto) == Compression::kNone);
  CHECK(compression_of("", Compression::kAuto) == Compression::kNone);
}

TEST_CASE("a decoder sees what was compressed, and texts stay where the columns keep them") {
  DecodeRequest request{.schema = {{{"s", Type::string()}}}, .wanted = {0}};
  const auto decoder = decompressing(*find_format("json")->make_decoder({}, request),
                                     {.compression = Compression::kAuto, .max_size = {100}});
  ColumnBuilder builder(Type::string());
  ColumnBuilder* const columns[] = {&builder};
  std::vector<BadRecord> bad;
  std::string plain = kText + std::string(kPayloadPadding, '\0');
  DecodeCount count;
  for (int i = 0; i < 3; ++i) {
    const std::string payload =
        i == 1 ? zstandard(R"({"s": "second, long enough for a heap"})") : gzipped(R"({"s": "first"})");
    count.rows += decoder->decode(payload, columns, bad).rows;
  }
  count.rows += decoder->decode(std::string_view(plain).substr(0, kText.size()), columns, bad).rows;
  CHECK(decoder->decode(gzipped(std::string(200, ' ')), columns, bad).rows == 0);
  CHECK(decoder->decode(gzipped("{"), columns, bad).rows == 0);
  CHECK(decoder->decode(gzipped(""), columns, bad).empty == 1);
  REQUIRE(count.rows == 4);
  REQUIRE(bad.size() == 2);
  CHECK(bad[0].reason ==
        "decompressed, it has more than 100 bytes, which 'payload.max-decompressed-size' allows");
  const ColumnPtr column = builder.finish();
  CHECK(column->strings()[0] == "first");
  CHECK(column->strings()[1] == "second, long enough for a heap");
  CHECK(column->strings()[3] == "x");
}

TEST_CASE("without compression the decoder is the format's own") {
  DecodeRequest request{.schema = {{{"s", Type::string()}}}, .wanted = {0}};
  auto decoder = *find_format("json")->make_decoder({}, request);
  const Decoder* const own = decoder.get();
  CHECK(decompressing(std::move(decoder), {}).get() == own);
}

}  // namespace
}  // namespace leat::formats
