#include "daemon/api/tokens.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "daemon/api/token_book.h"
#include "tests/support/temporary_folder.h"

using namespace leat;
using namespace leat::api;

namespace {

constexpr std::int64_t kNow = 1'764'000'000 * kMicrosPerSecond;

struct Tokens {
  test::TemporaryFolder folder;
  TokenFile file{folder.path()};
  loop::SimulatedClock clock{kNow};
  TokenBook book{folder.path(), clock};

  std::string create(const std::string& name, Role role = Role::kRead,
                     std::optional<std::int64_t> expires = std::nullopt) {
    const auto made = file.create({.name = name, .role = role, .created = kNow, .expires = expires});
    REQUIRE(made);
    pass_a_second();
    return made->reveal();
  }
  void pass_a_second() { clock.advance(Micros(kMicrosPerSecond)); }
  std::string text() {
    std::ifstream in(file.path());
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }
};

std::string error_of(const std::string& text) {
  const auto tokens = parse_tokens(text, "tokens");
  return tokens ? "" : tokens.error().message;
}

}  // namespace

TEST_CASE("a token that was made is known by its text, with its name and role") {
  Tokens tokens;
  const std::string ci = tokens.create("ci", Role::kAdmin);
  const std::string grafana = tokens.create("grafana");
  CHECK(tokens.book.find(ci)->name == "ci");
  CHECK(tokens.book.find(ci)->role == Role::kAdmin);
  CHECK(tokens.book.find(grafana)->role == Role::kRead);
  CHECK_FALSE(tokens.book.find(ci + "0"));
  CHECK_FALSE(tokens.book.find(""));
  CHECK(ci != grafana);
  CHECK(ci.size() == 5 + 64);
}

TEST_CASE("the file holds no token, and nobody else may read it") {
  Tokens tokens;
  const std::string ci = tokens.create("ci");
  CHECK(tokens.text().find(ci.substr(5)) == std::string::npos);
  CHECK(tokens.text() == "leat-tokens 1\nci read 1764000000 - " + hash_of_token(ci) + "\n");
  struct stat status {};
  REQUIRE(::stat(tokens.file.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a hash is SHA-256") {
  CHECK(hash_of_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a token ends when it has expired, or is revoked; and is asked for until the last one is revoked") {
  Tokens tokens;
  CHECK_FALSE(tokens.book.asks());
  const std::string ci = tokens.create("ci", Role::kRead, kNow + 60 * kMicrosPerSecond);
  CHECK(tokens.book.find(ci));
  tokens.clock.advance(Micros(60 * kMicrosPerSecond));
  CHECK_FALSE(tokens.book.find(ci));
  CHECK(tokens.book.asks());
  REQUIRE(tokens.file.revoke("ci"));
  tokens.pass_a_second();
  CHECK_FALSE(tokens.book.asks());
}

TEST_CASE("a file that changes is read again, at most once a second") {
  Tokens tokens;
  const std::string ci = tokens.create("ci");
  CHECK(tokens.book.find(ci));
  REQUIRE(tokens.file.revoke("ci"));
  CHECK(tokens.book.find(ci));
  tokens.pass_a_second();
  CHECK_FALSE(tokens.book.find(ci));
}

TEST_CASE("a file that cannot be read lets nobody in, until it can") {
  Tokens tokens;
  const std::string ci = tokens.create("ci");
  const std::string good = tokens.text();
  for (const std::string& bad : {std::string(), std::string("x"), good.substr(0, good.size() - 9)}) {
    tokens.folder.write("tokens", bad);
    tokens.pass_a_second();
    CHECK(tokens.book.asks());
    CHECK_FALSE(tokens.book.find(ci));
  }
  tokens.folder.write("tokens", good);
  tokens.pass_a_second();
  CHECK(tokens.book.find(ci));
}

TEST_CASE("names are unique, and cannot break the file") {
  const Tokens tokens;
  const auto code = [&](const std::string& name) { return tokens.file.create({.name = name}).error().code; };
  REQUIRE(tokens.file.create({.name = "ci"}));
  CHECK(code("ci") == ErrorCode::kConflict);
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a\nb"), std::string(65, 'x')})
    CHECK(code(name) == ErrorCode::kInvalid);
  CHECK(tokens.file.revoke("cj").error().message == "there is no token 'cj' (did you mean 'ci'?)");
}

TEST_CASE("a line that is none is named") {
  const std::string first = "leat-tokens 1\n";
  const std::string hash(64, 'a');
  CHECK(error_of(first).empty());
  CHECK(error_of(first + "a read 1 - " + hash + "\n").empty());
  CHECK(error_of("leat-tokens 2\n").find("tokens:1: is no line") == 0);
  for (const std::string& line :
       {"a root 1 - " + hash, "a read x - " + hash, "a read 1 -1 " + hash, "a read 1 - " + hash + "a",
        "a read 1 - " + std::string(64, 'G'), "a  read 1 - " + hash, std::string()})
    CHECK(error_of(first + line + "\n").find("tokens:2: is no line") == 0);
  CHECK(error_of(first + "a read 1 - " + hash).find("tokens:2:") == 0);
}
