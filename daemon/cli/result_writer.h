// The rows of bare SELECTs on standard output: as a table for people, as JSON lines, CSV, or Flink's
// changelog lines.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/runtime/final_table.h"
#include "daemon/runtime/pipeline.h"
#include "pipelines/base/result.h"
#include "pipelines/formats/format.h"

namespace leat::cli {

enum class OutputForm : std::uint8_t { kTable, kJsonLines, kCsv, kChangelog };
Result<OutputForm> parse_output_form(const std::string& name);

class ResultWriter final : public runtime::ResultListener {
 public:
  ResultWriter(OutputForm form, std::string time_zone) : form_(form), time_zone_(std::move(time_zone)) {}

  /// Called before something is written. To be set before the first row.
  void before_output(std::function<void()> call) { before_output_ = std::move(call); }
  /// The rows of this SELECT are updated: but for the changelog's form they are shown once, at the end, as
  /// the table that they leave. Before the first row.
  void collect(std::size_t sink) { collected_[sink]; }

  Status rows(std::size_t sink, const Schema& schema, const Batch& batch) override;
  /// Ends the output (a table's last lines). Errors: io (standard output does not take it).
  Status finish();

 private:
  void write_changelog(const Batch& batch);
  void write_encoded(std::size_t sink, const Schema& schema, const Batch& batch);
  void encode(std::size_t sink, const Schema& schema, const Batch& batch, formats::EncodedSink& out);
  void write_table(const Schema& schema, const Batch& batch);
  void header(const Schema& schema, const Batch& batch);
  void collect_rows(std::size_t sink, const Schema& schema, const Batch& batch);
  void write_collected();
  void write_collected_table(const Schema& schema, const std::vector<runtime::FinalTable::Row>& rows);
  void put(const std::string& text);
  [[nodiscard]] Status status() const;

  std::function<void()> before_output_;
  const OutputForm form_;
  const std::string time_zone_;
  std::size_t sink_ =
      static_cast<std::size_t>(-1);  // Whose rows were written last: another one begins a new header.
  struct Collected {
    Schema schema;
    runtime::FinalTable table;
  };
  std::map<std::size_t, Collected> collected_;  // By sink.
  std::unique_ptr<formats::Encoder> encoder_;
  std::vector<std::size_t> widths_;
  bool changelog_column_ = false;
  std::uint64_t row_count_ = 0;
  int error_ = 0;  // errno of the first write that failed; nothing is written afterwards.
};

}  // namespace leat::cli
