// Rows as they come in events of the API (tail, trial), on a terminal: a header, then a line for each row; or
// one JSON object each. What is no row goes to standard error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace leat::cli {

class RowPrinter {
 public:
  enum class Form : std::uint8_t { kText, kJson };
  /// `verb` begins the lines on standard error: "leat tail".
  RowPrinter(std::string verb, Form form) : verb_(std::move(verb)), form_(form) {}

  /// True: more may come.
  bool event(std::string_view name, std::string_view data);
  /// The stream has told that it ended.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  void schema(const nlohmann::ordered_json& data);
  void rows(const nlohmann::ordered_json& data);
  void header(const nlohmann::ordered_json& first);

  const std::string verb_;
  const Form form_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> widths_;  // Empty: no row yet.
  std::uint64_t rows_ = 0;           // Printed as text.
  bool ended_ = false;
};

/// Cells padded to the widths, without blanks at the end of the line.
std::string padded_line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths);
/// Characters of a text, as a terminal shows it.
std::size_t shown_width(std::string_view text);

}  // namespace leat::cli
