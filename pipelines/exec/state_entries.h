// Small pieces of which operators build the entries of their state: a buffer, and what is to be erased.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/bytes.h"

namespace leat::exec {

/// Keys of state entries that the next save must erase.
class ErasedEntries {
 public:
  void add(std::string key) { keys_.push_back(std::move(key)); }
  /// Hands all to `erase` and forgets them.
  template <class Erase>
  void drain(Erase erase) {
    for (const std::string& key : keys_) erase(key);
    keys_.clear();
  }
  [[nodiscard]] std::size_t memory_bytes() const { return keys_.capacity() * sizeof(std::string); }

 private:
  std::vector<std::string> keys_;
};

/// A small buffer that is written anew for each entry.
class EntryBuffer {
 public:
  ByteWriter& begin() {
    bytes_.clear();
    return writer_;
  }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
  ByteWriter writer_{bytes_};
};

}  // namespace leat::exec
