// A file descriptor that closes itself: for whoever needs what the standard streams do not do (syncing,
// locks, writing at a place).
#pragma once

#include <unistd.h>

#include <utility>

namespace leat::clients {

class Descriptor {
 public:
  /// Negative: it could not be opened, and errno says why.
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

}  // namespace leat::clients
