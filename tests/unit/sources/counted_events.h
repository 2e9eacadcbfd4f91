// What listeners and connections tell, counted.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "sources/listen/events.h"

namespace leat::listen {

class CountedEvents final : public Events {
 public:
  std::atomic<std::int64_t> connections = 0;
  [[nodiscard]] std::uint64_t count(Refused why) const { return refused_[static_cast<std::size_t>(why)]; }

  void connection_opened() override { ++connections; }
  void connection_closed() override { --connections; }
  void refused(Refused why) override { ++refused_[static_cast<std::size_t>(why)]; }
  void takes_none(std::string_view) override {}
  void failed(std::string_view) override {}

 private:
  std::array<std::atomic<std::uint64_t>, 4> refused_{};
};

}  // namespace leat::listen
