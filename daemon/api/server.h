// The REST API: a route table over httplib, on threads of its own, reached over TCP, TLS or a Unix socket.
// Handlers read snapshots only; nothing here touches the engine.
//
// httplib parses requests and writes answers; listening, reading and writing are our own (listener.h,
// exchange.h), because it has no bounds for a request as a whole and known weak spots: requests are bounded
// in size and time, there are no ranges and no compressed bodies, exceptions end here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/api/reload.h"
#include "daemon/loop/clock.h"
#include "daemon/loop/stall_watch.h"
#include "daemon/runtime/host.h"
#include "daemon/store/store.h"
#include "pipelines/base/result.h"
#include "sources/listen/tls_keys.h"

namespace leat::config {
struct Config;
}

namespace leat::api {

struct Counters;
struct Gates;

/// What handlers may look at; outlives the server.
struct ApiContext {
  runtime::Host* host = nullptr;
  store::Store* store = nullptr;
  const loop::Clock* clock = nullptr;
  const loop::StallWatch* stalls = nullptr;  ///< Null: nobody watches.
  std::string gateway_id;
  const Counters* counters = nullptr;  ///< What the API counts about itself; null: nothing.
  std::string version;
  std::int64_t started = 0;  ///< Gateway clock, microseconds.
  std::string data_dir;      ///< Where the store's file is; never told.
  Gates* gates = nullptr;    ///< Outlives the answers, as all of these.
  ReloadAll reload = {};     ///< Reads the daemon's files anew; null: it has none.
  /// Why the configuration that the last reload found is refused; "": it is not. Null: it has none.
  std::function<std::string()> refused_configuration = {};
  std::function<bool()> stopping = {};  ///< The daemon ends what it does. Null: it never does.
};

/// Certificates as the configuration names them, and the names of its keys for messages.
listen::TlsFiles tls_files_of(const config::Config& config);
listen::TlsNames tls_names();

class Server {
 public:
  /// `config` outlives it, and so does what `context` points to.
  Server(const ApiContext& context, const config::Config& config);
  ~Server();

  /// Begins to answer wherever the configuration says. Errors: invalid (other machines could come in without
  /// a token; wrong certificates), conflict (an address is taken), io.
  Status start();
  /// Ends all answers and threads; idempotent.
  void stop();

  /// Of TCP, with the port that it has got: "http://127.0.0.1:8463"; "off" without.
  [[nodiscard]] std::string url() const;
  /// Of the Unix socket; "off" without.
  [[nodiscard]] std::string socket() const;

 private:
  class Running;
  const std::unique_ptr<Running> running_;
};

}  // namespace leat::api
