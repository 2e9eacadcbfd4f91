#include "sources/listen/exchange.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat::listen {
namespace {

using std::chrono::steady_clock;

/// What follows the body's bytes when they come in chunks: the sizes between them.
constexpr std::size_t kChunkSizes = 64 << 10;
/// A reader must take so much of an answer in so long a time.
constexpr std::size_t kPiece = 64 << 10;
constexpr std::chrono::seconds kPieceTime{30};
constexpr std::chrono::seconds kRefusalTime{2};
constexpr std::chrono::milliseconds kLinger{300};
constexpr std::size_t kLingerBytes = 1 << 20;

std::string_view reason_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Refused";
  }
}

}  // namespace

std::string closing_answer(const Answer& answer) {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
                  answer.status, reason_of(answer.status), answer.content_type, answer.body.size());
  text += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  for (const auto& [name, value] : answer.headers) text += fmt::format("{}: {}\r\n", name, value);
  return text + "\r\n" + answer.body;
}

Answer too_slow(std::chrono::microseconds limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
  return problem(408, "too slow", fmt::format("the request did not come within {} s", seconds));
}

Answer stopping() {
  Answer answer = problem(503, "stopping", "requests are not taken here now; try again");
  answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

bool Exchange::begin_request() {
  phase_ = Phase::kHeaders;
  whole_ = false;
  head_.clear();
  left_ = limits_.header_bytes;
  if (from_ == to_ && wire_.wait(steady_clock::now() + limits_.idle) != Wired::kDone) return false;
  begun_ = steady_clock::now();
  until_ = begun_ + std::min(limits_.header, limits_.request);
  return true;
}

void Exchange::headers_are_read() {
  phase_ = Phase::kBody;
  left_ = limits_.body_bytes + kChunkSizes;
  until_ = begun_ + limits_.request;
}

void Exchange::refuse(Answer answer) {
  if (!refusal_) refusal_ = std::move(answer);
}

/// More bytes into the empty buffer.
bool Exchange::fill() {
  from_ = to_ = 0;
  const Wired done = wire_.read(buffer_.data(), buffer_.size(), until_, to_);
  if (done == Wired::kLate) {
    events_.refused(Refused::kSlow);
    refuse(too_slow(phase_ == Phase::kHeaders ? std::min(limits_.header, limits_.request) : limits_.request));
  }
  if (done == Wired::kClosed && ending_ && ending_()) refuse(stopping());
  return done == Wired::kDone;
}

ssize_t Exchange::read(char* to, std::size_t size) {
  if (refusal_) return -1;
  if (left_ == 0) {
    events_.refused(Refused::kSize);
    refuse(phase_ == Phase::kHeaders
               ? problem(431, "headers too large",
                         fmt::format("the request's line and headers have more than the {} bytes of {}",
                                     limits_.header_bytes, limits_.header_name))
               : problem(413, "too large",
                         fmt::format("the body has more than the {} bytes of {}", limits_.body_bytes,
                                     limits_.body_name)));
    return -1;
  }
  if (from_ == to_ && !fill()) return refusal_ ? -1 : 0;
  const std::size_t taken = std::min({size, to_ - from_, left_});
  std::copy_n(buffer_.data() + from_, taken, to);
  if (phase_ == Phase::kHeaders) head_.append(buffer_.data() + from_, taken);
  from_ += taken;
  left_ -= taken;
  return static_cast<ssize_t>(taken);
}

bool Exchange::send(std::string_view text, std::chrono::microseconds time) {
  Moment until = steady_clock::now() + time;
  std::size_t in_piece = 0;
  while (!text.empty()) {
    std::size_t sent = 0;
    if (wire_.write(text.data(), std::min(text.size(), kPiece), until, sent) != Wired::kDone) return false;
    text.remove_prefix(sent);
    in_piece += sent;
    if (in_piece < kPiece) continue;
    in_piece = 0;
    until = steady_clock::now() + time;
  }
  return true;
}

ssize_t Exchange::write(const char* from, std::size_t size) {
  // What httplib says to a request that is refused already is not sent.
  if (refusal_) return static_cast<ssize_t>(size);
  return send({from, size}, kPieceTime) ? static_cast<ssize_t>(size) : -1;
}

void Exchange::finish() {
  if (!refusal_ || !send(closing_answer(*refusal_), kRefusalTime)) return;
  const Moment until = steady_clock::now() + kLinger;
  std::size_t drained = 0;
  std::size_t more = 0;
  while (drained < kLingerBytes && wire_.read(buffer_.data(), buffer_.size(), until, more) == Wired::kDone)
    drained += more;
}

void Exchange::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = peer_.address;
  port = 0;
}

void Exchange::get_local_ip_and_port(std::string& ip, int& port) const {
  ip = peer_.asked;
  port = 0;
}

}  // namespace leat::listen
