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

/// A bound aggregate: pure code over states; holds no state itself, may be used by many operators at once.
///
/// `states[i]` is the state that row `rows[i]` of the argument columns goes to; several rows may go to one
/// state and they are applied in the order given. All states are aligned to 16 bytes.
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

  /// The state as bytes, and back into an initialised state. Errors: corrupt.
  virtual void save(const std::byte* state, ByteWriter& out) const = 0;
  virtual Status load(std::byte* state, ByteReader& in) const = 0;
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
