// What only several pipelines together can get wrong: two that call themselves by one name at a broker, take
// one path of an address, or pass rows round in a circle. Each of them alone is right.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "daemon/runtime/client_names.h"
#include "daemon/runtime/http_paths.h"
#include "daemon/runtime/stream_columns.h"
#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"
#include "pipelines/plan/node.h"

namespace leat::runtime {

/// How messages name a pipeline: "pipeline 'a'".
std::string place_of(const PipelineName& pipeline);

/// Pure. Pipelines that are to run beside each other.
class Neighbours {
 public:
  /// `place` names the pipeline in messages: its file, or `place_of`.
  void add(const std::string& place, const plan::Plan& plan);
  /// One sentence for each thing that several want and one can have.
  [[nodiscard]] std::vector<std::string> clashes() const;
  /// One sentence for each stream that has one end only; none as long as there is one pipeline.
  [[nodiscard]] std::vector<std::string> loose_ends() const;
  /// Whether one more fits in. What clashes without it is not its fault. Errors: conflict (every sentence).
  [[nodiscard]] Status admit(const std::string& place, const plan::Plan& plan) const;

 private:
  ClientNames names_;
  HttpPaths paths_;
  StreamColumns streams_;
  std::size_t count_ = 0;
};

}  // namespace leat::runtime
