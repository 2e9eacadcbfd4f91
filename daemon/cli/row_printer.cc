#include "daemon/cli/row_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "daemon/cli/printable.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kWidestColumn = 40;

std::string cell_text(const ordered_json& row, const std::string& column) {
  const auto cell = row.find(column);
  return cell == row.end() || cell->is_null() ? "NULL" : text_of(*cell);
}

}  // namespace

std::size_t shown_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded_line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t used = shown_width(cells[i]);
    line += (i == 0 ? "" : "  ") + cells[i];
    if (i + 1 < cells.size() && used < widths[i]) line.append(widths[i] - used, ' ');
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

void RowPrinter::schema(const ordered_json& data) {
  columns_.clear();
  widths_.clear();
  for (const ordered_json& column : data.at("columns"))
    columns_.push_back(column.at("name").get<std::string>());
}

/// The first row decides how wide a column is; later ones that are wider push their row to the right.
void RowPrinter::header(const ordered_json& first) {
  std::vector<std::string> names{"op"};
  widths_ = {2};
  for (const std::string& column : columns_) {
    names.push_back(printable(column));
    widths_.push_back(std::clamp(shown_width(cell_text(first, column)), shown_width(names.back()),
                                 std::max(kWidestColumn, shown_width(names.back()))));
  }
  fmt::print("{}\n", padded_line(names, widths_));
}

void RowPrinter::rows(const ordered_json& data) {
  for (const ordered_json& each : data) {
    if (form_ == Form::kJson) {
      fmt::print("{}\n", each.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
      continue;
    }
    ++rows_;
    const ordered_json& row = each.at("row");
    if (widths_.empty()) header(row);
    std::vector<std::string> cells{text_of(each.at("kind"))};
    for (const std::string& column : columns_) cells.push_back(cell_text(row, column));
    fmt::print("{}\n", padded_line(cells, widths_));
  }
  std::fflush(stdout);
}

bool RowPrinter::event(std::string_view name, std::string_view data) {
  const ordered_json body = ordered_json::parse(data, nullptr, /*allow_exceptions=*/false);
  if (body.is_discarded()) return true;
  if (name == "schema") schema(body);
  if (name == "rows") rows(body);
  if (name == "skipped") fmt::print(stderr, "{}: {} rows left out\n", verb_, text_of(body.at("rows")));
  if (name == "note") fmt::print(stderr, "{}: {}\n", verb_, text_of(body.at("text")));
  if (name == "end") {
    if (rows_ == 0 && form_ == Form::kText) fmt::print(stderr, "{}: no rows came\n", verb_);
    fmt::print(stderr, "{}: {}\n", verb_, text_of(body.at("why")));
    ended_ = true;
  }
  return !ended_ && std::ferror(stdout) == 0;
}

}  // namespace leat::cli
