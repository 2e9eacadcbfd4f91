// The http source as its senders meet it: what is answered when, and what is taken then.
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "tests/contract/sources/source_world.h"
#include "tests/support/gzipped.h"

namespace leat::sources {
namespace {

using test::gzipped;

/// Refuses appends, as a disk does.
class RefusingIntake final : public Intake {
 public:
  explicit RefusingIntake(std::unique_ptr<Intake> intake) : intake_(std::move(intake)) {}
  std::atomic<bool> refuses{false};

  Appended append(std::string_view payload, std::string_view key, std::string_view attributes,
                  std::int64_t time) override {
    return refuses ? Appended::kFailed : intake_->append(payload, key, attributes, time);
  }
  void end() override { intake_->end(); }
  void count_redelivered() override { intake_->count_redelivered(); }
  void count_dropped(std::uint64_t messages) override { intake_->count_dropped(messages); }
  Result<MessageBatch> read(std::size_t max_bytes) override { return intake_->read(max_bytes); }
  void release(MessageNumber number) override { intake_->release(number); }
  [[nodiscard]] std::uint64_t used_bytes() const override { return intake_->used_bytes(); }
  [[nodiscard]] IntakeCounters counters() const override { return intake_->counters(); }
  void restore_counters(const IntakeCounters& counters) override { intake_->restore_counters(counters); }
  void on_readable(std::function<void()> wake) override { intake_->on_readable(std::move(wake)); }
  void on_room(std::function<void()> resume) override { intake_->on_room(std::move(resume)); }

