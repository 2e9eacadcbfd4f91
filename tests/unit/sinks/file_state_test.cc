#include "sinks/filesystem/file_state.h"

#include <doctest/doctest.h>

#include "pipelines/base/bytes.h"

using namespace leat;
using namespace leat::sinks;

TEST_CASE("the states of files come back, and any other bytes are corrupt") {
  const std::string bytes =
      encode_files({{"", 3, 500, -7, 9, "0123", ".json"}, {"day=1", 8, 20, 1, 2, "0123", ".json.gz", "5f"}});
  const auto files = decode_files(bytes);
  REQUIRE(files);
  REQUIRE(files->size() == 2);
  CHECK(files->at(0).length == 500);
  CHECK(files->at(0).opened == -7);
  CHECK(files->at(0).store == "0123");
  CHECK(files->at(1).folder == "day=1");
  CHECK(files->at(1).number == 8);
  CHECK(files->at(1).form == ".json.gz");
  CHECK(files->at(0).mark.empty());
  CHECK(files->at(1).mark == "5f");
  CHECK(decode_files("")->empty());
  for (std::size_t length = 1; length < bytes.size(); ++length)
    CHECK_FALSE(decode_files(bytes.substr(0, length)));
  CHECK_FALSE(decode_files(bytes + "x"));
}

TEST_CASE("a file that is not begun is kept for the number of the next one, in a folder not at all") {
  const auto files = decode_files(encode_files({{.number = 4}, {.folder = "day=1", .number = 9}}));
  REQUIRE(files);
  REQUIRE(files->size() == 1);
  CHECK(files->at(0).number == 4);
}

TEST_CASE("states of earlier versions are one file") {
  for (const std::uint8_t version : {std::uint8_t{1}, std::uint8_t{2}}) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.u8(version);
    writer.varint(3);
    writer.varint(500);
    writer.zigzag(-7);
    writer.zigzag(9);
    if (version == 2) writer.string("0123");
    const auto files = decode_files(bytes);
    REQUIRE(files);
    REQUIRE(files->size() == 1);
    CHECK(files->at(0).written == 9);
    CHECK(files->at(0).store == (version == 2 ? "0123" : ""));
    CHECK(files->at(0).form.empty());
  }
}

TEST_CASE("a state of version 3 has files without marks") {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(3);
  writer.varint(1);
  writer.string("day=1");
  writer.varint(3);
  writer.varint(500);
  writer.zigzag(-7);
  writer.zigzag(9);
  writer.string("0123");
  writer.string(".csv");
  const auto files = decode_files(bytes);
  REQUIRE(files);
  REQUIRE(files->size() == 1);
  CHECK(files->at(0).folder == "day=1");
  CHECK(files->at(0).form == ".csv");
  CHECK(files->at(0).mark.empty());
}

TEST_CASE("files are kept by folder, one in each") {
  FileStates files;
  file_in(files, "b").number = 2;
  file_in(files, "a").number = 1;
  file_in(files, "b").length = 7;
  REQUIRE(files.size() == 2);
  CHECK(files[0].folder == "a");
  CHECK(files[1].length == 7);
}
