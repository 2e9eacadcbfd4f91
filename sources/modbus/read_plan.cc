#include "sources/modbus/read_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace leat::sources {
namespace {

std::uint32_t end_of(const RegisterMapping& mapping) {
  return std::uint32_t{mapping.address} + mapping.count;
}

/// Takes the value into the request, if it may be read along.
bool extend(ReadRequest& request, const RegisterMapping& mapping, const ReadLimits& limits) {
  const std::uint32_t end = std::uint32_t{request.address} + request.count;
  if (request.table != mapping.table || mapping.address > end + limits.gap) return false;
  const std::uint32_t count = std::max(end, end_of(mapping)) - request.address;
  if (count > (holds_bits(mapping.table) ? kMostBits : limits.registers)) return false;
  request.count = static_cast<std::uint16_t>(count);
  return true;
}

}  // namespace

std::vector<ReadRequest> plan_reads(std::span<const MappedColumn> columns, const ReadLimits& limits) {
  std::vector<std::size_t> order(columns.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t column) {
    const RegisterMapping& mapping = columns[column].mapping;
    return std::tuple(mapping.table, mapping.address);
  });
  std::vector<ReadRequest> requests;
  for (const std::size_t column : order) {
    const RegisterMapping& mapping = columns[column].mapping;
    if (requests.empty() || !extend(requests.back(), mapping, limits))
      requests.push_back({mapping.table, mapping.address, mapping.count, {}});
    requests.back().columns.push_back(column);
  }
  return requests;
}

std::string name_of_request(const ReadRequest& request, std::span<const MappedColumn> columns) {
  constexpr std::size_t kNamed = 8;
  std::string names;
  for (std::size_t i = 0; i < std::min(kNamed, request.columns.size()); ++i)
    names += (i == 0 ? "" : ", ") + columns[request.columns[i]].name;
  if (request.columns.size() > kNamed) names += ", …";
  return fmt::format("{} ({})", name_of_registers(request.table, request.address, request.count), names);
}

}  // namespace leat::sources
