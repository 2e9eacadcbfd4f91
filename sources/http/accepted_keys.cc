#include "sources/http/accepted_keys.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "pipelines/base/bytes.h"

namespace leat::sources {

KeyHash hash_of_key(std::string_view key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return {hash.low64, hash.high64};
}

void AcceptedKeys::add(const KeyHash& key) {
  if (!known_.insert(key).second) return;
  order_.push_back(key);
  if (order_.size() <= most_) return;
  known_.erase(order_.front());
  order_.pop_front();
}

Status KeyLog::restore(std::string_view value) {
  ByteReader in(value);
  const std::uint64_t number = in.varint();
  const std::uint64_t low = in.fixed64();
  const std::uint64_t high = in.fixed64();
  if (!in.ok() || !in.at_end() || number == 0)
    return fail(ErrorCode::kCorrupt, "a remembered key of the http source cannot be read");
  restored_[number] = {low, high};
  count_ = std::max(count_, number);
  return {};
}

std::vector<KeyHash> KeyLog::restored() const {
  std::vector<KeyHash> keys;
  for (const auto& [number, key] : restored_)
    if (number + most_ > count_) keys.push_back(key);
  return keys;
}

void KeyLog::add(const KeyHash& key) {
  changed_[++count_] = key;
  // Of more than the ring holds only the last would remain.
  if (changed_.size() > most_) changed_.erase(changed_.begin());
}

void KeyLog::save(const std::function<void(std::string_view, std::string_view)>& put) {
  for (const auto& [number, hash] : changed_) {
    const auto slot = static_cast<std::uint32_t>(number % most_);
    std::string key;
    for (const int shift : {24, 16, 8, 0}) key.push_back(static_cast<char>(slot >> shift & 0xFF));
    std::string value;
    ByteWriter out(value);
    out.varint(number);
    out.fixed64(hash.low);
    out.fixed64(hash.high);
    put(key, value);
  }
  changed_.clear();
}

}  // namespace leat::sources
