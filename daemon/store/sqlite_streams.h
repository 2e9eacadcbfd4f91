// StreamStore over the store's database: writes go to the storage thread, blocks are read over the store's
// reader.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/commit.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/stream_store.h"
#include "daemon/store/streams.h"

namespace leat::store {

class SqliteStreams final : public StreamStore {
 public:
  using Work = std::function<Status(Connection&, Streams&)>;
  using Read = std::function<Status(Connection&)>;
  struct Host {
    std::function<Status(const Work&)> write;  ///< Runs it on the storage thread and waits.
    std::function<Status(const Read&)> read;   ///< Runs it on the store's reader.
  };
  explicit SqliteStreams(Host host) : host_(std::move(host)) {}

  Status declare(const PipelineName& pipeline, const std::vector<StreamUse>& uses) override;
  Status rehearse(const PipelineName& pipeline, const std::vector<StreamUse>& uses) override;
  Status forget_others(const std::vector<PipelineName>& pipelines) override;
  [[nodiscard]] std::uint64_t waiting_bytes(const std::string& stream) const override;
  Result<std::vector<StreamStatus>> list() override;
  Result<std::vector<sources::StreamBlock>> read_stream(const sources::StreamReaderName& reader,
                                                        std::uint64_t after,
                                                        std::uint64_t max_bytes) override;
  void on_stream(const sources::StreamReaderName& reader, std::function<void()> wake) override;

  /// What waits is known again from the database; at the start, and when it has changed. Storage thread.
  void refresh(Connection& connection);
  /// A commit stands: readers of what it wrote are woken. On the storage thread.
  void committed(Connection& connection, const Commit& commit);

 private:
  Status change(const Work& work);

  const Host host_;
  mutable std::mutex levels_mutex_;  // Guards levels_.
  std::map<std::string, std::uint64_t> levels_;
  std::mutex wakes_mutex_;                          // Guards wakes_; held while calling one.
  using Key = std::pair<std::string, std::string>;  // Pipeline and table of a reader.
  std::map<std::string, std::map<Key, std::function<void()>>> wakes_;  // By stream.
};

}  // namespace leat::store
