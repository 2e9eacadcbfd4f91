#include "pipelines/exec/changelog_codes.h"

#include <utility>

namespace leat::exec {

Status ToChangelog::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  std::vector<std::uint32_t> kept;
  ColumnBuilder codes(Type::string().with_nullable(false));
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    const std::optional<std::string>& code = codes_[static_cast<std::size_t>(batch.kind(row))];
    if (!code) continue;
    kept.push_back(row);
    codes.append_string(*code);
  }
  Batch result = gather(batch, kept);
  result.kinds.clear();
  result.columns.push_back(codes.finish());
  counters_.rows_in += batch.size;
  counters_.passed += kept.size();
  counters_.rows_out += kept.size();
  counters_.filtered += batch.size - kept.size();
  return out.emit(std::move(result));
}

FromChangelog::FromChangelog(const plan::FromChangelogNode& node, OperatorContext context)
    : context_(std::move(context)),
      schema_(node.inputs[0]->schema),
      code_column_(node.code_column),
      kinds_(node.kinds),
      unknown_(node.unknown) {}

Status FromChangelog::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  const Column& codes = *batch.columns[code_column_];
  std::vector<std::uint32_t> kept;
  std::vector<RowKind> kinds;
  functions::RowErrors errors;
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    if (const std::optional<RowKind> kind = kind_of(codes, row)) {
      kept.push_back(row);
      kinds.push_back(*kind);
    } else if (unknown_ == plan::UnknownCode::kFail) {
      errors.add(row, complaint(codes, row));
    }
  }
  std::size_t dead = 0;
  if (!errors.empty()) {
    LEAT_ASSIGN(const Rejected rejected, reject_failed(context_, schema_, batch, errors));
    dead = rejected.dead;
  }
  Batch result = gather(batch, kept);
  result.kinds = std::move(kinds);
  counters_.rows_in += batch.size;
  counters_.passed += kept.size();
  counters_.rows_out += kept.size();
  counters_.dead += dead;
  counters_.filtered += batch.size - kept.size() - dead;
  return out.emit(std::move(result));
}

std::optional<RowKind> FromChangelog::kind_of(const Column& codes, std::size_t row) const {
  if (codes.is_null(row)) return std::nullopt;
  const auto found = kinds_.find(codes.strings()[row]);
  return found == kinds_.end() ? std::nullopt : std::optional(found->second);
}

std::string FromChangelog::complaint(const Column& codes, std::size_t row) const {
  const std::string& name = schema_.fields[code_column_].name;
  if (codes.is_null(row)) return "column '" + name + "' is NULL and does not say what the row does";
  return "column '" + name + "': '" + std::string(codes.strings()[row]) +
         "' is no change that op_mapping knows";
}

}  // namespace leat::exec
