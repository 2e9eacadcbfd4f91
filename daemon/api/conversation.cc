#include "daemon/api/conversation.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "daemon/log/log.h"

namespace leat::api {

using listen::Moment;

namespace {

/// A stream that has nothing to say says so, to whoever waits between the two ends.
constexpr std::chrono::seconds kAliveEvery{10};
constexpr std::string_view kAlive = ": alive\n\n";
constexpr std::string_view kEvents = "text/event-stream";
/// Of pages: scripts, styles and data from here only, and nowhere in a frame.
constexpr const char* kPagePolicy =
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

Incoming read_request(const httplib::Request& from, const Peer& peer) {
  return {.method = from.method,
          .path = from.path,
          .query = {from.params.begin(), from.params.end()},
          .body = from.body,
          .content_type = from.get_header_value("Content-Type"),
          .host = from.get_header_value("Host"),
          .origin = from.get_header_value("Origin"),
          .fetch_site = from.get_header_value("Sec-Fetch-Site"),
          .authorization = from.get_header_value("Authorization"),
          .accept_encoding = from.get_header_value("Accept-Encoding"),
          .if_none_match = from.get_header_value("If-None-Match"),
          .peer = peer};
}

/// What an answer says of itself, unless its handler has said it.
void set_guards(httplib::Response& to, const std::string& content_type) {
  const auto set = [&](const char* name, const char* value) {
    if (!to.has_header(name)) to.set_header(name, value);
  };
  set("X-Content-Type-Options", "nosniff");
  set("Cache-Control", "no-store");
  set("Referrer-Policy", "no-referrer");
  set("Cross-Origin-Resource-Policy", "same-origin");
  if (content_type.starts_with("text/html")) set("Content-Security-Policy", kPagePolicy);
  if (content_type.starts_with("text/html")) set("X-Frame-Options", "DENY");
}

/// Writes the pieces as they come.
class PieceWriter {
 public:
  explicit PieceWriter(const Response& from)
      : next_(from.pieces), says_alive_(from.content_type.starts_with(kEvents)) {}

  bool operator()(httplib::DataSink& reader) {
    const std::optional<std::string> piece = next_();
    if (!piece) {
      reader.done();
      return true;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!piece->empty()) {
      last_ = now;
      return reader.write(piece->data(), piece->size());
    }
    if (!says_alive_ || now - last_ < kAliveEvery) return reader.is_writable();
    last_ = now;
    return reader.write(kAlive.data(), kAlive.size());
  }

 private:
  const Pieces next_;
  const bool says_alive_;
  Moment last_ = std::chrono::steady_clock::now();
};

/// A body that is compressed already: the library compresses those of `set_content` by itself, and so twice.
void answer_packed(const Response& from, httplib::Response& to) {
  to.set_header("Accept-Ranges", "none");
  const auto body = std::make_shared<const std::string>(from.body);
  to.set_content_provider(body->size(), from.content_type.c_str(),
                          [body](std::size_t offset, std::size_t length, httplib::DataSink& reader) {
                            return reader.write(body->data() + offset, length);
                          });
}

void answer_with(const Response& from, httplib::Response& to) {
  to.status = from.status;
  if (!from.allow.empty()) to.set_header("Allow", from.allow);
  for (const auto& [name, value] : from.headers) to.set_header(name, value);
  set_guards(to, from.content_type);
  if (to.has_header("Content-Encoding")) return answer_packed(from, to);
  if (!from.pieces) return to.set_content(from.body, from.content_type.c_str());
  const auto writer = std::make_shared<PieceWriter>(from);
  to.set_chunked_content_provider(
      from.content_type.c_str(),
      [writer](std::size_t, httplib::DataSink& reader) { return (*writer)(reader); });
}

/// How a response that is no page goes out by itself.
listen::Answer answer_of(const Response& from) {
  listen::Answer answer{from.status, from.body, from.content_type, from.headers};
  if (!from.allow.empty()) answer.headers.emplace_back("Allow", from.allow);
  return answer;
}

std::optional<listen::Answer> answer_of(const std::optional<Response>& from) {
  return from ? std::optional(answer_of(*from)) : std::nullopt;
}

}  // namespace

std::optional<listen::Answer> Conversation::admit(const Peer& peer) {
  counters_.requests.fetch_add(1, std::memory_order_relaxed);
  return answer_of(access_.refuse_rate(peer));
}

std::optional<listen::Answer> Conversation::judge(httplib::Request& request, const Peer& peer,
                                                  const listen::BodyFrame& body) {
  const std::string encoding = request.get_header_value("Content-Encoding");
  if (!encoding.empty() && encoding != "identity")
    return listen::problem(415, "compressed", "send the body as it is, without a Content-Encoding");
  if (!body.there) return std::nullopt;
  return answer_of(dispatcher_.refuse_early(read_request(request, peer), body.size));
}

void Conversation::answer(const httplib::Request& request, const Peer& peer, httplib::Response& response) {
  answer_with(dispatcher_.dispatch(context_, read_request(request, peer)), response);
}

void Conversation::refuse(const httplib::Request& request, int status, httplib::Response& response) {
  if (status == 500) {
    log::error("an API handler failed", {{"path", request.path}});
    return answer_with(problem(500, "internal error", "the handler failed; see the log"), response);
  }
  const bool missing = status == 404;
  const std::string detail = missing ? fmt::format("there is nothing at {}", request.path) : "";
  answer_with(problem(status, missing ? "not found" : "the request was refused", detail), response);
}

}  // namespace leat::api
