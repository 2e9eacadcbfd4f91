#include "sources/modbus/unit_reader.h"

#include <fmt/format.h>

#include <utility>

#include "pipelines/formats/write_scalar.h"
#include "sources/modbus/register_value.h"

namespace leat::sources {
namespace {

using Kind = UnitAnswer::Kind;

Kind kind_of(const ReadOutcome& outcome) {
  switch (outcome.kind) {
    case ReadOutcome::Kind::kAnswered:
      return Kind::kRow;
    case ReadOutcome::Kind::kException:
      return outcome.is_silence() ? Kind::kSilent : Kind::kRefused;
    case ReadOutcome::Kind::kSilent:
    case ReadOutcome::Kind::kOccupied:
      return Kind::kSilent;
    case ReadOutcome::Kind::kBroken:
      return Kind::kBroken;
    case ReadOutcome::Kind::kStopped:
      break;
  }
  return Kind::kStopped;
}

}  // namespace

UnitReader::UnitReader(std::vector<MappedColumn> columns, const ReadLimits& limits, ByteOrder order)
    : columns_(std::move(columns)), requests_(plan_reads(columns_, limits)), order_(order) {
  for (const MappedColumn& column : columns_) {
    formats::append_json_string(column.name, keys_.emplace_back());
    keys_.back().push_back(':');
  }
  values_.resize(columns_.size());
}

UnitAnswer UnitReader::read(const AskUnit& ask) {
  for (std::string& value : values_) value.clear();
  UnitAnswer answer{.kind = Kind::kRefused};
  std::vector<std::uint16_t> words;
  for (const ReadRequest& request : requests_) {
    words.assign(request.count, 0);
    const ReadOutcome outcome = ask(request, words);
    const Kind kind = kind_of(outcome);
    if (kind == Kind::kRow) {
      take(request, words);
      answer.kind = Kind::kRow;
      continue;
    }
    if (kind == Kind::kBroken || kind == Kind::kStopped) return {kind, {}, outcome.reason};
    const std::string trouble = fmt::format("{}: {}", name_of_request(request, columns_), outcome.reason);
    if (kind != Kind::kRefused) return {kind, {}, trouble};
    answer.trouble += (answer.trouble.empty() ? "" : "; ") + trouble;
  }
  if (answer.kind == Kind::kRow) answer.payload = object();
  return answer;
}

void UnitReader::take(const ReadRequest& request, const std::vector<std::uint16_t>& words) {
  for (const std::size_t column : request.columns) {
    const RegisterMapping& mapping = columns_[column].mapping;
    const auto own = std::span(words).subspan(mapping.address - request.address, mapping.count);
    append_register_value(mapping, mapping.order.value_or(order_), own, values_[column]);
  }
}

std::string UnitReader::object() const {
  std::string text = "{";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) text.push_back(',');
    text += keys_[i];
    text += values_[i].empty() ? "null" : values_[i];
  }
  text.push_back('}');
  return text;
}

}  // namespace leat::sources
