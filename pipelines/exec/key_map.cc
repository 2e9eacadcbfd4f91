#include "pipelines/exec/key_map.h"

#include <algorithm>
#include <cstring>

#include "pipelines/column/codec.h"

namespace leat::exec {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kPrefetchAhead = 8;
constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
constexpr std::size_t kInlineText = 15;  // What std::string holds without the heap.

// Where a key with this hash would be if no other were in its way.
std::size_t slot_of(std::uint64_t hash, std::size_t mask) {
  return static_cast<std::size_t>(hash) & mask;
}

// The finaliser of MurmurHash3 (Austin Appleby, public domain): every input bit reaches every output bit.
std::uint64_t hash_integer(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xFF51AFD7ED558CCDULL;
  value ^= value >> 33;
  value *= 0xC4CEB9FE1A85EC53ULL;
  return value ^ (value >> 33);
}

std::uint64_t load(const char* bytes, std::size_t length) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, length);
  return word;
}

std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = text.size() * kMultiplier;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left > 8; at += 8, left -= 8) {
    hash = (hash ^ load(at, 8)) * kMultiplier;
    hash ^= hash >> 32;
  }
  if (left > 0) hash ^= load(at, left);
  return hash_integer(hash);
}

bool is_integer_layout(Layout layout) {
  return layout == Layout::kI8 || layout == Layout::kI16 || layout == Layout::kI32 || layout == Layout::kI64;
}

template <class Function>
auto with_integers(const Column& column, Function function) {
  switch (column.type().layout()) {
    case Layout::kI8:
      return function(column.values<std::int8_t>());
    case Layout::kI16:
      return function(column.values<std::int16_t>());
    case Layout::kI32:
      return function(column.values<std::int32_t>());
    default:
      return function(column.values<std::int64_t>());
  }
}

void append_integer(std::int64_t value, ColumnBuilder& out) {
  switch (out.type().layout()) {
    case Layout::kI8:
      return out.append(static_cast<std::int8_t>(value));
    case Layout::kI16:
      return out.append(static_cast<std::int16_t>(value));
    case Layout::kI32:
      return out.append(static_cast<std::int32_t>(value));
    default:
      return out.append(value);
  }
}

}  // namespace

KeyMap::KeyMap(std::vector<Type> types) : types_(std::move(types)), form_(Form::kCells), slots_(kFirstSlots) {
  if (types_.size() != 1) return;
  if (is_integer_layout(types_[0].layout())) form_ = Form::kInteger;
  if (types_[0].layout() == Layout::kBytes) form_ = Form::kString;
}

void KeyMap::lookup(std::span<const ColumnPtr> columns, std::size_t rows, std::vector<KeyId>& ids) {
  ids.resize(rows);
  row_hashes_.resize(rows);
  if (form_ == Form::kInteger) return lookup_integers(*columns[0], ids);
  if (form_ == Form::kString) return lookup_strings(*columns[0], ids);
  lookup_cells(columns, rows, ids);
}

void KeyMap::lookup_integers(const Column& column, std::vector<KeyId>& ids) {
  with_integers(column, [&](auto values) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (column.is_null(i)) {
        ids[i] = find_null();
        continue;
      }
      const auto value = static_cast<std::int64_t>(values[i]);
      ids[i] = find_integer(value, hash_integer(static_cast<std::uint64_t>(value)));
    }
  });
}

void KeyMap::lookup_strings(const Column& column, std::vector<KeyId>& ids) {
  const auto strings = column.strings();
  for (std::size_t i = 0; i < ids.size(); ++i) row_hashes_[i] = hash_text(strings[i]);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i + kPrefetchAhead < ids.size())
      __builtin_prefetch(&slots_[slot_of(row_hashes_[i + kPrefetchAhead], slots_.size() - 1)]);
    ids[i] = column.is_null(i) ? find_null() : find_text(strings[i], row_hashes_[i]);
  }
}

void KeyMap::lookup_cells(std::span<const ColumnPtr> columns, std::size_t rows, std::vector<KeyId>& ids) {
  for (std::size_t i = 0; i < rows; ++i) {
    cells_.clear();
    ByteWriter writer(cells_);
    for (const ColumnPtr& column : columns) write_key_cell(*column, i, writer);
    ids[i] = find_text(cells_, hash_text(cells_));
  }
}

KeyId KeyMap::find_integer(std::int64_t value, std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = slot_of(hash, mask); slots_[at] != 0; at = (at + 1) & mask) {
    const auto id = static_cast<KeyId>(slots_[at] & 0xFFFFFFFFULL) - 1;
    if (slots_[at] >> 32 == hash >> 32 && integers_[id] == value) return id;
  }
  const KeyId id = take_id(hash);
  if (integers_.size() <= id) integers_.resize(id + 1);
  integers_[id] = value;
  place(id);
  return id;
}

KeyId KeyMap::find_text(std::string_view text, std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = slot_of(hash, mask); slots_[at] != 0; at = (at + 1) & mask) {
    const auto id = static_cast<KeyId>(slots_[at] & 0xFFFFFFFFULL) - 1;
    if (slots_[at] >> 32 == hash >> 32 && texts_[id] == text) return id;
  }
  const KeyId id = take_id(hash);
  if (texts_.size() <= id) texts_.resize(id + 1);
  texts_[id].assign(text);
  if (text.size() > kInlineText) text_heap_bytes_ += text.size();
  place(id);
  return id;
}

