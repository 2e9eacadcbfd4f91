// Secrets in the text of a pipeline: what the API shows of it, and what it must not take back.
#pragma once

#include <string>
#include <string_view>

namespace leat::api {

/// The text with *** in place of every literal secret (passwords, tokens, headers, the password of a URL); a
/// placeholder such as '${env:NAME}' stays. Takes any bytes, also a text that does not parse.
std::string redact_sql(std::string_view sql);

/// The line, from 1, of the first secret that is no secret but the *** that `redact_sql` has put in its
/// place; 0 if there is none. Such a text was read from the API and would lose its password when it is
/// deployed.
std::size_t line_of_redacted(std::string_view sql);

}  // namespace leat::api
