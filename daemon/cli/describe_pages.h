// The pages of the reference that are made from the tables of the program: what a page says is what runs.
#pragma once

#include <string>

namespace leat::cli {

/// Markdown. `functions`: scalar functions and aggregates with their examples; `settings`: keys of SET;
/// `connectors`: options and metadata of connectors and formats.
std::string functions_page();
std::string settings_page();
std::string configuration_page();
std::string connectors_page();

}  // namespace leat::cli
