#include "sources/listen/answer.h"

#include <nlohmann/json.hpp>

namespace leat::listen {

Answer problem(int status, const std::string& title, const std::string& detail) {
  const nlohmann::json body{
      {"type", "about:blank"}, {"status", status}, {"title", title}, {"detail", detail}};
  return {status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
          "application/problem+json"};
}

}  // namespace leat::listen
