#include "pipelines/exec/key_lifetimes.h"

namespace leat::exec {
namespace {

std::string entry_of(char tag, KeyId id, const KeyMap& keys) {
  std::string entry(1, tag);
  ByteWriter writer(entry);
  keys.write(id, writer);
  return entry;
}

}  // namespace

KeyLifetimes::Key& KeyLifetimes::key_at(KeyId key) {
  if (key >= keys_.size()) keys_.resize(key + std::size_t{1});
  return keys_[key];
}

void KeyLifetimes::begin_row(std::int64_t intake_time) {
  const bool first = ttl_.now() == kMinWatermark;
  ttl_.pass(intake_time);
  if (!first) return;
  for (KeyId id = 0; id < keys_.size(); ++id)
    if (keys_[id].held) touch(id);
}

void KeyLifetimes::touch(KeyId key) {
  if (!enabled()) return;
  Key& touched = key_at(key);
  touched.written = ttl_.now();
  if (!std::exchange(touched.dirty, true)) dirty_.push_back(key);
  if (!std::exchange(touched.held, true)) expiries_.add(key, touched.written);
}

void KeyLifetimes::erase(KeyId key, const KeyMap& keys) {
  ++erased_since_sweep_;  // Without a time to live, too: its number is to be swept.
  if (!holds(key)) return;
  if (keys_[key].saved) erased_.add(entry_of(key_tag_, key, keys));
  const bool dirty = keys_[key].dirty;  // It still stands in the list.
  keys_[key] = {};
  keys_[key].dirty = dirty;
}

void KeyLifetimes::save(std::string_view node, const KeyMap& keys, StateChanges& changes) {
  erased_.drain([&](const std::string& entry) { changes.erase(node, entry); });
  EntryBuffer value;
  for (const KeyId id : dirty_) {
    Key& key = keys_[id];
    key.dirty = false;
    if (!key.held) continue;
    value.begin().zigzag(key.written);
    changes.put(node, entry_of(key_tag_, id, keys), value.bytes());
    key.saved = true;
  }
  dirty_.clear();
  if (!enabled() || saved_now_ == ttl_.now()) return;
  saved_now_ = ttl_.now();
  value.begin().zigzag(saved_now_);
  changes.put(node, {&kTimeTag, 1}, value.bytes());
}

// Times from before the time to live was taken away mean nothing when it is set again.
Status KeyLifetimes::load(std::string_view key, std::string_view value, KeyMap& keys) {
  if (!enabled()) {
    erased_.add(std::string(key));
    return {};
  }
  ByteReader name(key);
  ByteReader reader(value);
  const std::int64_t time = (name.u8(), reader.zigzag());
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "a saved time of a last write is damaged");
  if (key[0] == kTimeTag) {
    ttl_.pass(time);
    saved_now_ = time;
    return {};
  }
  LEAT_ASSIGN(const KeyId id, keys.read(name));
  Key& loaded = key_at(id);
  loaded.written = time;
  loaded.held = loaded.saved = true;
  return {};
}

void KeyLifetimes::adopt(KeyId key) {
  if (!enabled()) return;
  if (holds(key))
    expiries_.add(key, keys_[key].written);
  else
    touch(key);
}

std::size_t KeyLifetimes::memory_bytes() const {
  return keys_.capacity() * sizeof(Key) + dirty_.capacity() * sizeof(KeyId) + erased_.memory_bytes() +
         expiries_.memory_bytes();
}

}  // namespace leat::exec
