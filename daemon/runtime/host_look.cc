// Looking on: plans, and rows and messages of running pipelines, for threads other than the loop's.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>

#include "daemon/runtime/host_entry.h"
#include "pipelines/base/nearest.h"

namespace leat::runtime {
namespace {

constexpr std::chrono::seconds kLongestAsk{10};

bool has_table(const plan::Plan& plan, const std::string& table) {
  const auto is_it = [&](const auto& node) { return node->table == table; };
  return std::ranges::any_of(plan.scans, is_it) || std::ranges::any_of(plan.sinks, is_it);
}

/// "'a', 'b'"
std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
  return list;
}

}  // namespace

/// Runs `ask`, which keeps all that it needs, on the loop and waits. What is posted before the daemon stops
/// is done before its loop ends; unless somebody stops it a second time.
template <class T>
Result<T> Host::ask_loop(const std::function<Result<T>()>& ask) {
  const auto answer = std::make_shared<std::promise<Result<T>>>();
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return leat::fail(ErrorCode::kUnavailable, "the daemon is stopping");
    context_.loop->post([ask, answer] { answer->set_value(ask()); });
  }
  std::future<Result<T>> coming = answer->get_future();
  if (coming.wait_for(kLongestAsk) == std::future_status::ready) return coming.get();
  return leat::fail(ErrorCode::kUnavailable, "the loop is busy: try again");
}

Result<plan::Plan> Host::plan_of(const PipelineName& pipeline) {
  return ask_loop<plan::Plan>([this, pipeline]() -> Result<plan::Plan> {
    const Entry* entry = find(pipeline);
    if (entry == nullptr)
      return leat::fail(ErrorCode::kNotFound, fmt::format("there is no pipeline '{}'", pipeline.value));
    if (!entry->policy)
      return leat::fail(ErrorCode::kConflict,
                        fmt::format("pipeline '{}' cannot be planned: {}", pipeline.value, entry->error));
    return entry->plan;
  });
}

Result<std::vector<PlannedPipeline>> Host::plans() {
  return ask_loop<std::vector<PlannedPipeline>>([this]() -> Result<std::vector<PlannedPipeline>> {
    std::vector<PlannedPipeline> all;
    for (const auto& entry : entries_)
      all.push_back({entry->name, entry->file, entry->plan, entry->sql.value_or("")});
    return all;
  });
}

Result<Pipeline*> Host::running(const PipelineName& pipeline) {
  const Entry* entry = find(pipeline);
  if (entry == nullptr)
    return leat::fail(ErrorCode::kNotFound, fmt::format("there is no pipeline '{}'", pipeline.value));
  if (entry->pipeline) return entry->pipeline.get();
  return leat::fail(ErrorCode::kConflict,
                    fmt::format("pipeline '{}' has failed: no rows pass: {}", pipeline.value, entry->error));
}

/// The one pipeline that has the table.
Result<PipelineName> Host::owner_of(const TableName& table) {
  std::vector<std::string> owners;
  std::vector<std::string> known;
  for (const auto& entry : entries_) {
    if (has_table(entry->plan, table.value)) owners.push_back(entry->name.value);
    for (const auto& scan : entry->plan.scans) known.push_back(scan->table);
    for (const auto& sink : entry->plan.sinks) known.push_back(sink->table);
  }
  if (owners.size() == 1) return PipelineName{owners.front()};
  if (!owners.empty())
    return leat::fail(ErrorCode::kConflict, fmt::format("{} have a table '{}': say which pipeline is meant",
                                                        list_of(owners), table.value));
  return leat::fail(ErrorCode::kNotFound, fmt::format("no pipeline reads or writes a table '{}'{}",
                                                      table.value, did_you_mean(table.value, known)));
}

Result<std::shared_ptr<RowChannel>> Host::tail(const std::optional<PipelineName>& pipeline,
                                               const TableName& table) {
  using Channel = std::shared_ptr<RowChannel>;
  return ask_loop<Channel>([this, pipeline, table]() -> Result<Channel> {
    PipelineName name;
    if (pipeline) {
      name = *pipeline;
    } else {
      LEAT_ASSIGN(name, owner_of(table));
    }
    LEAT_ASSIGN(Pipeline* const running_one, running(name));
    return running_one->tail(table);
  });
}

Result<std::shared_ptr<MessageTap>> Host::tap(const PipelineName& pipeline, const TableName& table) {
  using Tap = std::shared_ptr<MessageTap>;
  return ask_loop<Tap>([this, pipeline, table]() -> Result<Tap> {
    LEAT_ASSIGN(Pipeline* const running_one, running(pipeline));
    return running_one->tap(table);
  });
}

}  // namespace leat::runtime
