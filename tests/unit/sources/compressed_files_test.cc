// Compressed files: read as what they become, followed, resumed, and damaged.
#include <fmt/format.h>

#include "tests/support/gzipped.h"
#include "tests/support/zstandard.h"
#include "tests/unit/sources/file_fixture.h"

namespace leat::sources {
namespace {

using test::gzipped;
using test::zstandard;

std::string numbered(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) lines += "line " + std::to_string(i) + "\n";
  return lines;
}

/// Some messages, read to the end.
bool ends(FileFixture& it) {
  return test::eventually([&] {
    it.pump();
    return it.ended;
  });
}

/// The reason of the one dead letter, which is message `index`.
std::string refusal(const FileFixture& it, std::size_t index) {
  REQUIRE(it.messages.size() > index);
  for (std::size_t i = 0; i < it.messages.size(); ++i)
    if (i != index) CHECK(!it.source->refuse(it.messages[i]));
  const auto refused = it.source->refuse(it.messages[index]);
  return refused ? refused->reason : "";
}

TEST_CASE("compressed files are read as what they become, by their names") {
  FileFixture it;
  it.folder.write("a.csv.gz", gzipped("a1\n") + gzipped("a2\n"));
  it.folder.write("b.csv.zst", zstandard("b1\n") + zstandard("b2\n"));
  it.folder.write("c.csv", "c\n");
  it.folder.write("d.csv.gz", "");
  REQUIRE(it.start().has_value());
  CHECK(it.ends_with("a1\na2\nb1\nb2\nc\n"));
}

TEST_CASE("zeros behind what is compressed by gzip are padding, and all else is damage") {
  FileFixture it;
  it.folder.write("a.gz",
                  gzipped("1\n") + std::string(200'000, '\0') + gzipped("2\n") + std::string(9, '\0'));
  it.folder.write("b.gz", gzipped("3\n") + std::string(1, '\0') + "x");
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with("1\n2\n3\n"));
  CHECK(refusal(it, it.messages.size() - 1).starts_with(it.folder.file("b.gz") + ": not gzip: "));
}

TEST_CASE("the option says how files are compressed, whatever their names") {
  FileFixture it;
  it.folder.write("a.csv", zstandard("a\n"));
  it.options["compression"] = "zstd";
  REQUIRE(it.start().has_value());
  CHECK(it.ends_with("a\n"));
}

TEST_CASE("a file of a compressed one's name is taken as it is where the option says so") {
  FileFixture it;
  it.folder.write("a.gz", "plain\n");
  it.options["compression"] = "none";
  REQUIRE(it.start().has_value());
  CHECK(it.ends_with("plain\n"));
}

TEST_CASE("a compressed file is resumed behind any message") {
  const std::string all = numbered(40);
  for (const char* name : {"a.gz", "a.zst"}) {
    const bool gzip = name == std::string("a.gz");
    for (std::size_t cut = 1; cut < 6; ++cut) {
      FileFixture it;
      it.folder.write(name, gzip ? gzipped(all.substr(0, 100)) + gzipped(all.substr(100)) : zstandard(all));
      REQUIRE(it.start().has_value());
      REQUIRE(it.ends_with(all));
      auto tracker = it.source->tracker("");
      std::string before;
      for (std::size_t i = 0; i < cut; ++i) {
        tracker->consumed(it.messages[i]);
        before += it.messages[i].payload;
      }
      it.stop();
      it.position = tracker->encode();
      REQUIRE(it.start().has_value());
      CHECK(it.ends_with(all.substr(before.size())));
    }
  }
}

TEST_CASE("a file that ends too early gives its whole lines, and one dead letter with the rest") {
  const std::string all = numbered(200'000);
  for (const char* name : {"a.gz", "a.zst"}) {
    FileFixture it;
    const std::string whole = name == std::string("a.gz") ? gzipped(all) : zstandard(all);
    const std::string half = whole.substr(0, whole.size() / 2);
    it.folder.write(name, half);
    it.folder.write("b", "next\n");
    REQUIRE(it.start(1 << 16).has_value());
    REQUIRE(ends(it));
    const std::string text = it.text();
    REQUIRE(text.size() > all.size() / 4);
    CHECK(all.starts_with(text.substr(0, text.size() - 5)));
    CHECK(text.ends_with("next\n"));
    const std::string reason = refusal(it, it.messages.size() - 2);
    CHECK(reason.starts_with(it.folder.file(name) + ": not "));
    CHECK(reason.find(fmt::format("it ends too early (at byte {} of the file)", half.size())) !=
          std::string::npos);
  }
}

TEST_CASE("what is damaged is one dead letter that names file and place, and is not told of again") {
  const std::string all = numbered(1000);
  FileFixture it;
  std::string bytes = gzipped(all);
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 1);  // Its checksum.
  it.folder.write("a.gz", bytes);
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with(all));
  const std::string reason = refusal(it, it.messages.size() - 1);
  CHECK(reason.starts_with(it.folder.file("a.gz") + ": not gzip: incorrect data check (at byte "));
  CHECK(reason.ends_with(
      fmt::format("expanded, its first {} bytes were read, and nothing behind them", all.size())));
  it.stop();
  it.ended = false;
  REQUIRE(it.start().has_value());
  CHECK(it.ends_with(""));
  CHECK(it.messages.empty());
}

TEST_CASE("a file that is not compressed as its name says, or in an unknown way, is one dead letter") {
  for (const auto& [name, reason] :
       {std::pair{"a.gz", ": not gzip: incorrect header check"},
        {"a.zst", ": not zstd: Unknown frame descriptor"},
        {"a.bz2", ": compressed in a way that is not read; gzip and zstd are"}}) {
    FileFixture it;
    it.folder.write(name, "this is text\n");
    REQUIRE(it.start().has_value());
    REQUIRE(it.ends_with(""));
    CHECK(it.messages.size() == 1);
    CHECK_MESSAGE(refusal(it, 0).starts_with(it.folder.file(name) + reason), refusal(it, 0));
  }
}

TEST_CASE("a bomb is streamed: its one line is cut like any that is too long") {
  FileFixture it;
  it.folder.write("a.zst", zstandard(std::string(200U << 20, '0') + "\nnext\n"));
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with(std::string(64U << 10, '0') + "next\n"));
  CHECK(it.source->refuse(it.messages[0])->whole_bytes == 200U << 20);
}

