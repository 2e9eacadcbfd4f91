// Where the text of a pipeline file holds secrets, so that whatever shows the text (an error with its line,
// the REST API) leaves them out. Works on any bytes: a text that does not parse is just the one that gets
// shown.
//
// A secret is the value that is written to a key which names one, whether the line is a comment, a hint or an
// option: 'password' = '…', 'properties.sasl.jaas.config' = '…', 'header.X-Site' = '…'. So is the password in
// the authority of a URL, and the value of a query's parameter that names a secret. A placeholder
// ('${env:NAME}') is none: it says where the secret lies. In doubt a value is a secret: a hidden name of a
// topic costs a look into the file, a password that shows costs more.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipelines/sql/source_span.h"

namespace leat::sql {

/// What stands in a secret's place.
inline constexpr std::string_view kHidden = "***";

/// True if the values of an option with this key must not show. Knows no connector: it goes by the words,
/// also by misspelt ones.
bool names_secret(std::string_view key);

/// The secrets themselves, without their quotes; in order, none overlaps another.
std::vector<SourceSpan> secrets_in(std::string_view text);

/// A text without its secrets, and where its places have gone.
class HiddenText {
 public:
  explicit HiddenText(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  /// An offset of the original; one inside of a secret becomes the beginning of what stands in its place.
  [[nodiscard]] std::uint32_t place_of(std::uint32_t offset) const;
  /// `message` without the secrets that it quotes ("found 'hunter2'").
  [[nodiscard]] std::string without_secrets(std::string message) const;

 private:
  std::vector<SourceSpan> secrets_;
  std::vector<std::string> values_;
  std::string text_;
};

}  // namespace leat::sql
