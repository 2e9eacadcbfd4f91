#include "daemon/cli/event_stream.h"

#include <utility>

namespace leat::cli {
namespace {

constexpr std::size_t kLongestLine = 64 << 20;

}  // namespace

bool EventStream::take(std::string_view bytes) {
  pending_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', begin)) {
    std::string_view line(pending_.data() + begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    if (!take_line(line)) return false;
  }
  pending_.erase(0, begin);
  return pending_.size() <= kLongestLine;
}

bool EventStream::take_line(std::string_view line) {
  if (line.empty()) return end_event();
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") name_ = value;
  if (field == "data") {
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += value;
  }
  return true;  // Comments, which keep a quiet connection alive, and fields that nobody reads.
}

bool EventStream::end_event() {
  const std::string name = name_.empty() ? "message" : std::exchange(name_, {});
  const std::string data = std::exchange(data_, {});
  name_.clear();
  return !std::exchange(has_data_, false) || on_event_(name, data);
}

}  // namespace leat::cli
