#include "daemon/api/redact.h"

#include <algorithm>

#include "pipelines/sql/secret_text.h"

namespace leat::api {

std::string redact_sql(std::string_view sql) {
  return sql::HiddenText(sql).text();
}

std::size_t line_of_redacted(std::string_view sql) {
  for (const sql::SourceSpan& secret : sql::secrets_in(sql)) {
    if (sql.substr(secret.begin, secret.size()) != sql::kHidden) continue;
    const auto before = sql.substr(0, secret.begin);
    return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  }
  return 0;
}

}  // namespace leat::api