KeyId KeyMap::find_null() {
  if (null_id_ != 0) return null_id_ - 1;
  const KeyId id = take_id(0);
  if (form_ == Form::kInteger && integers_.size() <= id) integers_.resize(id + 1);
  if (form_ == Form::kString && texts_.size() <= id) texts_.resize(id + 1);
  null_id_ = id + 1;
  return id;
}

KeyId KeyMap::take_id(std::uint64_t hash) {
  if (!free_.empty()) {
    const KeyId id = free_.back();
    free_.pop_back();
    hashes_[id] = hash;
    return id;
  }
  hashes_.push_back(hash);
  return static_cast<KeyId>(hashes_.size() - 1);
}

void KeyMap::place(KeyId id) {
  if (2 * size() >= slots_.size()) return make_room();
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = slot_of(hashes_[id], mask);
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = (hashes_[id] >> 32 << 32) | (id + 1);
}

// Doubles the slots; also places the key that is new, which has a number but no slot yet.
void KeyMap::make_room() {
  slots_.assign(slots_.size() * 2, 0);
  std::vector<bool> is_free = free_ids();
  if (null_id_ != 0) is_free[null_id_ - 1] = true;
  const std::size_t mask = slots_.size() - 1;
  for (KeyId id = 0; id < hashes_.size(); ++id) {
    if (is_free[id]) continue;
    std::size_t at = slot_of(hashes_[id], mask);
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = (hashes_[id] >> 32 << 32) | (id + 1);
  }
}

std::vector<bool> KeyMap::free_ids() const {
  std::vector<bool> is_free(hashes_.size());
  for (const KeyId id : free_) is_free[id] = true;
  return is_free;
}

void KeyMap::sweep(std::span<const std::uint32_t> uses) {
  const std::vector<bool> is_free = free_ids();
  for (KeyId id = 0; id < is_free.size(); ++id)
    if (!is_free[id] && (id >= uses.size() || uses[id] == 0)) erase(id);
}

// Linear probing without tombstones: entries behind the hole move up if their home lies at or before it
// (Knuth, The Art of Computer Programming, volume 3, 6.4, algorithm R).
void KeyMap::erase(KeyId id) {
  free_.push_back(id);
  if (null_id_ == id + 1) {
    null_id_ = 0;
    return;
  }
  if (!texts_.empty()) {
    if (texts_[id].size() > kInlineText) text_heap_bytes_ -= texts_[id].size();
    std::string().swap(texts_[id]);
  }
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = slot_of(hashes_[id], mask);
  while ((slots_[hole] & 0xFFFFFFFFULL) != id + 1ULL) hole = (hole + 1) & mask;
  for (std::size_t at = (hole + 1) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const auto held = static_cast<KeyId>(slots_[at] & 0xFFFFFFFFULL) - 1;
    const std::size_t home = slot_of(hashes_[held], mask);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = 0;
}

void KeyMap::append_cells(KeyId id, std::span<ColumnBuilder> out) const {
  if (null_id_ == id + 1) return out[0].append_null();
  if (form_ == Form::kInteger) return append_integer(integers_[id], out[0]);
  if (form_ == Form::kString) return out[0].append_string(texts_[id]);
  ByteReader reader(texts_[id]);
  for (ColumnBuilder& builder : out)
    if (!read_cell(reader, builder)) builder.append_null();
}

void KeyMap::write(KeyId id, ByteWriter& out) const {
  if (form_ == Form::kCells) return out.raw(texts_[id]);
  if (null_id_ == id + 1) return out.u8(0);
  out.u8(1);
  if (form_ == Form::kInteger) return out.zigzag(integers_[id]);
  out.string(texts_[id]);
}

Result<KeyId> KeyMap::read(ByteReader& in) {
  const std::string_view before = in.rest();
  if (form_ == Form::kCells) {
    for (const Type& type : types_) {
      ColumnBuilder cell(type);
      LEAT_TRY(read_cell(in, cell));
    }
    const std::string_view bytes = before.substr(0, before.size() - in.rest().size());
    return find_text(bytes, hash_text(bytes));
  }
  const std::uint8_t tag = in.u8();
  if (tag == 0 && in.ok()) return find_null();
  const std::int64_t integer = form_ == Form::kInteger ? in.zigzag() : 0;
  const std::string_view text = form_ == Form::kString ? in.string() : std::string_view();
  if (!in.ok() || tag != 1) return fail(ErrorCode::kCorrupt, "a key of the saved state cannot be read");
  if (form_ == Form::kInteger)
    return find_integer(integer, hash_integer(static_cast<std::uint64_t>(integer)));
  return find_text(text, hash_text(text));
}

std::size_t KeyMap::memory_bytes() const {
  return (slots_.capacity() + hashes_.capacity() + integers_.capacity() + row_hashes_.capacity()) * 8 +
         texts_.capacity() * sizeof(std::string) + text_heap_bytes_ + free_.capacity() * sizeof(KeyId);
}

}  // namespace leat::exec
