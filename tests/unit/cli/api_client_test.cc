#include "daemon/cli/api_client.h"

#include <doctest/doctest.h>
#include <httplib.h>

#include <thread>

#include "tests/support/temporary_folder.h"

using namespace leat;
using namespace leat::cli;

namespace {

/// Something that answers on loopback as the test says.
class Answering {
 public:
  explicit Answering(std::function<void(const httplib::Request&, httplib::Response&)> answer) {
    server_.Get(".*", answer).Post(".*", answer).Put(".*", answer).Delete(".*", answer);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Answering() {
    server_.stop();
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

ApiOptions at(const std::string& url) {
  ApiOptions options;
  options.api = url;
  return options;
}

Error refused(int status, const std::string& body) {
  const Answering daemon([&](const httplib::Request&, httplib::Response& response) {
    response.status = status;
    response.set_content(body, "application/problem+json");
  });
  const auto answer = ApiClient::find(at(daemon.url()))->get("/");
  REQUIRE_FALSE(answer);
  return answer.error();
}

std::string error_of(const std::string& config) {
  const test::TemporaryFolder folder;
  folder.write("leat.toml", config);
  ApiOptions options;
  options.config = folder.file("leat.toml");
  options.config_given = true;
  const auto client = ApiClient::find(options);
  return client ? client->url() : client.error().message;
}

}  // namespace

TEST_CASE("the address comes from --api, else from the configuration") {
  CHECK(ApiClient::find(at("http://127.0.0.1:9000/"))->url() == "http://127.0.0.1:9000");
  CHECK(ApiClient::find(at("[::1]:9000"))->url() == "http://[::1]:9000");
  CHECK(error_of("[api]\nlisten = \"localhost:9001\"") == "http://localhost:9001");
  CHECK(error_of("[api]\nsocket = \"\"") == "http://127.0.0.1:8463");
  CHECK(error_of("[api]\nsocket = \"\"\nlisten = \"0.0.0.0:1\"\ntls_cert = \"a\"\ntls_key = \"b\"") ==
        "https://127.0.0.1:1");
  CHECK(ApiClient::find(at("unix:/tmp/leat.sock"))->url() == "unix:/tmp/leat.sock");
}

TEST_CASE("a socket that is there and may be used is asked before the address") {
  const test::TemporaryFolder folder;
  folder.write("leat.sock", "");
  const std::string socket = folder.file("leat.sock");
  CHECK(error_of("[api]\nsocket = \"" + socket + "\"") == "unix:" + socket);
  CHECK(
      error_of("[api]\nlisten = \"\"\nsocket = \"" + socket + ".gone\"").find("no daemon answers at unix:") ==
      0);
}

TEST_CASE("a configuration that is wrong says all the same where the socket is") {
  const test::TemporaryFolder folder;
  folder.write("leat.sock", "");
  const std::string socket = folder.file("leat.sock");
  CHECK(error_of("nonsense = 1\n[api]\nsocket = \"" + socket + "\"") == "unix:" + socket);
  const std::string wrong = error_of("nonsense = 1\n[api]\nsocket = \"" + socket + ".gone\"");
  CHECK(wrong.find("unknown option 'nonsense'") != std::string::npos);
  CHECK(wrong.find("does not say where the daemon is: mend it, or name") != std::string::npos);
  CHECK(error_of("[api\nsocket = \"" + socket + "\"").find("does not say where") != std::string::npos);
}

TEST_CASE("a token comes from a file, and is one line of printable characters") {
  const test::TemporaryFolder folder;
  ApiOptions options = at("http://127.0.0.1:1");
  const auto with = [&](const std::string& text) {
    folder.write("token", text);
    options.token_file = folder.file("token");
    const auto client = ApiClient::find(options);
    return client ? "" : client.error().message;
  };
  CHECK(with("leat_ab\n").empty());
  CHECK(with("a\tb\n").find("holds no token") != std::string::npos);
  CHECK(with("").find("is empty") != std::string::npos);
  ApiOptions missing = at("http://127.0.0.1:1");
  missing.token_file = "/nonexistent/token";
  CHECK(ApiClient::find(missing).error().message.find("cannot be read: No such file") != std::string::npos);
}

TEST_CASE("an address that cannot be asked is refused with what to do") {
  for (const char* url : {"https://example.com", "unix:leat.sock", "http://a@127.0.0.1:80", "ftp://x:1"})
    CHECK(ApiClient::find(at(url)).error().message.find("--api: expected") == 0);
  CHECK(error_of("[api]\nlisten = \"\"").find("has no API to ask") != std::string::npos);
  CHECK(error_of("[api]\nlisten = \"127.0.0.1:0\"").find("name it with --api") != std::string::npos);
}

TEST_CASE("a named configuration that is missing is an error, the default one is not") {
  ApiOptions options;
  options.config = "/nonexistent/leat.toml";
  CHECK(ApiClient::find(options)->url() == "http://127.0.0.1:8463");
  options.config_given = true;
  CHECK(ApiClient::find(options).error().code == ErrorCode::kNotFound);
}

TEST_CASE("without a daemon the answer says how to get one") {
  // Bound and closed again: nobody listens there.
  std::string url;
  {
    const Answering gone([](const httplib::Request&, httplib::Response&) {});
    url = gone.url();
  }
  const auto answer = ApiClient::find(at(url))->get("/healthz");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kUnavailable);
  CHECK(answer.error().message.find("no daemon answers at " + url + ": start it") == 0);
}

TEST_CASE("a refusal keeps the API's words and says what to do by its code") {
  const Error missing = refused(404, R"({"title": "no such sink", "detail": "there is no sink 'x'"})");
  CHECK(missing.code == ErrorCode::kNotFound);
  CHECK(missing.message == "no such sink: there is no sink 'x'");
  CHECK(refused(409, R"({"title": "nothing to skip"})").code == ErrorCode::kConflict);
  CHECK(refused(503, "{}").code == ErrorCode::kUnavailable);
  CHECK(refused(500, "not json").message == "the daemon answered with status 500");
}

TEST_CASE("something else that listens there is recognised") {
  const Answering other([](const httplib::Request&, httplib::Response& response) {
    response.set_content("<html>", "text/html");
  });
  CHECK(ApiClient::find(at(other.url()))->get("/").error().message.find("is no Leat") != std::string::npos);
}

TEST_CASE("a POST carries its object as JSON") {
  const Answering daemon([](const httplib::Request& request, httplib::Response& response) {
    response.set_content(
        R"({"type": ")" + request.get_header_value("Content-Type") + R"(", "body": )" + request.body + "}",
        "application/json");
  });
  const auto answer = ApiClient::find(at(daemon.url()))->post("/x", {{"shipment", 7}});
  REQUIRE(answer);
  CHECK(answer->at("type") == "application/json");
  CHECK(answer->at("body").at("shipment") == 7);
}

TEST_CASE("PUT carries an object, DELETE nothing") {
  const Answering daemon([](const httplib::Request& request, httplib::Response& response) {
    response.set_content(
        R"({"method": ")" + request.method + R"(", "size": )" + std::to_string(request.body.size()) + "}",
        "application/json");
  });
  CHECK(ApiClient::find(at(daemon.url()))->put("/x", {{"a", 1}})->dump() == R"({"method":"PUT","size":7})");
  CHECK(ApiClient::find(at(daemon.url()))->remove("/x")->dump() == R"({"method":"DELETE","size":0})");
}

TEST_CASE("events are told one by one, until the reader has enough or they end") {
  const Answering daemon([](const httplib::Request& request, httplib::Response& response) {
    const std::string text = "event: a\ndata: " + request.method + "\n\n: alive\n\nevent: b\ndata: 2\n\n";
    response.set_chunked_content_provider("text/event-stream", [text](std::size_t, httplib::DataSink& sink) {
      sink.write(text.data(), text.size());
      sink.done();
      return true;
    });
  });
  const auto client = ApiClient::find(at(daemon.url()));
  std::vector<std::string> seen;
  const auto note = [&](std::string_view name, std::string_view data) {
    seen.push_back(std::string(name) + ":" + std::string(data));
    return seen.size() < 3;
  };
  CHECK(client->stream("GET", "/tail", {}, note));
  CHECK(client->stream("POST", "/trial", {{"sql", "x"}}, note));
  CHECK(seen == std::vector<std::string>{"a:GET", "b:2", "a:POST"});
}

TEST_CASE("a stream that is refused gives the API's words") {
  const Answering daemon([](const httplib::Request&, httplib::Response& response) {
    response.status = 401;
    response.set_content(R"({"title": "a token is asked for"})", "application/problem+json");
  });
  const Status done =
      ApiClient::find(at(daemon.url()))->stream("GET", "/", {}, [](auto, auto) { return true; });
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("the daemon asks for a token: name its file with --token-file") == 0);
}

TEST_CASE("a name of any bytes is one segment of a path") {
  CHECK(segment("line3.a_b-c~") == "line3.a_b-c~");
  CHECK(segment("a/b c?#%\xC3\xA4") == "a%2Fb%20c%3F%23%25%C3%A4");
}

TEST_CASE("commands in a text find the daemon that was asked") {
  const std::string text = "decide with 'leat outbox skip a b', or make one: 'leat token create me'";
  CHECK(with_place(text, {}) == text);
  CHECK(
      with_place(text, {.config = "/tmp/l.toml", .config_given = true}) ==
      "decide with 'leat outbox skip a b --config /tmp/l.toml', or make one: 'leat token create me --config "
      "/tmp/l.toml'");
  CHECK(with_place(text, {.api = "http://h:1"}) ==
        "decide with 'leat outbox skip a b --api http://h:1', or make one: 'leat token create me'");
}
