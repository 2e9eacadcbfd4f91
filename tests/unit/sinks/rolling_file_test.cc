#include "sinks/filesystem/rolling_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace leat;
using namespace leat::sinks;

namespace {

struct Folder {
  std::string path = make();
  ~Folder() { std::filesystem::remove_all(path); }

  static std::string make() {
    std::string name = (std::filesystem::temp_directory_path() / "leat-files-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream file(path + "/" + name);
    return (std::stringstream() << file.rdbuf()).str();
  }
  [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(path + "/" + name); }
};

}  // namespace

TEST_CASE("a new folder is made with those above it") {
  const Folder folder;
  REQUIRE(ensure_folder(folder.path + "/a/b"));
  REQUIRE(ensure_folder(folder.path + "/a/b"));
  REQUIRE(append_at(folder.path + "/a/b", "f", 0, "x"));
  CHECK(ensure_folder(folder.path + "/a/b/f").error().code == ErrorCode::kConflict);
  CHECK(folder.has("a/b/f"));
}

TEST_CASE("appending first takes away what lies behind the recorded length") {
  const Folder folder;
  REQUIRE(append_at(folder.path, "f", 0, "one\n"));
  REQUIRE(append_at(folder.path, "f", 4, "half of a li"));
  REQUIRE(append_at(folder.path, "f", 4, "two\n"));
  CHECK(folder.text("f") == "one\ntwo\n");
}

TEST_CASE("a file that is gone or too short is said so, never filled up") {
  const Folder folder;
  CHECK(append_at(folder.path, "f", 4, "x").error().code == ErrorCode::kNotFound);
  REQUIRE(append_at(folder.path, "f", 0, "ab"));
  CHECK(append_at(folder.path, "f", 4, "x").error().code == ErrorCode::kConflict);
  CHECK(folder.text("f") == "ab");
}

TEST_CASE("publishing shows the recorded length under the final name, twice is once") {
  const Folder folder;
  REQUIRE(append_at(folder.path, ".f", 0, "kept, not kept"));
  REQUIRE(publish(folder.path, ".f", "f", 4));
  REQUIRE(publish(folder.path, ".f", "f", 4));
  CHECK(folder.text("f") == "kept");
  CHECK_FALSE(folder.has(".f"));
}

TEST_CASE("publishing a file that is gone under both names says which") {
  const Folder folder;
  const Status published = publish(folder.path, ".f", "f", 4);
  REQUIRE_FALSE(published.has_value());
  CHECK(published.error().code == ErrorCode::kNotFound);
  CHECK(published.error().message.find(folder.path + "/.f with 4") == 0);
}

TEST_CASE("publishing never writes over a file that is there") {
  const Folder folder;
  REQUIRE(append_at(folder.path, "f", 0, "somebody else's"));
  REQUIRE(append_at(folder.path, ".f", 0, "ours"));
  CHECK(publish(folder.path, ".f", "f", 4).error().code == ErrorCode::kConflict);
  CHECK(folder.text("f") == "somebody else's");
  CHECK(folder.text(".f") == "ours");
}
