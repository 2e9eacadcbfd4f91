// TO_CHANGELOG and FROM_CHANGELOG (plan/changelog_node.h): what a row does to the table as a column, and
// back.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "pipelines/exec/stateless.h"
#include "pipelines/plan/changelog_node.h"

namespace leat::exec {

/// Gives each row out as one that only comes, with the code of its kind behind its columns.
class ToChangelog final : public StatelessOperator {
 public:
  explicit ToChangelog(const plan::ToChangelogNode& node) : codes_(node.codes) {}
  Status process(std::size_t input, const Batch& batch, Output& out) override;

 private:
  std::array<std::optional<std::string>, 4> codes_;  // By RowKind.
};

/// Gives each row the kind that its code says.
class FromChangelog final : public StatelessOperator {
 public:
  FromChangelog(const plan::FromChangelogNode& node, OperatorContext context);
  Status process(std::size_t input, const Batch& batch, Output& out) override;

 private:
  [[nodiscard]] std::optional<RowKind> kind_of(const Column& codes, std::size_t row) const;
  [[nodiscard]] std::string complaint(const Column& codes, std::size_t row) const;

  OperatorContext context_;
  Schema schema_;  // Of the input.
  std::size_t code_column_;
  std::map<std::string, RowKind, std::less<>> kinds_;
  plan::UnknownCode unknown_;
};

}  // namespace leat::exec
