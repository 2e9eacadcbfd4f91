#include "sources/kafka/kafka_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace leat::sources {
namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

/// The text behind `name` in "name:text".
std::optional<std::string_view> value_of(std::string_view pair, std::string_view name) {
  if (!pair.starts_with(name) || pair.size() == name.size() || pair[name.size()] != ':') return std::nullopt;
  return pair.substr(name.size() + 1);
}

std::vector<std::string_view> pieces_of(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pieces;
}

}  // namespace

Result<PartitionOffsets> parse_partition_offsets(std::string_view text) {
  PartitionOffsets offsets;
  for (const std::string_view entry : pieces_of(text, ';')) {
    const auto pair = pieces_of(entry, ',');
    const auto partition = pair.size() == 2 ? value_of(pair[0], "partition") : std::nullopt;
    const auto offset = pair.size() == 2 ? value_of(pair[1], "offset") : std::nullopt;
    const auto number = partition ? number_in<std::int32_t>(*partition) : std::nullopt;
    const auto place = offset ? number_in<std::int64_t>(*offset) : std::nullopt;
    if (!number || !place)
      return fail(ErrorCode::kInvalid,
                  fmt::format("'{}': expected 'partition:0,offset:42;partition:1,offset:300'", entry));
    if (!offsets.emplace(*number, static_cast<std::uint64_t>(*place)).second)
      return fail(ErrorCode::kInvalid, fmt::format("partition {} is given twice", *number));
  }
  if (offsets.empty()) return fail(ErrorCode::kInvalid, "expected 'partition:0,offset:42;…'");
  return offsets;
}

Result<PartitionShare> PartitionShare::parse(std::string_view text) {
  PartitionShare share;
  for (const std::string_view range : pieces_of(text, ',')) {
    const std::size_t dash = range.find('-');
    const auto first = number_in<std::int32_t>(range.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : number_in<std::int32_t>(range.substr(dash + 1));
    if (!first || !last || *last < *first)
      return fail(ErrorCode::kInvalid, fmt::format("'{}': expected partitions such as '0-3,7'", range));
    share.ranges_.emplace_back(*first, *last);
  }
  return share;
}

bool PartitionShare::has(std::int32_t partition) const {
  return ranges_.empty() || std::any_of(ranges_.begin(), ranges_.end(), [&](const auto& range) {
           return range.first <= partition && partition <= range.second;
         });
}

std::optional<std::int32_t> PartitionShare::first_absent(const std::set<std::int32_t>& there) const {
  for (const auto& [first, last] : ranges_)
    for (std::int64_t number = first; number <= last; ++number)
      if (!there.contains(static_cast<std::int32_t>(number))) return static_cast<std::int32_t>(number);
  return std::nullopt;
}

}  // namespace leat::sources
