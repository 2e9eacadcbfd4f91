// A whole HTTP answer, as values.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace leat::listen {

struct Answer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< More of them, such as Retry-After.
};

/// An error as RFC 9457 has it.
Answer problem(int status, const std::string& title, const std::string& detail);

}  // namespace leat::listen
