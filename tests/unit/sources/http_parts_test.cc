// The parts of the http source that need no connection.
#include <doctest/doctest.h>
#include "sources/http/accepted_keys.h"
#include "sources/http/body_encoding.h"
#include "sources/http/http_record.h"
#include "sources/http/http_source_options.h"
#include "tests/support/gzipped.h"
#include "tests/support/zstandard.h"

using namespace leat;
using namespace leat::sources;
using test::gzipped;
using test::zstandard;

namespace {

using formats::Compression;

ErrorCode error_of(Compression encoding, const std::string& body, std::size_t most = 1000) {
  const auto expanded = expand_body(encoding, body, most);
  return expanded ? ErrorCode::kInternal : expanded.error().code;
}

std::string problems(OptionMap options) {
  options.try_emplace("listen", "127.0.0.1:8464");
  std::vector<OptionError> errors;
  read_http_source_options(options, {}, errors);
  std::string text;
  for (const OptionError& error : errors) text += error.key + ": " + error.message + "\n";
  return text;
}

}  // namespace

TEST_CASE("bodies are expanded, members and frames behind each other too") {
  const std::string text(300'000, 'x');
  CHECK(*expand_body(Compression::kNone, "abc", 3) == "abc");
  CHECK(*expand_body(Compression::kGzip, gzipped(text), 300'000) == text);
  CHECK(*expand_body(Compression::kGzip, gzipped("a") + gzipped("b"), 2) == "ab");
  CHECK(*expand_body(Compression::kZstd, zstandard(text), 300'000) == text);
  CHECK(*expand_body(Compression::kZstd, zstandard("a") + zstandard("b"), 2) == "ab");
}

TEST_CASE("a bomb ends at the bound") {
  const std::string text(50'000'000, '\0');
  for (const auto& [encoding, body] :
       {std::pair{Compression::kGzip, gzipped(text)}, std::pair{Compression::kZstd, zstandard(text)}}) {
    CHECK(body.size() < 60'000);
    CHECK(error_of(encoding, body, 1 << 20) == ErrorCode::kExhausted);
  }
  CHECK(error_of(Compression::kGzip, gzipped("abcd"), 3) == ErrorCode::kExhausted);
  CHECK(error_of(Compression::kNone, "abcd", 3) == ErrorCode::kExhausted);
}

TEST_CASE("what is cut short or of another encoding is told") {
  const std::string text = "some text that is long enough to be cut somewhere";
  for (const auto& [encoding, body] :
       {std::pair{Compression::kGzip, gzipped(text)}, std::pair{Compression::kZstd, zstandard(text)}}) {
    CHECK(error_of(encoding, body.substr(0, body.size() - 1)) == ErrorCode::kCorrupt);
    CHECK(error_of(encoding, body + "x") == ErrorCode::kCorrupt);
    CHECK(error_of(encoding, "") == ErrorCode::kCorrupt);
    CHECK(error_of(encoding, text) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("the names of encodings") {
  CHECK(find_body_encoding("") == Compression::kNone);
  CHECK(find_body_encoding("gzip") == Compression::kGzip);
  CHECK(find_body_encoding("zstd") == Compression::kZstd);
  for (const char* name : {"br", "deflate", "gzip, gzip"}) CHECK_FALSE(find_body_encoding(name));
}

TEST_CASE("the oldest keys are forgotten") {
  AcceptedKeys keys(2);
  for (const char* key : {"a", "b", "b", "c"}) keys.add(hash_of_key(key));
  CHECK_FALSE(keys.contains(hash_of_key("a")));
  CHECK(keys.contains(hash_of_key("b")));
  CHECK(keys.contains(hash_of_key("c")));
}

TEST_CASE("a commit keeps as many keys as the bound says, and the next process has them in order") {
  std::map<std::string, std::string, std::less<>> entries;
  const auto put = [&](std::string_view key, std::string_view value) { entries[std::string(key)] = value; };
  {
    KeyLog log(3);
    for (const char* key : {"a", "b", "c", "d"}) log.add(hash_of_key(key));
    log.save(put);
    CHECK(entries.size() == 3);
    log.add(hash_of_key("e"));
    log.save(put);
    log.save([](std::string_view, std::string_view) { FAIL("nothing has changed"); });
  }
  KeyLog next(3);
  for (const auto& [key, value] : entries) REQUIRE(next.restore(value).has_value());
  CHECK(next.restored() == std::vector{hash_of_key("c"), hash_of_key("d"), hash_of_key("e")});
  next.add(hash_of_key("f"));
  next.save(put);
  KeyLog smaller(2);
  for (const auto& [key, value] : entries) REQUIRE(smaller.restore(value).has_value());
  CHECK(smaller.restored() == std::vector{hash_of_key("e"), hash_of_key("f")});
  CHECK(smaller.restore("nonsense").error().code == ErrorCode::kCorrupt);
}

TEST_CASE("what is kept of a request comes back, and wrong bytes give nothing") {
  const HttpRecord record{hash_of_key("k"), "192.0.2.7", "text/csv", {{"a", "1"}, {"b", ""}}};
  const std::string bytes = encode_http_record(record);
  const HttpRecord back = decode_http_record(bytes);
  CHECK(back.key == record.key);
  CHECK(back.remote == "192.0.2.7");
  CHECK(back.content_type == "text/csv");
  CHECK(back.headers == record.headers);
  CHECK_FALSE(decode_http_record(encode_http_record({})).key);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(decode_http_record(std::string_view(bytes).substr(0, size)).headers.size() <= 2);
}

TEST_CASE("a port is not opened to other machines by accident") {
  CHECK(problems({}).empty());
  CHECK(problems({{"listen", "localhost:1"}}).empty());
  for (const char* address : {"0.0.0.0:8464", "[::]:8464", "192.0.2.7:80", "gateway.example:80"}) {
    CHECK(problems({{"listen", address}}).find("open to other machines") != std::string::npos);
    CHECK(problems({{"listen", address}, {"token", "t"}}).empty());
    CHECK(problems({{"listen", address}, {"insecure", "true"}}).empty());
    CHECK(problems({{"listen", address},
                    {"tls.certificate-file", "c"},
                    {"tls.key-file", "k"},
                    {"tls.client-ca-file", "a"}})
              .empty());
    CHECK_FALSE(
        problems({{"listen", address}, {"tls.certificate-file", "c"}, {"tls.key-file", "k"}}).empty());
  }
}

TEST_CASE("wrong options of the source are told by their key") {
  CHECK(problems({{"listen", "8464"}}).starts_with("listen: option 'listen': the port is missing"));
  CHECK(problems({{"token", ""}}).starts_with("token: "));
  CHECK(problems({{"token", "two words"}}).starts_with("token: "));
  for (const char* path : {"readings", "/a?b", "/a b", ""})
    CHECK(problems({{"path", path}}).starts_with("path: "));
  CHECK(problems({{"tls.key-file", "k"}}).starts_with("tls.certificate-file: "));
  CHECK(problems({{"tls.client-ca-file", "a"}}).starts_with("tls.certificate-file: "));
  CHECK(problems({{"max-body", "9 mb"}}).find("an eighth of 'journal.size'") != std::string::npos);
  CHECK(problems({{"max-connections", "0"}}).starts_with("max-connections: "));
  CHECK(problems({{"request.timeout", "0 s"}}).starts_with("request.timeout: "));
  CHECK(problems({{"idempotency.keys", "0"}}).starts_with("idempotency.keys: "));
  CHECK(problems({{"journal.sync-interval", "0 s"}}).starts_with("journal.sync-interval: "));
  CHECK(problems({{"url", "http://x"}}).starts_with("url: "));
}
