// The local REST API: a route table over httplib, on its own threads. Handlers read snapshots only; nothing
// here touches the engine.
//
// Guards, because the library behind it has known weak spots: loopback only, body and header limits, no
// ranges, one process per port (no SO_REUSEPORT), exceptions end here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "daemon/loop/clock.h"
#include "daemon/loop/stall_watch.h"
#include "daemon/runtime/host.h"
#include "daemon/store/store.h"
#include "pipelines/base/result.h"

namespace httplib {
class Server;
}

namespace leat::api {

class Dispatcher;
struct Gates;

/// What handlers may look at; outlives the server.
struct ApiContext {
  runtime::Host* host = nullptr;
  store::Store* store = nullptr;
  const loop::Clock* clock = nullptr;
  const loop::StallWatch* stalls = nullptr;  ///< Null: nobody watches.
  std::string gateway_id;
  std::string version;
  std::int64_t started = 0;  ///< Gateway clock, microseconds.
  std::string data_dir;      ///< Where the store's file is; never told.
  Gates* gates = nullptr;    ///< Outlives the answers, as all of these.
};

class Server {
 public:
  explicit Server(const ApiContext& context);
  ~Server();

  /// Binds and begins to answer; port 0 picks a free one. Returns the port. Errors: conflict (the port is
  /// taken), io.
  Result<std::uint16_t> start(const std::string& host, std::uint16_t port);
  /// Ends all answers and threads; idempotent.
  void stop();

 private:
  void guard();

  const ApiContext context_;
  const std::unique_ptr<const Dispatcher> dispatcher_;
  std::unique_ptr<httplib::Server> server_;
  std::thread thread_;
};

}  // namespace leat::api
