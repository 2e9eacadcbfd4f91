#include "sources/clients/webhdfs.h"

#include <doctest/doctest.h>

#include "sources/clients/webhdfs_options.h"

using namespace leat;
using namespace leat::clients;

TEST_CASE("a path of a cluster is its name node and a path there") {
  const auto path = parse_webhdfs_path("webhdfs://nn1/plant/day=2026-11-29/");
  REQUIRE(path);
  CHECK(path->name_node.origin() == "http://nn1:9870");
  CHECK(path->root == "webhdfs://nn1:9870");
  CHECK(path->path == "/plant/day=2026-11-29");
  CHECK(parse_webhdfs_path("webhdfs://nn1:50070")->path == "/");
  CHECK(parse_webhdfs_path("webhdfs://nn1:50070/")->path == "/");
  CHECK(parse_webhdfs_path("webhdfs://[::1]/a")->root == "webhdfs://[::1]:9870");
  CHECK(parse_webhdfs_path("swebhdfs://nn1/a")->name_node.origin() == "https://nn1:9871");
}

TEST_CASE("a path that is none says what is wrong with it") {
  const auto message = [](const char* text) { return parse_webhdfs_path(text).error().message; };
  CHECK(message("webhdfs:///a") == "expected a path such as 'webhdfs://namenode:9870/folder', found no host");
  CHECK(message("swebhdfs://nn:x/a").find("'swebhdfs://namenode:9871/folder', found a port") !=
        std::string::npos);
  CHECK(message("webhdfs://me@nn/a").find("without user and password in it") != std::string::npos);
  CHECK(message("webhdfs://nn?x=/y").find("found '?'") != std::string::npos);
  CHECK(message("/a").find("found no host") != std::string::npos);
  CHECK(message("webhdfs://nn/a\nb").find("found a control character") != std::string::npos);
}

TEST_CASE("a refusal is told by its first line, and by who must act") {
  const auto refusal = [](const char* exception, const char* message) {
    return read_webhdfs_refusal(403, std::string(R"({"RemoteException":{"exception":")") + exception +
                                         R"(","javaClassName":"x.y","message":")" + message + "\"}}");
  };
  const Error denied = refusal("AccessControlException", R"(Permission denied: user=bob\n\tat java.lang)");
  CHECK(denied.message == "Permission denied: user=bob (AccessControlException)");
  CHECK(denied.code == ErrorCode::kInvalid);
  CHECK(refusal("FileNotFoundException", "").code == ErrorCode::kNotFound);
  CHECK(refusal("FileNotFoundException", "").message == "FileNotFoundException");
  CHECK(refusal("FileAlreadyExistsException", "x").code == ErrorCode::kConflict);
  for (const char* passes : {"StandbyException", "SafeModeException", "AlreadyBeingCreatedException",
                             "RecoveryInProgressException", "IOException", "NSQuotaExceededException"})
    CHECK(refusal(passes, "x").code == ErrorCode::kUnavailable);
}

TEST_CASE("an answer that is not WebHDFS's is told by its status") {
  CHECK(read_webhdfs_refusal(404, "<html>").message ==
        "the server answers with status 404: it does not speak WebHDFS");
  CHECK(read_webhdfs_refusal(404, "<html>").code == ErrorCode::kInvalid);
  CHECK(read_webhdfs_refusal(401, "").code == ErrorCode::kInvalid);
  CHECK(read_webhdfs_refusal(502, "").code == ErrorCode::kUnavailable);
  CHECK(read_webhdfs_refusal(403, "[1,2]").code == ErrorCode::kUnavailable);
  CHECK(read_webhdfs_refusal(403, R"({"RemoteException":7})").code == ErrorCode::kUnavailable);
}

TEST_CASE("a delegation token is not in what is said of a cluster that is away") {
  const auto path = parse_webhdfs_path("webhdfs://127.0.0.1:1/a");
  WebHdfs cluster(webhdfs_options(*path, {.delegation_token = Secret("hush")}));
  const auto found = cluster.look("/a");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kUnavailable);
  CHECK(found.error().message.find("webhdfs://127.0.0.1:1/a: ") == 0);
  CHECK(found.error().message.find("hush") == std::string::npos);
}

TEST_CASE("a path of this machine may be a URL, as Flink writes it") {
  for (const char* path : {"/a/b", "file:/a/b", "file:///a/b", "file://localhost/a/b"}) {
    std::vector<OptionError> errors;
    check_files_path(path, {}, {}, errors);
    CHECK(errors.empty());
    CHECK(local_path_of(path) == "/a/b");
  }
  for (const char* path : {"a:b/c", "./s3:/a", "a%2Fb", "localhost/a"}) {
    std::vector<OptionError> errors;
    check_files_path(path, {}, {}, errors);
    CHECK(errors.empty());
    CHECK(local_path_of(path) == path);
  }
}

TEST_CASE("a URL of another machine, of no whole path or of another scheme is refused") {
  const auto wrong = [](const char* path) {
    std::vector<OptionError> errors;
    check_files_path(path, {}, {}, errors);
    return errors.empty() ? "" : errors[0].message;
  };
  for (const char* path : {"file://otherhost/a", "file://localhosts/a", "file://localhost", "file:a",
                           "file:", "file://", "file:////a"})
    CHECK(wrong(path).ends_with("expected a whole path of this machine, such as 'file:///folder'"));
  CHECK(wrong("s3:/a").find("the scheme file, webhdfs or swebhdfs") != std::string::npos);
  CHECK(wrong("s3://a/b").find("the scheme file, webhdfs or swebhdfs") != std::string::npos);
  CHECK(wrong("hdfs:///a").find("'webhdfs://namenode:9870/…'") != std::string::npos);
}

TEST_CASE("a delegation token never shows, and the file system's options need a path of a cluster") {
  std::vector<OptionError> errors;
  check_files_path("/tmp", {}, {{"webhdfs.delegation-token", "secret"}}, errors);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].message.find("secret") == std::string::npos);
  errors.clear();
  check_files_path("webhdfs://nn/a", {}, {{"webhdfs.delegation-token", "secret"}}, errors);
  CHECK(errors.empty());
}