TEST_CASE("a compressed file that grows is followed, amid what is compressed, too") {
  FileFixture it;
  it.follow();
  const std::string all = numbered(50'000);
  const std::string bytes = gzipped(all);
  it.folder.write("a.gz", bytes.substr(0, bytes.size() / 2));
  REQUIRE(it.start(1 << 14).has_value());
  REQUIRE(test::eventually([&] {
    it.pump();
    return it.text().size() > all.size() / 4;
  }));
  it.folder.append("a.gz", bytes.substr(bytes.size() / 2));
  REQUIRE(it.has(all));
  CHECK(refusal(it, 0).empty());
  it.stop();
  it.folder.append("a.gz", gzipped("more\n"));
  it.folder.write("b.zst", zstandard("b\n"));
  REQUIRE(it.start(1 << 14).has_value());
  CHECK(it.has("more\nb\n"));
}

TEST_CASE("a followed file that is compressed and whole need not end its last line") {
  for (const char* name : {"a.gz", "a.zst"}) {
    const auto packed = [&](const char* text) {
      return name == std::string("a.gz") ? gzipped(text) : zstandard(text);
    };
    FileFixture it;
    it.follow();
    it.folder.write(name, packed("1\n2"));
    REQUIRE(it.start().has_value());
    REQUIRE(it.has("1\n2"));
    it.folder.append(name, packed("3\n"));
    REQUIRE(it.has("1\n23\n"));
    it.stop();
    it.folder.append(name, packed("4\n5"));
    REQUIRE(it.start().has_value());
    CHECK(it.has("4\n5"));
  }
}

TEST_CASE("a compressed file that another one has replaced is read from its start") {
  FileFixture it;
  it.follow();
  it.options["source.path.regex-pattern"] = ".*\\.gz";
  it.folder.write("a.gz", gzipped("one\n"));
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("one\n"));
  it.folder.write("new", gzipped("another\n"));
  it.move("new", "a.gz");
  CHECK(it.has("one\nanother\n"));
}

}  // namespace
}  // namespace leat::sources
