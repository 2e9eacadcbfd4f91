#include "sources/clients/response_stream.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <string_view>
#include <utility>

namespace leat::clients {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
/// With a chunk's size.
constexpr std::size_t kLongestLine = 1 << 10;

/// "HTTP/1.1 103 …"; 101 is the last of its connection.
bool is_interim(std::string_view head) {
  constexpr std::size_t kStatus = 9;
  return head.starts_with("HTTP/1.") && head.size() > kStatus + 3 && head[kStatus] == '1' &&
         head.substr(kStatus, 3) != "101";
}

bool is_chunked(std::string_view head) {
  std::string small(head);
  std::ranges::transform(small, small.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::size_t field = small.find("\r\ntransfer-encoding:");
  if (field == std::string::npos) return false;
  return small.find("chunked", field) < small.find(kLineEnd, field + kLineEnd.size());
}

int whole_int(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

ssize_t ResponseStream::receive(char* to, std::size_t size) {
  if (tls_ != nullptr) {
    const int read = ::SSL_read(tls_, to, whole_int(size));
    if (read > 0) return read;
    return ::SSL_get_error(tls_, read) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  }
  for (;;) {
    const ssize_t read = ::recv(socket_, to, size, 0);
    if (read >= 0 || errno != EINTR) return read;
  }
}

bool ResponseStream::fill() {
  from_ = to_ = 0;
  const ssize_t read = receive(buffer_.data(), buffer_.size());
  if (read > 0) to_ = static_cast<std::size_t>(read);
  return read > 0;
}

bool ResponseStream::next(char& byte) {
  if (from_ == to_ && !fill()) return false;
  byte = buffer_[from_++];
  return true;
}

std::size_t ResponseStream::take_buffered(char* to, std::size_t size) {
  const std::size_t taken = std::min(size, to_ - from_);
  std::copy_n(buffer_.data() + from_, taken, to);
  from_ += taken;
  return taken;
}

/// The head of the response, without those of interim ones before it.
bool ResponseStream::read_head() {
  for (std::size_t taken = 0; taken < kLongestHead; ++taken) {
    char byte = 0;
    if (!next(byte)) return false;
    ready_ += byte;
    if (!ready_.ends_with(kHeadEnd)) continue;
    has_head_ = !is_interim(ready_);
    if (has_head_ && is_chunked(ready_)) part_ = Part::kSize;
    if (has_head_) return true;
    ready_.clear();
  }
  head_too_long_ = true;
  return false;
}

ssize_t ResponseStream::read(char* to, std::size_t size) {
  if (!has_head_ && !read_head()) return -1;
  if (given_ < ready_.size()) {
    const std::size_t given = ready_.copy(to, size, given_);
    given_ += given;
    return static_cast<ssize_t>(given);
  }
  if (part_ == Part::kWhole && from_ == to_) return receive(to, size);
  if (part_ == Part::kWhole) return static_cast<ssize_t>(take_buffered(to, size));
  if (from_ == to_ && !fill()) return -1;
  if (part_ == Part::kData) {
    const std::size_t taken =
        take_buffered(to, static_cast<std::size_t>(std::min<std::uint64_t>(size, chunk_)));
    chunk_ -= taken;
    if (chunk_ == 0) part_ = Part::kDataEnd;
    return static_cast<ssize_t>(taken);
  }
  *to = buffer_[from_++];
  return take_framing(*to) ? 1 : -1;
}

/// A byte of the line with a chunk's size, or of the end of its data. False: it breaks off, or has no end.
bool ResponseStream::take_framing(char byte) {
  line_ += byte;
  if (byte != '\n') return line_.size() < kLongestLine;
  const std::string line = std::exchange(line_, {});
  if (part_ == Part::kDataEnd) {
    part_ = Part::kSize;
    return true;
  }
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), chunk_, 16);
  if (error != std::errc()) return true;  // httplib refuses it.
  part_ = chunk_ > 0 ? Part::kData : Part::kWhole;
  return chunk_ > 0 || pass_trailer();
}

/// The fields behind the last chunk; of what ends them httplib expects an empty line.
bool ResponseStream::pass_trailer() {
  std::size_t length = 0;
  for (std::size_t taken = 0; taken < kLongestHead; ++taken) {
    char byte = 0;
    if (!next(byte)) return false;
    if (byte == '\n' && length == 0) {
      ready_ = kLineEnd;
      given_ = 0;
      return true;
    }
    if (byte == '\n') length = 0;
    if (byte != '\n' && byte != '\r') ++length;
  }
  return false;
}

ssize_t ResponseStream::write(const char* from, std::size_t size) {
  if (tls_ != nullptr) {
    const int written = ::SSL_write(tls_, from, whole_int(size));
    return written > 0 ? written : -1;
  }
  for (;;) {
    const ssize_t written = ::send(socket_, from, size, MSG_NOSIGNAL);
    if (written >= 0 || errno != EINTR) return written;
  }
}

}  // namespace leat::clients
