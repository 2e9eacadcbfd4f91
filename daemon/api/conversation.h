// What the connections of `sources/listen` ask when a request has come: it goes from httplib's form to the
// dispatcher, and what that answers goes back, with the headers that guard whoever reads it.
#pragma once

#include <optional>

#include "daemon/api/access.h"
#include "daemon/api/counters.h"
#include "daemon/api/dispatch.h"
#include "sources/listen/http_conversations.h"

namespace leat::api {

/// One for all connections of a server; called from the threads of all of them.
class Conversation final : public listen::HttpHandler {
 public:
  /// All of them outlive it.
  Conversation(const ApiContext& context, const Dispatcher& dispatcher, Access& access, Counters& counters)
      : context_(context), dispatcher_(dispatcher), access_(access), counters_(counters) {}

  std::optional<listen::Answer> admit(const Peer& peer) override;
  std::optional<listen::Answer> judge(httplib::Request& request, const Peer& peer,
                                      const listen::BodyFrame& body) override;
  void answer(const httplib::Request& request, const Peer& peer, httplib::Response& response) override;
  void refuse(const httplib::Request& request, int status, httplib::Response& response) override;

 private:
  const ApiContext& context_;
  const Dispatcher& dispatcher_;
  Access& access_;
  Counters& counters_;
};

}  // namespace leat::api