 private:
  std::unique_ptr<Intake> intake_;
};

struct HttpFixture {
  HttpFixture() { world.appear(); }
  void start() {
    REQUIRE(station.start().has_value());
    connected();
  }
  void connected() {
    REQUIRE(eventually([&] { return station.link() == SourceHealth::Link::kConnected; }));
  }
  [[nodiscard]] httplib::Client client() const {
    httplib::Client made("127.0.0.1", world.port());
    made.set_tcp_nodelay(true);
    made.set_keep_alive(true);
    return made;
  }
  /// The status of a record that is sent with these headers.
  [[nodiscard]] int post(const std::string& body, const httplib::Headers& headers = {}) const {
    const auto answer = client().Post("/readings", headers, body, "text/plain");
    return answer ? answer->status : 0;
  }
  [[nodiscard]] int new_connection() const {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(world.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return socket;
  }
  /// What is answered to these bytes, after which the sender says nothing more.
  [[nodiscard]] std::string said_to(std::string_view bytes) const { return said_on(new_connection(), bytes); }
  [[nodiscard]] static std::string said_on(int socket, std::string_view bytes) {
    // It may be sent away before it has said anything.
    (void)!::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string answer;
    char piece[1024];
    for (ssize_t more = ::read(socket, piece, sizeof piece); more > 0;
         more = ::read(socket, piece, sizeof piece))
      answer.append(piece, static_cast<std::size_t>(more));
    ::close(socket);
    return answer;
  }
  IntakeCounters counters() const { return station.intake->counters(); }

  HttpWorld world;
  Station station{world};
};

TEST_CASE("what is answered with 202 is in the journal") {
  HttpFixture it;
  it.start();
  CHECK(it.post("1") == 202);
  CHECK(it.counters().received == 1);
  CHECK(it.client().Put("/readings", "2", "application/x-www-form-urlencoded")->status == 202);
  CHECK(it.client().Post("/readings", {{"Content-Encoding", "gzip"}}, gzipped("3"), "text/plain")->status ==
        202);
  CHECK(it.client()
            .Post(
                "/readings", 1,
                [](std::size_t, std::size_t, httplib::DataSink& out) { return out.write("4", 1); },
                "text/plain")
            ->status == 202);
  CHECK(it.client()
            .Post(
                "/readings",
                [](std::size_t, httplib::DataSink& out) {
                  out.write("5", 1);
                  out.done();
                  return true;
                },
                "text/plain")
            ->status == 202);
  REQUIRE(it.station.receive(5));
  CHECK(it.station.difference(5) == "");
}

TEST_CASE("what is not a record of this table is refused, each for its reason") {
  HttpFixture it;
  it.station.extra["token"] = "secret";
  it.start();
  httplib::Client client = it.client();
  const httplib::Headers known{{"Authorization", "Bearer secret"}};
  const auto with = [&](const char* name, const char* value) {
    httplib::Headers headers = known;
    headers.emplace(name, value);
    return headers;
  };
  CHECK(client.Post("/other", known, "1", "text/plain")->status == 404);
  CHECK(client.Post("/readings/", known, "1", "text/plain")->status == 404);
  CHECK(client.Get("/readings", known)->status == 405);
  CHECK(client.Delete("/readings", known)->status == 405);
  CHECK(client.Delete("/readings", known)->get_header_value("Allow") == "POST, PUT");
  const auto unknown = client.Post("/readings", "1", "text/plain");
  CHECK(unknown->status == 401);
  CHECK(unknown->get_header_value("WWW-Authenticate") == "Bearer realm=\"leat\"");
  for (const char* token : {"Bearer secres", "Bearer secret2", "Bearer ", "Basic secret", "secret"})
    CHECK(it.post("1", {{"Authorization", token}}) == 401);
  CHECK(it.post("1", with("Content-Encoding", "br")) == 415);
  CHECK(it.post("not gzip", with("Content-Encoding", "gzip")) == 400);
  CHECK(client.Post("/readings", known, "1", "multipart/form-data; boundary=x")->status == 415);
  CHECK(it.post(std::string(8193, 'x'), known) == 413);
  CHECK(it.post(gzipped(std::string(1'000'000, 'x')), with("Content-Encoding", "gzip")) == 413);
  CHECK(it.post("", known) == 400);
  CHECK(it.counters().received == 0);
  CHECK(it.station.source->health().refused >= 17);
  CHECK(it.station.source->health().last_refusal == "400 to 127.0.0.1");
  for (const char* token : {"Bearer secret", "bearer secret", "Token secret"})
    CHECK(it.post("1", {{"Authorization", token}}) == 202);
}

TEST_CASE("a page in a browser does not send where no token is asked for") {
  HttpFixture it;
  it.start();
  CHECK(it.post("1", {{"Origin", "http://evil.example"}}) == 403);
  CHECK(it.post("1", {{"Sec-Fetch-Site", "cross-site"}}) == 403);
  CHECK(it.counters().received == 0);
}

TEST_CASE("a request with a key that was taken is answered again and not taken again") {
  HttpFixture it;
  it.start();
  const httplib::Headers key{{"Idempotency-Key", "shipment 7"}};
  CHECK(it.post("1", key) == 202);
  CHECK(it.post("1", key) == 202);
  CHECK(it.counters().received == 2);
  CHECK(it.counters().redelivered == 1);
  REQUIRE(it.station.receive(1));  // Committed: now the commit has the key.
  it.station.restart();
  it.connected();
  CHECK(it.post("1", key) == 202);
  CHECK(it.post("2", {{"Idempotency-Key", "shipment 8"}}) == 202);
  it.station.restart();  // Not committed: the journal has it.
  it.connected();
  CHECK(it.post("2", {{"Idempotency-Key", "shipment 8"}}) == 202);
  REQUIRE(it.station.receive(2));
  CHECK(it.station.difference(2) == "");
  CHECK(it.post("3", {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}}) == 400);
}

TEST_CASE("a repeat is answered although the journal is nearly full, others are told to come again") {
  HttpFixture it;
  it.station.queue_bytes = 8000;
  it.start();
  const httplib::Headers key{{"Idempotency-Key", "first"}};
  CHECK(it.post("1", key) == 202);
  int sent = 1;
  while (it.post(std::to_string(sent + 1)) == 202) ++sent;
  CHECK(it.station.link() == SourceHealth::Link::kPaused);
  const auto refused = it.client().Post("/readings", "x", "text/plain");
  CHECK(refused->status == 429);
  CHECK(refused->get_header_value("Retry-After") == "1");
  CHECK(it.post("x", {{"Idempotency-Key", "new"}}) == 429);
  CHECK(it.post("1", key) == 202);
  REQUIRE(it.station.receive(static_cast<std::size_t>(sent)));
  it.connected();
  CHECK(it.post(std::to_string(sent + 1), {{"Idempotency-Key", "new"}}) == 202);
  REQUIRE(it.station.receive(static_cast<std::size_t>(sent) + 1));
  CHECK(it.station.difference(sent + 1) == "");
}

TEST_CASE("what the disk refuses is not acknowledged, and its key is not remembered") {
  HttpFixture it;
  RefusingIntake* intake = nullptr;
  it.station.wrap = [&](std::unique_ptr<Intake> own) {
    auto wrapped = std::make_unique<RefusingIntake>(std::move(own));
    intake = wrapped.get();
    return wrapped;
  };
  it.start();
  intake->refuses = true;
  const httplib::Headers key{{"Idempotency-Key", "k"}};
  CHECK(it.post("1", key) == 503);
  intake->refuses = false;
  CHECK(it.post("1", key) == 202);
  REQUIRE(it.station.receive(1));
}

TEST_CASE("tables share an address, each with its path, and it is free when the last has ended") {
  HttpFixture it;
  it.start();
  Station other(it.world, "other");
  REQUIRE(other.start().has_value());
  REQUIRE(eventually([&] { return other.link() == SourceHealth::Link::kConnected; }));
  CHECK(it.post("1") == 202);
  CHECK(it.client().Post("/other", "2", "text/plain")->status == 202);
  REQUIRE(it.station.receive(1));
  REQUIRE(other.receive(1));
  CHECK(other.received == std::vector<std::string>{"2"});
  other.stop();
  const auto gone = it.client().Post("/other", "3", "text/plain");
  CHECK(gone->status == 503);
  CHECK(it.post("2") == 202);
  it.station.stop();
  CHECK(listen::BoundSocket::tcp("127.0.0.1", it.world.port()).has_value());
}

TEST_CASE("a table that asks for a path that is taken, or for other settings, waits and says so") {
  HttpFixture it;
  it.start();
  Station same(it.world, "same");
  same.extra["path"] = "/readings";
  REQUIRE(same.start().has_value());
  Station differs(it.world, "differs");
  differs.extra["max-connections"] = "7";
  REQUIRE(differs.start().has_value());
  const auto detail = [](const Station& station) { return station.source->health().detail; };
  REQUIRE(eventually([&] { return detail(same).find("another table takes /readings") == 0; }));
  REQUIRE(eventually([&] { return detail(differs).find("other settings") != std::string::npos; }));
  CHECK(same.link() == SourceHealth::Link::kLost);
  it.station.stop();
  REQUIRE(eventually([&] {
    return same.link() == SourceHealth::Link::kConnected || differs.link() == SourceHealth::Link::kConnected;
  }));
}

TEST_CASE("a sender that is slow, or one too many, is sent away") {
  HttpFixture it;
  it.station.extra["request.timeout"] = "200 ms";
  it.station.extra["max-connections"] = "2";
  it.start();
  httplib::Client first = it.client();
  httplib::Client second = it.client();
  REQUIRE(first.Post("/readings", "1", "text/plain")->status == 202);
  REQUIRE(second.Post("/readings", "2", "text/plain")->status == 202);
  CHECK(it.post("3") == 503);
  second.stop();
  REQUIRE(eventually([&] { return it.post("3") == 202; }));
  first.stop();
  // Those that have hung up count as connections until that is seen.
  for (const char* slow :
       {"POST /readings HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234", "POST /readings HTTP/1.1\r\nX: "}) {
    CAPTURE(slow);
    CHECK(eventually([&] { return it.said_to(slow).starts_with("HTTP/1.1 408 "); }));
  }
  REQUIRE(it.station.receive(3));
  CHECK(it.station.difference(3) == "");
  CHECK(it.station.source->health().refused >= 2);
}

TEST_CASE("many senders at once with the same keys are taken once each") {
  HttpFixture it;
  it.start();
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 8; ++sender)
    senders.emplace_back([&] {
      httplib::Client client = it.client();
      for (int i = 1; i <= 100; ++i)
        client.Post("/readings", {{"Idempotency-Key", std::to_string(i)}}, std::to_string(i), "text/plain");
    });
  for (std::thread& sender : senders) sender.join();
  REQUIRE(it.station.receive(100));
  std::set<std::string> different(it.station.received.begin(), it.station.received.end());
  CHECK(it.station.received.size() == 100);
  CHECK(different.size() == 100);
  CHECK(it.counters().redelivered == 700);
}

/// Sends requests one behind the other until it is over, whatever is answered.
void flood(std::uint16_t port, const std::atomic<bool>& over) {
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += "POST /readings HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char answers[1 << 14];
  while (!over) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      while (!over && ::send(socket, requests.data(), requests.size(), MSG_NOSIGNAL) > 0)
        if (::recv(socket, answers, sizeof answers, 0) <= 0) break;
    ::close(socket);
  }
}

