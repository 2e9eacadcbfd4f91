#include "sinks/stream/stream_sink.h"

#include "sinks/connector.h"
#include "sources/clients/local_stream.h"

namespace leat::sinks {

SinkConnector stream_connector() {
  SinkConnector connector = sink_connector<sources::StreamSinkOptions>(
      "stream", "A stream of rows inside the daemon, from one pipeline to others.",
      sources::stream_sink_options, sources::check_stream_sink_options);
  connector.info.changes = plan::SinkChanges::kAppend;
  connector.info.delivered = false;
  connector.encoding = Encoding::kStream;
  return connector;
}

}  // namespace leat::sinks
