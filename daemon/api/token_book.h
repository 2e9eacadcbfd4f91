// The tokens as a running daemon knows them: the file is looked at when it is asked for, at most once a
// second, and read when it has changed. What cannot be read lets nobody in.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/api/tokens.h"
#include "daemon/loop/clock.h"

namespace leat::api {

/// Any thread may ask it.
class TokenBook {
 public:
  /// The clock outlives it.
  TokenBook(const std::string& data_dir, const loop::Clock& clock);

  /// True when callers must show a token: there is one, if only an expired one, or the file cannot be read.
  bool asks();
  /// The caller of a token that is in the file and has not expired; takes as long whichever it is.
  std::optional<Caller> find(std::string_view text);

 private:
  /// What tells that the file is another one.
  struct Signature {
    bool there = false;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed = 0;  ///< Nanoseconds.
    friend bool operator==(const Signature&, const Signature&) = default;
  };
  [[nodiscard]] Signature look() const;
  void refresh();

  const TokenFile file_;
  const loop::Clock& clock_;
  std::mutex mutex_;
  std::optional<std::int64_t> looked_;  ///< Monotonic.
  std::optional<Signature> known_;
  std::string problem_;  ///< Why the file cannot be read; empty: it can.
  std::vector<Token> tokens_;
};

}  // namespace leat::api