TEST_CASE("a source that many senders keep busy stops at once") {
  HttpFixture it;
  it.start();
  std::atomic<bool> over{false};
  std::vector<std::thread> senders;
  for (int i = 0; i < 16; ++i) senders.emplace_back([&] { flood(it.world.port(), over); });
  CHECK(eventually([&] { return it.counters().received > 500; }));
  auto stopped = std::async(std::launch::async, [&] { it.station.stop(); });
  CHECK(stopped.wait_for(std::chrono::seconds(5)) == std::future_status::ready);
  over = true;
  for (std::thread& sender : senders) sender.join();
}

TEST_CASE("what a stop cuts off is not refused: its sender comes again") {
  for (const char* half :
       {"POST /readings HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234", "POST /readings HTTP/1.1\r\nX: "}) {
    HttpFixture it;
    it.start();
    const int socket = it.new_connection();
    auto answer = std::async(std::launch::async, [&] { return HttpFixture::said_on(socket, half); });
    // Connections are taken in their order: with this one the first is there.
    CHECK(it.post("1") == 202);
    it.station.stop();
    const std::string said = answer.get();
    CAPTURE(said);
    CHECK((said.empty() || said.starts_with("HTTP/1.1 503 ")));
  }
}

TEST_CASE("what a request tells of itself becomes columns") {
  HttpFixture it;
  it.station.metadata_keys = {"path", "remote-address", "content-type", "timestamp", "headers"};
  it.start();
  CHECK(it.post("1", {{"X-Site", "north"}, {"X-Bytes", "\xff"}, {"Authorization", "Bearer x"}}) == 202);
  const auto batch = it.station.intake->read(1 << 20);
  REQUIRE(batch->messages.size() == 1);
  const Type text = Type::string();
  std::vector<ColumnBuilder> builders;
  for (const Type& type : {text, text, text, Type::timestamp_ltz(3), Type::map(text, text)})
    builders.emplace_back(type);
  std::vector<ColumnBuilder*> columns;
  for (ColumnBuilder& builder : builders) {
    builder.keep(batch->memory);
    columns.push_back(&builder);
  }
  it.station.source->append_metadata(batch->messages[0], columns);
  CHECK(builders[0].finish()->values<std::string_view>()[0] == "/readings");
  CHECK(builders[1].finish()->values<std::string_view>()[0] == "127.0.0.1");
  CHECK(builders[2].finish()->values<std::string_view>()[0] == "text/plain");
  CHECK(builders[3].finish()->values<std::int64_t>()[0] == 1'001'000);
  std::string headers;
  const ColumnPtr map = builders[4].finish();
  const Value row = map->value(0);
  for (const Value& text_of : row.as_list()) headers += text_of.as_string() + ";";
  CHECK(headers.find("content-type;text/plain;") != std::string::npos);
  CHECK(headers.find("x-site;north;") != std::string::npos);
  CHECK(headers.find("authorization") == std::string::npos);
  CHECK(headers.find("x-bytes") == std::string::npos);
}

}  // namespace
}  // namespace leat::sources
