// Where the tokens of a JSON text begin: the first stage of simdjson (structural indexing, with its checks of
// UTF-8 and of control characters inside strings), which runs at gigabytes per second with the best kernel of
// the machine, chosen at run time. Leat walks the index itself rather than through simdjson's On-Demand
// interface: one pass then indexes many lines at once, every token's end is known without looking for it, and
// the whole grammar is checked (On-Demand accepts `{"a":1,,,}` once it has the field it was asked for).
// One index belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace leat::formats {

class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();

  /// Indexes `text`. Returns null, or what is wrong with it in a few words; `tokens()` is valid after success
  /// until the next call. A text without any token is an error, too.
  const char* build(std::string_view text);

  /// Offsets, ascending, of { } [ ] : , outside of strings, of opening quotes and of the first character of
  /// each other run of non-blank characters; closed by two of UINT32_MAX.
  [[nodiscard]] const std::uint32_t* tokens() const { return tokens_; }

 private:
  struct Stage;
  std::unique_ptr<Stage> stage_;
  const std::uint32_t* tokens_ = nullptr;
};

}  // namespace leat::formats
