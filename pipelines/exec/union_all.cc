#include "pipelines/exec/union_all.h"

namespace leat::exec {

Status UnionAll::process(std::size_t input, const Batch& batch, Output& out) {
  counters_.rows_in += batch.size;
  counters_.passed += batch.size;
  counters_.rows_out += batch.size;
  Batch result = batch;
  clock_.take(input, result);
  return out.emit(std::move(result));
}

Status UnionAll::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  if (!clock_.advance(input, watermark)) return {};
  return out.advance(clock_.watermark(), now);
}

Status UnionAll::set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) {
  if (!clock_.set_activity(input, activity)) return {};
  return out.advance(clock_.watermark(), now);
}

}  // namespace leat::exec
