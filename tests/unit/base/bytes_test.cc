#include "pipelines/base/bytes.h"

#include <doctest/doctest.h>

#include <limits>

using namespace leat;

TEST_CASE("sizes are read with binary units, as Flink's MemorySize does") {
  CHECK(parse_byte_size("4096").value() == 4096);
  CHECK(parse_byte_size("64 kb").value() == 64 * 1024);
  CHECK(parse_byte_size("1MiB").value() == 1 << 20);
  CHECK(parse_byte_size("2 g").value() == 2ULL << 30);
}

TEST_CASE("what is no size says what a size looks like") {
  for (const char* text : {"", "kb", "12 parsecs", "-1", "99999999999999999999", "18446744073709551615 kb"}) {
    const auto size = parse_byte_size(text);
    REQUIRE_FALSE(size);
    CHECK(size.error().message.find("expected a size such as") != std::string::npos);
  }
}

TEST_CASE("a printed size reads back as the same number") {
  for (const std::uint64_t bytes : {0ULL, 1ULL, 1023ULL, 1024ULL, 1536ULL, 1ULL << 20, 5ULL << 30})
    CHECK(parse_byte_size(format_byte_size(bytes)).value() == bytes);
}

TEST_CASE("the codec reads back what it wrote") {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.varint(std::numeric_limits<std::uint64_t>::max());
  writer.zigzag(std::numeric_limits<std::int64_t>::min());
  writer.fixed32(0xDEADBEEF);
  writer.float64(-1.5);
  writer.string("leat");
  ByteReader reader(bytes);
  CHECK(reader.varint() == std::numeric_limits<std::uint64_t>::max());
  CHECK(reader.zigzag() == std::numeric_limits<std::int64_t>::min());
  CHECK(reader.fixed32() == 0xDEADBEEF);
  CHECK(reader.float64() == -1.5);
  CHECK(reader.string() == "leat");
  CHECK(reader.ok());
  CHECK(reader.at_end());
}

TEST_CASE("a reader that ran over the end stays failed and gives zeros") {
  std::string bytes;
  ByteWriter(bytes).string("leat");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ByteReader reader(std::string_view(bytes).substr(0, cut));
    CHECK(reader.string().empty());
    CHECK_FALSE(reader.ok());
    CHECK(reader.varint() == 0);
  }
}

TEST_CASE("a varint of more than ten bytes is refused") {
  const std::string bytes(11, '\xFF');
  ByteReader reader(bytes);
  CHECK(reader.varint() == 0);
  CHECK_FALSE(reader.ok());
}
