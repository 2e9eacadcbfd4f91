#include "daemon/api/server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include "daemon/api/dispatch.h"
#include "daemon/api/routes.h"
#include "daemon/log/log.h"

namespace leat::api {
namespace {

/// A connection has one for as long as it lasts, also while it only waits for the next request.
constexpr std::size_t kThreads = 320;
constexpr std::size_t kMaxBody = 1 << 20;
constexpr int kTimeoutSeconds = 5;

Incoming read_request(const httplib::Request& from) {
  return {.method = from.method,
          .path = from.path,
          .query = {from.params.begin(), from.params.end()},
          .body = from.body,
          .content_type = from.get_header_value("Content-Type"),
          .host = from.get_header_value("Host"),
          .origin = from.get_header_value("Origin"),
          .fetch_site = from.get_header_value("Sec-Fetch-Site")};
}

void write_response(const Response& from, httplib::Response& to) {
  to.status = from.status;
  if (!from.allow.empty()) to.set_header("Allow", from.allow);
  for (const auto& [name, value] : from.headers) to.set_header(name, value);
  if (!from.pieces) return to.set_content(from.body, from.content_type.c_str());
  to.set_chunked_content_provider(
      from.content_type.c_str(), [next = from.pieces](std::size_t, httplib::DataSink& reader) {
        const std::optional<std::string> piece = next();
        if (!piece) {
          reader.done();
          return true;
        }
        return piece->empty() ? reader.is_writable() : reader.write(piece->data(), piece->size());
      });
}

}  // namespace

Server::Server(const ApiContext& context)
    : context_(context),
      dispatcher_(std::make_unique<const Dispatcher>(routes())),
      server_(std::make_unique<httplib::Server>()) {
  guard();
  // One handler for every path and method: it is called once the body is read, so that what is refused leaves
  // no bytes behind that the next request of the connection would begin with.
  const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
    write_response(dispatcher_->dispatch(context_, read_request(request)), response);
  };
  const char* any = ".*";
  server_->Get(any, handle).Post(any, handle).Put(any, handle).Patch(any, handle);
  server_->Delete(any, handle).Options(any, handle);
}

Server::~Server() {
  stop();
}

void Server::guard() {
  server_->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server_->set_tcp_nodelay(true);
  server_->set_keep_alive_max_count(1'000'000);
  server_->set_keep_alive_timeout(1);
  server_->set_read_timeout(kTimeoutSeconds);
  server_->set_write_timeout(kTimeoutSeconds);
  server_->set_payload_max_length(kMaxBody);
  // The default shares the port with any other process that asks for it; ours must not.
  server_->set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server_->set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    // Of other methods a body may follow, which must be read first.
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (request.ranges.empty() || !reads) return httplib::Server::HandlerResponse::Unhandled;
    write_response(problem(416, "ranges are not served", "leave out the Range header"), response);
    return httplib::Server::HandlerResponse::Handled;
  });
  server_->set_exception_handler(
      [](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
        log::error("an API handler failed", {{"path", request.path}});
        write_response(problem(500, "internal error", "the handler failed; see the log"), response);
      });
  server_->set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty()) return;
    const bool missing = response.status == 404;
    const std::string detail = missing ? fmt::format("there is nothing at {}", request.path) : "";
    write_response(problem(response.status, missing ? "not found" : "the request was refused", detail),
                   response);
  });
}

Result<std::uint16_t> Server::start(const std::string& host, std::uint16_t port) {
  int bound = port;
  if (port == 0) {
    bound = server_->bind_to_any_port(host.c_str());
  } else if (!server_->bind_to_port(host.c_str(), port)) {
    bound = -1;
  }
  if (bound <= 0)
    return fail(
        ErrorCode::kConflict,
        fmt::format(
            "the API cannot listen on {}:{}: the port is taken or the address is not this machine's; set "
            "[api] listen to a free one",
            host, port));
  thread_ = std::thread([this] { server_->listen_after_bind(); });
  return static_cast<std::uint16_t>(bound);
}

void Server::stop() {
  if (!thread_.joinable()) return;
  server_->stop();
  thread_.join();
}

}  // namespace leat::api
