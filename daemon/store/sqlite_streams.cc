#include "daemon/store/sqlite_streams.h"

#include <set>

namespace leat::store {

/// One transaction.
Status SqliteStreams::change(const Work& work) {
  return host_.write([&](Connection& connection, Streams& streams) -> Status {
    Transaction transaction(connection);
    LEAT_TRY(transaction.begin());
    LEAT_TRY(work(connection, streams));
    LEAT_TRY(transaction.commit());
    refresh(connection);
    return {};
  });
}

Status SqliteStreams::declare(const PipelineName& pipeline, const std::vector<StreamUse>& uses) {
  return change([&](Connection&, Streams& streams) { return streams.declare(pipeline, uses); });
}

Status SqliteStreams::rehearse(const PipelineName& pipeline, const std::vector<StreamUse>& uses) {
  if (uses.empty()) return {};
  return host_.write([&](Connection& connection, Streams& streams) -> Status {
    Transaction never_committed(connection);
    LEAT_TRY(never_committed.begin());
    return streams.declare(pipeline, uses);
  });
}

Status SqliteStreams::forget_others(const std::vector<PipelineName>& pipelines) {
  return change([&](Connection&, Streams& streams) { return streams.forget_others(pipelines); });
}

std::uint64_t SqliteStreams::waiting_bytes(const std::string& stream) const {
  const std::scoped_lock lock(levels_mutex_);
  const auto found = levels_.find(stream);
  return found == levels_.end() ? 0 : found->second;
}

Result<std::vector<StreamStatus>> SqliteStreams::list() {
  std::vector<StreamStatus> all;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(all, read_stream_status(connection));
    return {};
  }));
  return all;
}

Result<std::vector<sources::StreamBlock>> SqliteStreams::read_stream(const sources::StreamReaderName& reader,
                                                                     std::uint64_t after,
                                                                     std::uint64_t max_bytes) {
  std::vector<sources::StreamBlock> blocks;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(blocks, read_stream_blocks(connection, reader, after, max_bytes));
    return {};
  }));
  return blocks;
}

void SqliteStreams::on_stream(const sources::StreamReaderName& reader, std::function<void()> wake) {
  const std::scoped_lock lock(wakes_mutex_);
  auto& of_stream = wakes_[reader.stream];
  const Key key{reader.pipeline.value, reader.table.value};
  if (wake)
    of_stream[key] = std::move(wake);
  else
    of_stream.erase(key);
  if (of_stream.empty()) wakes_.erase(reader.stream);
}

void SqliteStreams::refresh(Connection& connection) {
  Statement select(connection, "SELECT name, waiting_bytes FROM leat_streams");
  std::map<std::string, std::uint64_t> levels;
  {
    Rows rows = select.query();
    for (;;) {
      const Result<bool> found = rows.next();
      if (!found) return;  // Read at the next change.
      if (!*found) break;
      levels[rows.text(0)] = rows.count(1);
    }
  }
  const std::scoped_lock lock(levels_mutex_);
  levels_ = std::move(levels);
}

void SqliteStreams::committed(Connection& connection, const Commit& commit) {
  if (commit.streams.empty() && commit.passed.empty()) return;
  refresh(connection);
  std::set<std::string> written;
  for (const StreamRows& rows : commit.streams) written.insert(rows.stream->name);
  const std::scoped_lock lock(wakes_mutex_);
  for (const std::string& stream : written) {
    const auto wakes = wakes_.find(stream);
    if (wakes == wakes_.end()) continue;
    for (const auto& [reader, wake] : wakes->second) wake();
  }
}

}  // namespace leat::store
