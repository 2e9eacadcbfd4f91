// Aggregate functions: incremental always. The state of one group is a fixed-size piece of memory that the
// operator owns and places; the functions here fill, merge and print it, column-wise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/bytes.h"
#include "pipelines/column/column.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/functions/scalar.h"

namespace leat::functions {

/// Takes the changed parts of one state: entries of the store whose names the receiver completes with the
/// group and the call.
class PartChanges {
 public:
  virtual ~PartChanges() = default;
  /// Both views live until the call returns.
  virtual void put(std::string_view part, std::string_view value) = 0;
  virtual void erase(std::string_view part) = 0;
};

/// A bound aggregate: pure code over states; holds no state itself, may be used by many operators at once.
///
/// `states[i]` is the state that row `rows[i]` of the argument columns goes to; several rows may go to one
/// state and they are applied in the order given. All states are aligned to 16 bytes.
///
/// A state is saved as a head of a few bytes (`save`, `load`) and, where it keeps a set or a list of values
/// (`has_parts`), as parts beside it: one small entry per value, of which a commit writes those that changed.
class Aggregate {
 public:
  virtual ~Aggregate() = default;

  [[nodiscard]] virtual Type result_type() const = 0;
  /// The types the arguments must have been cast to.
  [[nodiscard]] virtual std::vector<Type> argument_types() const = 0;
  [[nodiscard]] virtual std::size_t state_size() const = 0;

  virtual void init(std::byte* state) const = 0;
  /// Frees what the state owns beside its fixed-size memory. Called once for each `init`.
  virtual void destroy(std::byte* state) const { (void)state; }
  /// Heap bytes that the state owns beside its fixed-size memory.
  [[nodiscard]] virtual std::size_t heap_bytes(const std::byte* state) const {
    (void)state;
    return 0;
  }

  /// Adds rows. `arguments` are whole, non-constant columns (none for COUNT(*)).
  virtual void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
                      std::byte* const* states) const = 0;
  /// Takes rows back (changelog input). Only called when `retractable()`.
  virtual void retract(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
                       std::byte* const* states) const = 0;
  [[nodiscard]] virtual bool retractable() const = 0;
  /// Adds the groups' content of `from` (a later slice) to `into`; `from` stays valid.
  virtual void merge(std::byte* into, const std::byte* from) const = 0;
  /// Appends the result of one state.
  virtual void result(const std::byte* state, ColumnBuilder& out) const = 0;

  /// The state without its parts as bytes, and back into an initialised state. Errors: corrupt.
  virtual void save(const std::byte* state, ByteWriter& out) const = 0;
  virtual Status load(std::byte* state, ByteReader& in) const = 0;

  /// True if states have parts; `save` and `load` are not the whole state then.
  [[nodiscard]] virtual bool has_parts() const { return false; }
  /// Writes the parts that changed since the last `save_parts` or `load_part`, and forgets that they changed.
  virtual void save_parts(std::byte* state, PartChanges& changes) const {
    (void)state;
    (void)changes;
  }
  /// Puts back one part; the parts and the head come in any order, before the first row. Errors: corrupt.
  virtual Status load_part(std::byte* state, std::string_view part, std::string_view value) const;
  /// Erases every part that the store has: the group is gone, or gets another name. The state itself stays as
  /// it is and counts as never saved: the next `save_parts` would write all of it.
  virtual void unsave_parts(std::byte* state, PartChanges& changes) const {
    (void)state;
    (void)changes;
  }
};
using AggregatePtr = std::shared_ptr<const Aggregate>;

enum class Distinctness : std::uint8_t { kAll, kDistinct };

struct AggregateFunction {
  std::string name;  ///< Upper case: "COUNT" (also COUNT(*): no arguments), "SUM", …
  std::string signature;
  std::string doc;
  /// `needs_retraction`: the input is a changelog; MIN, MAX, FIRST_VALUE, … then keep what they must.
  /// Errors: invalid, names the function and the argument types.
  std::function<Result<AggregatePtr>(std::span<const ArgumentInfo>, Distinctness, bool needs_retraction)>
      bind;
};

const AggregateFunction* find_aggregate(std::string_view name);
std::span<const AggregateFunction> all_aggregates();

}  // namespace leat::functions
