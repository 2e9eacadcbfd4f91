#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;

ordered_json stream_json(const store::StreamStatus& stream) {
  return {{"name", stream.name},
          {"columns", stream.columns},
          {"writers", stream.writers},
          {"readers", stream.readers},
          {"rows",
           {{"written", stream.written},
            {"passed", stream.passed},
            {"dropped", stream.dropped},
            {"unread", stream.unread},
            {"waiting", stream.waiting}}},
          {"waiting_bytes", stream.waiting_bytes}};
}

}  // namespace

Response list_streams(const ApiContext& context, const Request&) {
  const auto all = context.store->streams().list();
  if (!all) return problem(503, "the store cannot be read", all.error().message);
  ordered_json streams = ordered_json::array();
  for (const store::StreamStatus& stream : *all) streams.push_back(stream_json(stream));
  return json_response({{"streams", std::move(streams)}});
}

Response show_stream(const ApiContext& context, const Request& request) {
  const auto all = context.store->streams().list();
  if (!all) return problem(503, "the store cannot be read", all.error().message);
  for (const store::StreamStatus& stream : *all)
    if (stream.name == request.parts.at(0)) return json_response(stream_json(stream));
  return problem(404, "no such stream", "no pipeline writes or reads a stream '" + request.parts.at(0) + "'");
}

}  // namespace leat::api
