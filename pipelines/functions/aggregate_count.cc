// COUNT(*) and COUNT(x). State: varint count (as zigzag: it may pass below zero while a changelog is
// out of order).
#include "pipelines/functions/aggregate_base.h"

namespace leat::functions {
namespace {

class Count final : public Aggregate {
 public:
  explicit Count(std::vector<Type> arguments) : arguments_(std::move(arguments)) {}

  [[nodiscard]] Type result_type() const override { return Type::big_int().with_nullable(false); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return arguments_; }
  [[nodiscard]] std::size_t state_size() const override { return sizeof(std::int64_t); }

  void init(std::byte* state) const override { at(state) = 0; }
  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    step(arguments, rows, states, 1);
  }
  void retract(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
               std::byte* const* states) const override {
    step(arguments, rows, states, -1);
  }
  [[nodiscard]] bool retractable() const override { return true; }
  void merge(std::byte* into, const std::byte* from) const override { at(into) += at(from); }
  void result(const std::byte* state, ColumnBuilder& out) const override { out.append(at(state)); }
  void save(const std::byte* state, ByteWriter& out) const override { out.zigzag(at(state)); }
  Status load(std::byte* state, ByteReader& in) const override {
    at(state) = in.zigzag();
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "state of COUNT ends early");
    return {};
  }

 private:
  static std::int64_t& at(std::byte* state) { return *reinterpret_cast<std::int64_t*>(state); }
  static std::int64_t at(const std::byte* state) { return *reinterpret_cast<const std::int64_t*>(state); }

  static void step(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
                   std::byte* const* states, std::int64_t by) {
    if (arguments.empty() || !arguments[0]->may_have_nulls()) {
      for (std::size_t i = 0; i < rows.size(); ++i) at(states[i]) += by;
      return;
    }
    const Column& column = *arguments[0];
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!column.is_null(rows[i])) at(states[i]) += by;
  }

  std::vector<Type> arguments_;
};

}  // namespace

AggregatePtr make_count_all() {
  return std::make_shared<const Count>(std::vector<Type>{});
}

AggregatePtr make_count(const Type& argument) {
  return std::make_shared<const Count>(std::vector{argument});
}

}  // namespace leat::functions
