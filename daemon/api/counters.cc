#include "daemon/api/counters.h"

#include <string>

#include "daemon/log/log.h"

namespace leat::api {

void Counters::refused(listen::Refused why) {
  using listen::Refused;
  switch (why) {
    case Refused::kConnections:
      log::warn("the API has all the connections that it may have ([api] max_connections)");
      return turn(Turned::kConnections);
    case Refused::kSlow:
      return turn(Turned::kSlow);
    case Refused::kSize:
      return turn(Turned::kSize);
    case Refused::kHandshake:
      return turn(Turned::kHandshake);
  }
}

void Counters::takes_none(std::string_view reason) {
  log::warn("the API takes no connections now", {{"reason", std::string(reason)}});
}

void Counters::failed(std::string_view reason) {
  log::error("a connection to the API failed", {{"reason", std::string(reason)}});
}

}  // namespace leat::api
