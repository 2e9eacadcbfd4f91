// What comes over a connection to the REST API: request lines, headers, bodies, several requests one after
// the other. They are read, judged and taken apart as the daemon does, with all its routes; the resources
// behind them only look at what they got. How many bytes come at a time makes no difference to the answers.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/api/conversation.h"
#include "daemon/api/dead_letter_request.h"
#include "daemon/api/members.h"
#include "daemon/log/log.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace leat;
using listen::Moment;
using listen::Wired;

/// A peer that sends all of this, so many bytes at a time, then nothing more, and reads what it gets.
class Sent final : public listen::Wire {
 public:
  Sent(std::string_view text, std::size_t piece) : left_(text), piece_(piece) {}

  Wired read(char* to, std::size_t size, Moment /*until*/, std::size_t& done) override {
    done = std::min({size, piece_, left_.size()});
    if (done == 0) return Wired::kClosed;
    left_.copy(to, done);
    left_.remove_prefix(done);
    return Wired::kDone;
  }
  Wired write(const char* from, std::size_t size, Moment /*until*/, std::size_t& done) override {
    answers_.append(from, size);
    done = size;
    return Wired::kDone;
  }
  Wired wait(Moment /*until*/) override { return left_.empty() ? Wired::kClosed : Wired::kDone; }
  [[nodiscard]] bool is_alive() const override { return true; }

  [[nodiscard]] const std::string& answers() const { return answers_; }

 private:
  std::string_view left_;
  const std::size_t piece_;
  std::string answers_;
};

/// What every resource may rely on; its parameters are read as numbers, texts and dead letters are.
api::Response take(const api::Route& route, const api::ApiContext& context, const api::Request& request) {
  const auto places = static_cast<std::size_t>(std::count(route.path.begin(), route.path.end(), '{'));
  fuzz::expect(request.parts.size() == places, "every place of the path is filled");
  fuzz::expect(request.body.is_object(), "a body is an object");
  fuzz::expect(request.role >= route.role, "whoever asks may do so");
  std::set<std::string> known;
  for (const api::Parameter& each : route.parameters) known.insert(each.name);
  for (const auto& [name, value] : request.query) fuzz::expect(known.contains(name), "a parameter is known");
  std::string told;
  for (const std::string& name : known) {
    const auto number = api::number_member(request, name, {.least = 1, .most = 1000, .otherwise = 7});
    if (number) fuzz::expect(*number >= 1 && *number <= 1000, "a number is in its range");
    const auto text = api::text_member(request, name);
    told += text ? *text : text.error().message;
  }
  if (known.contains("origin")) {
    const auto letters = api::dead_letter_filter(request, context.clock->wall());
    if (!letters) told += letters.error().message;
  }
  return {
      .status = 200,
      .body = nlohmann::json{{"told", told}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

/// The routes of the daemon.
std::vector<api::Route> routes() {
  std::vector<api::Route> made(api::routes().begin(), api::routes().end());
  for (api::Route& route : made) {
    route.answer = [&route](const api::ApiContext& context, const api::Request& request) {
      return take(route, context, request);
    };
  }
  return made;
}

/// No handler fails, whatever it gets.
class Watched final : public listen::HttpHandler {
 public:
  explicit Watched(listen::HttpHandler& handler) : handler_(handler) {}

  std::optional<listen::Answer> admit(const listen::Peer& peer) override { return handler_.admit(peer); }
  std::optional<listen::Answer> judge(httplib::Request& request, const listen::Peer& peer,
                                      const listen::BodyFrame& body) override {
    return handler_.judge(request, peer, body);
  }
  void answer(const httplib::Request& request, const listen::Peer& peer,
              httplib::Response& response) override {
    handler_.answer(request, peer, response);
  }
  void refuse(const httplib::Request& request, int status, httplib::Response& response) override {
    fuzz::expect(status != 500, "no handler fails");
    handler_.refuse(request, status, response);
  }

 private:
  listen::HttpHandler& handler_;
};

/// Everything that a connection needs, with nobody behind it.
class World {
 public:
  World() { log::set_level(log::Level::kError); }

  std::string converse(std::string_view text, std::size_t piece, const listen::Peer& peer) {
    clock_.advance(Micros(kMicrosPerHour));  // Nobody asks too often.
    Sent wire(text, piece);
    http_.serve(wire, peer);
    return wire.answers();
  }

 private:
  const config::Config config_;
  loop::SimulatedClock clock_{1'764'000'000 * kMicrosPerSecond};
  const api::ApiContext context_{.clock = &clock_};
  api::Counters counters_;
  api::TokenBook tokens_{"/nonexistent", clock_};
  api::Access access_{config_, &tokens_, clock_, counters_};
  const std::vector<api::Route> routes_ = routes();
  const api::Dispatcher dispatcher_{routes_, access_};
  api::Conversation handler_{context_, dispatcher_, access_, counters_};
  Watched watched_{handler_};
  listen::HttpConversations http_{watched_, {.header_name = "header", .body_name = "body"}, counters_};
};

const std::vector<listen::Peer>& peers() {
  using listen::Peer;
  static const std::vector<Peer> known{
      {.way = Peer::Way::kSocket, .address = "operator"},
      {.way = Peer::Way::kHttp, .address = "127.0.0.1", .asked = "127.0.0.1"},
      {.way = Peer::Way::kHttps, .address = "192.0.2.7", .asked = "192.0.2.1", .to_loopback = false},
      {.way = Peer::Way::kHttps,
       .address = "192.0.2.8",
       .asked = "192.0.2.1",
       .to_loopback = false,
       .certificate = "reader"}};
  return known;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string_view text = fuzz::text_of(data, size);
  const listen::Peer& peer = peers()[size % peers().size()];
  const std::string answers = world.converse(text, size, peer);
  fuzz::expect(answers.empty() || answers.starts_with("HTTP/1.1 "), "an answer is one");
  fuzz::expect(world.converse(text, 1, peer) == answers, "how bytes come makes no difference");
  return 0;
}
