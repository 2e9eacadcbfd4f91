// '${env:NAME}': a value of WITH that says where a secret lies in place of the secret itself. The text of the
// pipeline, its plan and its fingerprints hold the placeholder only; it is filled in when a source or a sink
// is built, by the host, which knows environment and files.
//
//   ${env:NAME}         a variable of the daemon's environment
//   ${file:/path}       the contents of a file, without the line break at its end
//   ${credential:NAME}  a credential of the service (systemd's LoadCredential=, SetCredential=)
//
// Text may stand around it ('Bearer ${file:/run/token}'). '$${' stands for the characters '${'; a '${' that
// is not followed by a word and a colon is no placeholder.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat {

struct Placeholder {
  enum class From : std::uint8_t { kEnvironment, kFile, kCredential } from = From::kEnvironment;
  std::string name;
};

/// True if filling in would change the value, or find it wrong.
bool has_placeholder(std::string_view value);

/// The value with what `look_up` says in the place of each placeholder. Errors: invalid (no such form, with
/// what is known), and those of `look_up`.
Result<std::string> fill_placeholders(std::string_view value,
                                      const std::function<Result<std::string>(const Placeholder&)>& look_up);

}  // namespace leat
