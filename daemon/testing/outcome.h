// What a test run gave out, in the forms in which it can be expected.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/runtime/final_table.h"
#include "daemon/runtime/pipeline.h"
#include "daemon/testing/test_folder.h"

namespace leat::testing {

class Outcome final : public runtime::ResultListener {
 public:
  /// `plan` outlives it.
  Outcome(const plan::Plan& plan, const TestFolder& test, std::string time_zone);

  Status rows(std::size_t sink, const Schema& schema, const Batch& batch) override;

  /// The lines of a table in the form in which it is expected (kChangelog if it is not).
  [[nodiscard]] std::vector<std::string> lines_of(const std::string& table) const;
  /// Tables that got rows, and those that could have.
  [[nodiscard]] std::vector<std::string> tables() const;

 private:
  struct Table {
    RowFile form = RowFile::kChangelog;
    std::vector<std::string> lines;  // kChangelog
    runtime::FinalTable records;     // The others.
    std::vector<std::size_t> primary_key;
  };
  Status add_encoded(Table& table, const Schema& schema, const Batch& batch);
  void add_changelog(Table& table, const Batch& batch) const;

  std::vector<std::string> names_;  // By sink.
  std::map<std::string, Table> tables_;
  std::string time_zone_;
};

}  // namespace leat::testing
