// Bytes for a terminal: what came from outside must not steer it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace leat::cli {

/// UTF-8 as it is; control characters and bytes that are no UTF-8 as \n, \t, \r or \xNN, a backslash as \\.
std::string printable(std::string_view bytes);

/// All lines, each fit for a terminal: the caret of an SQL error stays under its text.
std::string printable_lines(const std::string& text);

/// A member of the API's answer: text without its quotes, "-" for null, all else as JSON.
std::string text_of(const nlohmann::ordered_json& value);
/// An answer as JSON on standard output (`--json`).
void print_json(const nlohmann::ordered_json& body);

}  // namespace leat::cli
