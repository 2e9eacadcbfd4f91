// The keys of a join, one numbering for both of its inputs. A row whose key has a NULL where NULLs match
// nothing has no key.
#pragma once

#include <array>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/plan/join_node.h"

namespace leat::exec {

class JoinKeys {
 public:
  static constexpr KeyId kNoKey = static_cast<KeyId>(-1);

  explicit JoinKeys(const plan::JoinBase& node);

  /// The key of each row of input `side`; the view holds until the next call.
  std::span<const KeyId> lookup(std::size_t side, std::span<const ColumnPtr> columns, std::size_t rows);

  /// The same for rows of the join's state, none of which is without a key. Errors: corrupt.
  Result<std::span<const KeyId>> lookup_kept(std::size_t side, std::span<const ColumnPtr> columns,
                                             std::size_t rows);

  /// A row of the join's state has the key now, or has it no longer.
  void use(KeyId key);
  void release(KeyId key) { --uses_[key]; }
  /// How many rows have it.
  [[nodiscard]] std::size_t uses(KeyId key) const { return key < uses_.size() ? uses_[key] : 0; }
  /// Forgets keys without use when there are many. Numbers that `lookup` gave before are void.
  void sweep();

  KeyMap& map() { return map_; }
  [[nodiscard]] const KeyMap& map() const { return map_; }
  [[nodiscard]] std::size_t size() const { return map_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const { return map_.memory_bytes() + uses_.capacity() * 4; }

 private:
  [[nodiscard]] bool has_null(std::size_t side, std::span<const ColumnPtr> columns, std::size_t row) const;
  void lookup_some(std::span<const ColumnPtr> keys, std::span<const std::uint32_t> rows);

  std::array<std::vector<std::size_t>, 2> columns_;  // By side.
  std::array<std::vector<std::size_t>, 2> strict_;   // Those whose NULLs match nothing.
  KeyMap map_;
  std::vector<std::uint32_t> uses_;
  std::size_t used_ = 0;
  std::vector<KeyId> ids_;
  std::vector<KeyId> some_ids_;
};

}  // namespace leat::exec
