// What the dialect has beside functions: forms of the language, by the names under which a user looks for
// them. `leat describe` shows them; the tests plan every example.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat::plan {

struct LanguageForm {
  std::vector<std::string> names;  ///< In capitals; the first is the usual one.
  std::string form;
  std::string doc;
  /// A query over readings(device STRING, temperature DOUBLE, ts TIMESTAMP(3) with a watermark, seen AS
  /// PROCTIME(), samples ARRAY<INT>) and versions(device STRING as the key, site STRING, since TIMESTAMP(3)
  /// with a watermark); what only batch mode has, over VALUES.
  std::string example;
};

/// In the order of the documentation.
std::span<const LanguageForm> all_language_forms();
/// `name` in capitals. Null: there is no such form.
const LanguageForm* find_language_form(std::string_view name);

}  // namespace leat::plan
