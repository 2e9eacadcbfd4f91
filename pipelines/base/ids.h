// Strong types for the names and numbers that travel between the floors, so that a journal position is never
// taken for a commit number.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace leat {

template <class Tag>
struct NumberId {
  std::uint64_t value = 0;
  friend auto operator<=>(const NumberId&, const NumberId&) = default;
  [[nodiscard]] NumberId next() const { return NumberId{value + 1}; }
};

template <class Tag>
struct NameId {
  std::string value;
  friend auto operator<=>(const NameId&, const NameId&) = default;
};

/// Number of a message in its intake: starts at 1, grows by one, is never reused (0: none yet).
using MessageNumber = NumberId<struct MessageNumberTag>;
/// Number of a pipeline's commit: starts at 1, grows by one (0: none yet).
using CommitNumber = NumberId<struct CommitNumberTag>;
/// Number of a sink's shipment within one store id: starts at 1, grows by one (0: none yet).
using ShipmentNumber = NumberId<struct ShipmentNumberTag>;
/// Number of a block in the outbox, unique within the store, in the order of commits.
using BlockNumber = NumberId<struct BlockNumberTag>;

using PipelineName = NameId<struct PipelineNameTag>;
/// A source or sink as the pipeline file names it: its table's name.
using TableName = NameId<struct TableNameTag>;

/// The random identity of a store (32 hex digits); shipment numbers compare only within one.
using StoreId = NameId<struct StoreIdTag>;

}  // namespace leat

template <class Tag>
struct std::hash<leat::NumberId<Tag>> {
  std::size_t operator()(const leat::NumberId<Tag>& id) const { return std::hash<std::uint64_t>{}(id.value); }
};
template <class Tag>
struct std::hash<leat::NameId<Tag>> {
  std::size_t operator()(const leat::NameId<Tag>& id) const { return std::hash<std::string>{}(id.value); }
};
