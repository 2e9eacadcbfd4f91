// Server-sent events as they come in pieces: text/event-stream of the HTML standard, section 9.2.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace leat::cli {

/// An event's name ("message" when it has none) and its data, lines joined with "\n". False: no more of them.
using OnEvent = std::function<bool(std::string_view name, std::string_view data)>;

class EventStream {
 public:
  explicit EventStream(OnEvent on_event) : on_event_(std::move(on_event)) {}

  /// Takes the next bytes, cut anywhere, and calls for each event that is whole. False: the reader has
  /// enough, or the daemon sends a line without end.
  bool take(std::string_view bytes);

 private:
  bool take_line(std::string_view line);
  bool end_event();

  OnEvent on_event_;
  std::string pending_;  ///< Of a line whose end has not come.
  std::string name_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace leat::cli
