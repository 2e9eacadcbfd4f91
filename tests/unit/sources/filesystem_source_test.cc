#include <doctest/doctest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sources/filesystem/file_position.h"
#include "sources/filesystem/file_tree.h"
#include "sources/filesystem/line_reader.h"
#include "tests/unit/sources/file_fixture.h"

namespace leat::sources {
namespace {

using test::eventually;

/// Threads that are begun in its life may read what everybody may: root may read everything.
class Stranger {
 public:
  Stranger() { ::setfsuid(kNobody); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  ~Stranger() { ::setfsuid(::geteuid()); }

 private:
  static constexpr uid_t kNobody = 65534;
};

void allow(const std::string& path, mode_t mode) {
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

TEST_CASE("a folder is read in the order of its names, hidden files are not") {
  FileFixture it;
  it.folder.write("b.csv", "b1\nb2\n");
  it.folder.write("a.csv", "a1\n");
  it.folder.write(".c.csv", "hidden\n");
  it.folder.write("_d.csv", "hidden\n");
  REQUIRE(it.start().has_value());
  CHECK(it.ends_with("a1\nb1\nb2\n"));
  CHECK(it.source->health().link == SourceHealth::Link::kEnded);
}

TEST_CASE("the regular expression chooses files by their whole path") {
  FileFixture it;
  it.folder.write("a.csv", "a\n");
  it.folder.write("a.txt", "t\n");
  it.options["source.path.regex-pattern"] = ".*\\.csv";
  REQUIRE(it.start().has_value());
  CHECK(it.ends_with("a\n"));
}

TEST_CASE("a pattern names files and folders in folders") {
  FileFixture it;
  for (const char* folder :
       {"2026-01/line1", "2026-01/line2", "2026-02/line1/deep", "2026-01/.line9", "2025-12/line1"})
    std::filesystem::create_directories(it.folder.file(folder));
  it.folder.write("2025-12/line1/a.csv", "old\n");
  it.folder.write("2026-01/line1/a.csv", "1\n");
  it.folder.write("2026-01/line1/_a.csv", "hidden\n");
  it.folder.write("2026-01/line2/a.csv", "2\n");
  it.folder.write("2026-01/line2/a.txt", "text\n");
  it.folder.write("2026-01/.line9/a.csv", "hidden\n");
  it.folder.write("2026-02/line1/deep/a.csv", "3\n");
  const auto reads = [&](const std::string& pattern, const std::string& expected) {
    it.options["path"] = it.folder.file(pattern);
    it.ended = false;
    REQUIRE(it.start().has_value());
    CHECK_MESSAGE(it.ends_with(expected), pattern, ": ", it.text());
    it.stop();
    it.position.clear();
  };
  reads("2026-*/line?/*.csv", "1\n2\n");
  reads("2026-*/line[2-9]", "2\ntext\n");
  reads("2026-*/**/*.csv", "1\n2\n3\n");
  reads("**/*.txt", "text\n");
  reads("2026-01/.line*/a.csv", "hidden\n");
  reads("2026-0?/line1/**", "1\n3\n");
}

TEST_CASE("a name with the characters of a pattern is a name where there is such a file") {
  FileFixture it;
  it.folder.write("a[1].csv", "it\n");
  it.folder.write("a1.csv", "not\n");
  it.options["path"] = it.folder.file("a[1].csv");
  REQUIRE(it.start().has_value());
  CHECK(it.ends_with("it\n"));
}

TEST_CASE(
    "a pattern that nothing matches is an error of a bounded source, and waited for by one that follows") {
  FileFixture it;
  it.options["path"] = it.folder.file("*/x-*.csv");
  const Status started = it.start();
  REQUIRE(!started.has_value());
  CHECK(started.error().message.find("*/x-*.csv: nothing has such a name") != std::string::npos);
  it.follow();
  REQUIRE(it.start().has_value());
  REQUIRE(eventually([&] { return it.source->health().link == SourceHealth::Link::kUnreadable; }));
  std::filesystem::create_directory(it.folder.file("d"));
  it.folder.write("d/x-1.csv", "1\n");
  REQUIRE(it.has("1\n"));
  it.folder.append("d/x-1.csv", "2\n");
  it.folder.write("d/x-2.csv", "3\n");
  CHECK(it.has("1\n2\n3\n"));
}

TEST_CASE("a byte order mark is no part of a text at the start of its file, and is elsewhere") {
  const std::string line = "\xEF\xBB\xBFx\n";
  for (const std::size_t chunk : {1, 5, 1000}) {
    for (const bool raw : {false, true}) {
      FileFixture it;
      it.is_text = !raw;
      it.folder.write("a", line + line);
      it.folder.write("b", line);
      REQUIRE(it.start(chunk).has_value());
      CHECK(it.ends_with(raw ? line + line + line : "x\n" + line + "x\n"));
    }
  }
}

TEST_CASE("a chunk ends with a line, and a line longer than a chunk stays whole") {
  FileFixture it;
  const std::string longer(1000, 'x');
  it.folder.write("f", "one\n" + longer + "\ntwo\nthree");
  REQUIRE(it.start(16).has_value());
  REQUIRE(it.ends_with("one\n" + longer + "\ntwo\nthree"));
  for (std::size_t i = 0; i + 1 < it.messages.size(); ++i) CHECK(it.messages[i].payload.back() == '\n');
}

TEST_CASE("a bounded source resumes behind any message of any file") {
  std::string all;
  for (int i = 0; i < 30; ++i) all += "line " + std::to_string(i) + "\n";
  for (std::size_t cut = 1; cut < 8; ++cut) {
    FileFixture it;
    it.folder.write("a", all);
    it.folder.write("b", all);
    REQUIRE(it.start().has_value());
    REQUIRE(it.ends_with(all + all));
    REQUIRE(it.messages.size() > cut);
    auto tracker = it.source->tracker("");
    std::string before;
    for (std::size_t i = 0; i < cut; ++i) {
      tracker->consumed(it.messages[i]);
      before += it.messages[i].payload;
    }
    it.stop();
    it.position = tracker->encode();
    REQUIRE(it.start().has_value());
    CHECK(it.ends_with((all + all).substr(before.size())));
  }
}

TEST_CASE("a bounded source without its file names what is missing") {
  FileFixture it;
  it.options["path"] = it.folder.file("nothing.csv");
  const Status started = it.start();
  REQUIRE(!started.has_value());
  CHECK(started.error().code == ErrorCode::kNotFound);
  CHECK(started.error().message.find("nothing.csv") != std::string::npos);
}

TEST_CASE("a source that follows takes new lines and new files, and waits for the end of a line") {
  FileFixture it;
  it.follow();
  it.folder.write("a", "one\ntw");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("one\n"));
  it.folder.append("a", "o\n");
  REQUIRE(it.has("one\ntwo\n"));
  it.folder.write("b", "three\n");
  REQUIRE(it.has("one\ntwo\nthree\n"));
  it.folder.append("a", "four\n");
  CHECK(it.has("one\ntwo\nthree\nfour\n"));
}

TEST_CASE("a source that follows knows after a restart how far it was in each file") {
  FileFixture it;
  it.follow();
  it.folder.write("a", "a1\n");
  it.folder.write("b", "b1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("a1\nb1\n"));
  it.stop();
  it.folder.append("a", "a2\n");
  it.folder.append("b", "b2\n");
  REQUIRE(it.start().has_value());
  CHECK(it.has("a2\nb2\n"));
}

TEST_CASE("a file that was replaced or cut short is read from its start") {
  FileFixture it;
  it.follow();
  it.folder.write("a", "old line\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("old line\n"));
  it.folder.write(".new", "a new and longer line\n");
  std::filesystem::rename(it.folder.file(".new"), it.folder.file("a"));
  REQUIRE(it.has("old line\na new and longer line\n"));
  it.folder.write("a", "short\n");
  CHECK(it.has("old line\na new and longer line\nshort\n"));
}

TEST_CASE("positions of files that are gone are forgotten") {
  FileFixture it;
  it.follow();
  it.folder.write("a", "a\n");
  it.folder.write("b", "b\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("a\nb\n"));
  std::filesystem::remove(it.folder.file("a"));
  // The next message carries the news, once a look without `a` has been taken.
  REQUIRE(eventually([&] {
    it.folder.append("b", "more\n");
    it.pump();
    return decode_position(it.tracker->encode())->size() == 1;
  }));
}

TEST_CASE("metadata names the file") {
  FileFixture it;
  it.folder.write("a.csv", "line\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with("line\n"));
  ColumnBuilder name(Type::string());
  ColumnBuilder size(Type::big_int());
  ColumnBuilder* columns[] = {&name, &size};
  it.source->append_metadata(it.messages.front(), columns);
  CHECK(name.finish()->value(0) == Value::string("a.csv"));
  CHECK(size.finish()->value(0) == Value::integer(5));
}

TEST_CASE("a line beyond all measure is refused with its beginning, and the next one is there") {
  FileFixture it;
  it.folder.write("a", "one\n" + std::string(kMaxLineBytes + 1000, 'x') + "\ntwo\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with("one\n" + std::string(kKeptLineBytes, 'x') + "two\n"));
  REQUIRE(it.messages.size() == 3);
  CHECK_FALSE(it.source->refuse(it.messages[0]).has_value());
  const auto refusal = it.source->refuse(it.messages[1]);
  REQUIRE(refusal);
  CHECK(refusal->reason == "line of 16778216 bytes is longer than the limit of 16777216 bytes");
  CHECK(refusal->whole_bytes == 16'778'216);
  CHECK_FALSE(it.source->refuse(it.messages[2]).has_value());
}

TEST_CASE("a log that is rotated within the folder is read once, in the order it was written") {
  FileFixture it;
  it.follow();
  it.folder.write("a.log", "1\n2\n");
  it.folder.write("a.log.1", "0\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("1\n2\n0\n"));
  it.folder.append("a.log", "3\n");
  it.move("a.log.1", "a.log.2");
  it.move("a.log", "a.log.1");
  it.folder.write("a.log", "4\n");
  REQUIRE(it.has("1\n2\n0\n3\n4\n"));
  it.stop();
  it.folder.append("a.log.1", "late\n");
  it.folder.append("a.log.2", "later\n");
  REQUIRE(it.start().has_value());
  CHECK(it.has("late\nlater\n"));
}

TEST_CASE("a log that was rotated while the source was stopped is gone on with under its new name") {
  FileFixture it;
  it.follow();
  it.folder.write("a.log", "1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("1\n"));
  it.stop();
  it.folder.append("a.log", "2\n");
  it.move("a.log", "a.log.1");
  it.folder.write("a.log", "3\n");
  REQUIRE(it.start().has_value());
  CHECK(it.has("2\n3\n"));
}

TEST_CASE("the last lines of a followed file are read after it was renamed away") {
  FileFixture it;
  it.follow();
  it.options["path"] = it.folder.file("a.log");
  it.folder.write("a.log", "1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("1\n"));
  it.folder.append("a.log", "2\n3");
  it.move("a.log", "a.log.1");
  it.folder.write("a.log", "4\n");
  CHECK(it.has("1\n2\n34\n"));
}

TEST_CASE("the last lines of a file are read after its new name has left the pattern") {
  FileFixture it;
  it.follow();
  it.options["source.path.regex-pattern"] = ".*\\.log";
  it.folder.write("a.log", "1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("1\n"));
  it.folder.append("a.log", "2\n");
  it.move("a.log", "a.log.1");
  CHECK(it.has("1\n2\n"));
}

TEST_CASE("two names of one file are two files") {
  FileFixture it;
  it.follow();
  it.folder.write("a", "1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("1\n"));
  std::filesystem::create_hard_link(it.folder.file("a"), it.folder.file("b"));
  REQUIRE(it.has("1\n1\n"));
  it.folder.append("b", "2\n");
  CHECK(it.has("1\n1\n2\n2\n"));
}

TEST_CASE("a new file that got the inode of a removed one is read from its start") {
  FileFixture it;
  it.follow();
  it.folder.write("a", "old line\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("old line\n"));
  it.stop();
  // The same inode, another name, other bytes.
  it.move("a", "b");
  it.folder.write("b", "new line, and more\n");
  REQUIRE(it.start().has_value());
  CHECK(it.has("new line, and more\n"));
}

TEST_CASE("a file that cannot be opened is named with the reason, and read when it can be") {
  FileFixture it;
  it.follow();
  it.options["path"] = it.folder.file("a.log");
  // Links that lead in a circle: refused even to root, whom permissions do not stop.
  std::filesystem::create_symlink(it.folder.file("a.log"), it.folder.file("a.log"));
  REQUIRE(it.start().has_value());
  REQUIRE(eventually([&] { return it.source->health().link == SourceHealth::Link::kUnreadable; }));
  CHECK(it.source->health().detail.find("a.log: ") != std::string::npos);
  CHECK(it.source->health().losses == 0);
  std::filesystem::remove(it.folder.file("a.log"));
  it.folder.write("a.log", "1\n");
  CHECK(it.has("1\n"));
}

TEST_CASE("records are cut where the format says, over chunks and while a file grows") {
  FileFixture it;
  it.splitter = [](std::string_view bytes, formats::Behind) { return bytes.rfind(';') + 1; };
  it.follow();
  it.folder.write("a", "one\nrecord;two");
  REQUIRE(it.start(4).has_value());
  REQUIRE(it.has("one\nrecord;"));
  it.folder.append("a", "\n;");
  CHECK(it.has("one\nrecord;two\n;"));
}

TEST_CASE("what is written to a renamed file before its successor is there is read") {
  FileFixture it;
  it.follow();
  it.options["path"] = it.folder.file("a.log");
  it.folder.write("a.log", "1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("1\n"));
  it.move("a.log", "a.log.1");
  REQUIRE(eventually([&] { return it.source->health().link == SourceHealth::Link::kUnreadable; }));
  it.folder.append("a.log.1", "2\n");
  REQUIRE(it.has("1\n2\n"));
  it.folder.write("a.log", "3\n");
  CHECK(it.has("1\n2\n3\n"));
}

TEST_CASE("a file that was rewritten in place, no shorter than before, is read from its start") {
  FileFixture it;
  it.follow();
  it.folder.write("a", "old line\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("old line\n"));
  it.stop();
  it.folder.write("a", "new line, and more\n");
  REQUIRE(it.start().has_value());
  CHECK(it.has("new line, and more\n"));
}

TEST_CASE("a position from before the tails were kept is still read") {
  const std::string position = std::string("\x01\x01\x01", 3) + "a" + "\x05\x07";
  const auto places = decode_position(position);
  REQUIRE(places.has_value());
  CHECK(places->at("a").offset == 5);
  CHECK(places->at("a").inode == 7);
  CHECK(places->at("a").tail == 0);
}

TEST_CASE("the header of each file is passed over, and its names go with the lines") {
  for (const std::size_t chunk : {1, 5, 1000}) {
    FileFixture it;
    it.with_header("names");
    it.folder.write("a.csv", "s,n\nx,1\ny,2\n");
    it.folder.write("b.csv", "n,\"s\nt\"\n3,z\n");
    it.folder.write("c.csv", "s,n");
    it.folder.write("d.csv", "");
    REQUIRE(it.start(chunk).has_value());
    REQUIRE(it.ends_with("x,1\ny,2\n3,z\n"));
    for (const Message& message : it.messages)
      CHECK(message.key == (message.payload == "3,z\n" ? "n,\"s\nt\"\n" : "s,n\n"));
  }
}

TEST_CASE("a file whose lines end with carriage returns alone is told, and not passed over as a header") {
  for (const char* how : {"names", "skip"}) {
    FileFixture it;
    it.with_header(how);
    it.folder.write("a.csv", "s,n\rx,1\ry,2\r");
    it.folder.write("b.csv", "s,n\r");
    REQUIRE(it.start().has_value());
    REQUIRE(it.ends_with("s,n\rx,1\ry,2\r"));
    REQUIRE(it.messages.size() == 1);
    const auto refused = it.source->refuse(it.messages[0]);
    REQUIRE(refused.has_value());
    CHECK(refused->reason ==
          it.folder.file("a.csv") + ": its lines end with carriage returns alone; end them with newlines");
  }
}

TEST_CASE("a file that is gone on with amid its lines still has its names") {
  FileFixture it;
  it.with_header("names");
  it.follow();
  it.folder.write("a.csv", "s,n\nx,1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("x,1\n"));
  it.stop();
  it.folder.append("a.csv", "y,2\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("y,2\n"));
  CHECK(it.messages[0].key == "s,n\n");
}

TEST_CASE("a file that was renamed away has the names of its own header, whoever has its path now") {
  FileFixture it;
  it.with_header("names");
  it.follow();
  it.options["path"] = it.folder.file("a.csv");
  it.folder.write("a.csv", "s,n\nx,1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("x,1\n"));
  it.stop();
  it.folder.append("a.csv", "y,2\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("y,2\n"));
  it.move("a.csv", "a.csv.1");
  REQUIRE(eventually([&] { return it.source->health().link == SourceHealth::Link::kUnreadable; }));
  it.folder.append("a.csv.1", "z,3\n");
  REQUIRE(it.has("y,2\nz,3\n"));
  it.folder.append("a.csv.1", "u,4");
  it.folder.write("a.csv", "n,s\n5,v\n");
  REQUIRE(it.has("y,2\nz,3\nu,45,v\n"));
  for (const Message& message : it.messages)
    CHECK(message.key == (message.payload == "5,v\n" ? "n,s\n" : "s,n\n"));
}

TEST_CASE("a header is waited for while its file grows, and passed over without its names where so asked") {
  FileFixture it;
  it.with_header("skip");
  it.follow();
  it.folder.write("a.csv", "s,");
  it.folder.write("b.csv", "s,n\nb,1\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.has("b,1\n"));
  it.folder.append("a.csv", "n\na,1\n");
  REQUIRE(it.has("b,1\na,1\n"));
  CHECK(it.messages[0].key.empty());
}

TEST_CASE("the columns of PARTITIONED BY are in the names of folders") {
  FileFixture it;
  it.partitions = {{{"day", Type::date()}, {"site", Type::string()}}};
  it.metadata = {"site", "day"};
  for (const char* folder : {"day=2026-11-29/site=a%2Fb", "day=__DEFAULT_PARTITION__/site=c"})
    std::filesystem::create_directories(it.folder.file(folder));
  it.folder.write("day=2026-11-29/site=a%2Fb/f", "1\n");
  it.folder.write("day=__DEFAULT_PARTITION__/site=c/f", "2\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with("1\n2\n"));
  ColumnBuilder site(Type::string());
  ColumnBuilder day(Type::date());
  ColumnBuilder* columns[] = {&site, &day};
  for (const Message& message : it.messages) it.source->append_metadata(message, columns);
  const ColumnPtr sites = site.finish();
  const ColumnPtr days = day.finish();
  CHECK(sites->value(0) == Value::string("a/b"));
  CHECK(days->value(0) == Value::integer(20'786));
  CHECK(sites->value(1) == Value::string("c"));
  CHECK(days->is_null(1));
}

TEST_CASE("a file in no folder of a partition, or in one that has no value, is one dead letter") {
  FileFixture it;
  it.partitions = {{{"day", Type::date()}}};
  it.metadata = {};
  std::filesystem::create_directories(it.folder.file("day=never"));
  it.folder.write("day=never/f", "1\n2\n");
  it.folder.write("stray", "3\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with(""));
  REQUIRE(it.messages.size() == 2);
  CHECK(it.source->refuse(it.messages[0])->reason ==
        it.folder.file("day=never/f") + ": column 'day' of the folders: expected DATE, found \"never\"");
  CHECK(it.source->refuse(it.messages[1])->reason == it.folder.file("stray") + " is in no folder 'day=…'");
}

TEST_CASE("the folders of a partition are never hidden, whatever the name of its column") {
  for (const char* path : {"", "/*", "/**"}) {
    FileFixture it;
    it.partitions = {{{"_p", Type::string()}, {".q", Type::integer()}}};
    it.options["path"] += path;
    std::filesystem::create_directories(it.folder.file("_p=x/.q=1"));
    std::filesystem::create_directories(it.folder.file("_other=x/.q=1"));
    it.folder.write("_p=x/.q=1/f", "1\n");
    it.folder.write("_p=x/.q=1/.q=2", "hidden\n");
    it.folder.write("_other=x/.q=1/f", "hidden\n");
    REQUIRE(it.start().has_value());
    CHECK(it.ends_with("1\n"));
  }
}

TEST_CASE("a name that is no UTF-8 is bad as a value of a partition, and replaced as metadata") {
  FileFixture it;
  it.partitions = {{{"site", Type::string()}}};
  it.metadata = {"file.name", "file.path"};
  std::filesystem::create_directory(it.folder.file("site=%FF"));
  std::filesystem::create_directory(it.folder.file("site=x"));
  it.folder.write("site=%FF/f", "1\n");
  it.folder.write("site=x/a\xff", "2\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with("2\n"));
  REQUIRE(it.messages.size() == 2);
  CHECK(it.source->refuse(it.messages[0])->reason ==
        it.folder.file("site=%FF/f") + ": column 'site' of the folders: invalid UTF-8");
  ColumnBuilder name(Type::string());
  ColumnBuilder path(Type::string());
  ColumnBuilder* columns[] = {&name, &path};
  it.source->append_metadata(it.messages[1], columns);
  CHECK(name.finish()->value(0) == Value::string("a\uFFFD"));
  CHECK(path.finish()->value(0) == Value::string(it.folder.file("site=x/a\uFFFD")));
  CHECK(it.source->describe(it.messages[1])[0].second == it.folder.file("site=x/a\uFFFD"));
}

TEST_CASE("a pipe is refused at once, and passed over in a folder") {
  for (const bool follows : {false, true}) {
    FileFixture it;
    const std::string pipe = it.folder.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    it.folder.write("a", "1\n");
    if (follows) it.follow();
    REQUIRE(it.start().has_value());
    REQUIRE(it.has("1\n"));
    it.stop();
    it.options["path"] = pipe;
    const Status started = it.start();
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().message.starts_with(pipe + " is a pipe, a terminal or a device, which cannot"));
    CHECK(local_files()->open(pipe).error().code == ErrorCode::kConflict);
  }
}

TEST_CASE("a batch ends with the reason where it may not read a file or look into a folder") {
  FileFixture it;
  it.folder.write("a", "1\n");
  it.folder.write("b", "2\n");
  std::filesystem::create_directory(it.folder.file("c"));
  allow(it.folder.path(), 0755);
  allow(it.folder.file("b"), 0);
  {
    const Stranger stranger;
    REQUIRE(it.start().has_value());
  }
  REQUIRE(it.ends_with("1\n"));
  CHECK(it.source->health().link == SourceHealth::Link::kFailed);
  CHECK(it.source->health().detail == it.folder.file("b") + ": Permission denied");
  it.stop();
  allow(it.folder.file("c"), 0);
  for (const char* path : {"", "/**/f"}) {
    it.options["path"] = it.folder.path() + path;
    const Stranger stranger;
    const Status started = it.start();
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().message.starts_with(it.folder.file("c")));
    CHECK(started.error().message.ends_with(": Permission denied"));
  }
  allow(it.folder.file("c"), 0755);
}

TEST_CASE("a source that follows tells what it may not read, reads the rest, and keeps its places") {
  FileFixture it;
  it.follow();
  const std::string closed = it.folder.file("c");
  std::filesystem::create_directory(closed);
  it.folder.write("a", "1\n");
  it.folder.write("b", "2\n");
  it.folder.write("c/f", "3\n");
  allow(it.folder.path(), 0755);
  allow(it.folder.file("b"), 0);
  allow(closed, 0);
  {
    const Stranger stranger;
    REQUIRE(it.start().has_value());
  }
  const auto has_trouble = [&](const std::string& text) {
    return eventually([&] { return it.source->health().trouble == text; });
  };
  REQUIRE(it.has("1\n"));
  REQUIRE(has_trouble(closed + ": Permission denied, and 1 more that cannot be read"));
  CHECK(it.source->health().link == SourceHealth::Link::kIdle);
  allow(it.folder.file("b"), 0644);
  REQUIRE(it.has("1\n2\n"));
  allow(closed, 0755);
  REQUIRE(it.has("1\n2\n3\n"));
  REQUIRE(has_trouble(""));
  allow(closed, 0);
  REQUIRE(has_trouble(closed + ": Permission denied"));
  allow(closed, 0755);
  it.folder.append("c/f", "4\n");
  CHECK(it.has("1\n2\n3\n4\n"));
}

TEST_CASE("a bounded source tells how much there is, and how far it is") {
  FileFixture it;
  it.folder.write("a", "12345\n");
  it.folder.write("b", "123\n");
  REQUIRE(it.start().has_value());
  REQUIRE(it.ends_with("12345\n123\n"));
  CHECK(it.source->health().whole_bytes == 10);
  CHECK(it.source->health().done_bytes == 10);
}

TEST_CASE("wrong filesystem options are errors") {
  for (const OptionMap& map : {OptionMap{}, OptionMap{{"path", "x"}, {"source.path.regex-pattern", "("}},
                               OptionMap{{"path", "x"}, {"source.monitor-interval", "0 s"}},
                               OptionMap{{"path", "x"}, {"source.monitor-interval", "200000 d"}},
                               OptionMap{{"path", "x"}, {"compression", "lzma"}},
                               OptionMap{{"path", "x"}, {"format", "json"}, {"file.header", "names"}}}) {
    std::vector<OptionError> errors;
    filesystem_connector().info.validate_source(map, {{.key = "format"}}, errors);
    CHECK(errors.size() == 1);
  }
}

}  // namespace
}  // namespace leat::sources
