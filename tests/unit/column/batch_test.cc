#include "pipelines/column/batch.h"

#include <doctest/doctest.h>

using namespace leat;

namespace {

Batch numbers() {
  Batch batch;
  batch.size = 4;
  const std::vector<std::int64_t> values{10, 11, 12, 13};
  batch.columns.push_back(Column::of<std::int64_t>(Type::big_int(), values));
  batch.kinds = {RowKind::kInsert, RowKind::kUpdateBefore, RowKind::kUpdateAfter, RowKind::kDelete};
  batch.watermarks = {1, 2, 3, 4};
  batch.intake_times = {100, 200, 300, 400};
  batch.watermark_after = 5;
  return batch;
}

}  // namespace

TEST_CASE("a slice ends at the watermark of the row behind it") {
  const Batch head = slice(numbers(), 0, 2);
  CHECK(head.size == 2);
  CHECK(head.watermarks == std::vector<std::int64_t>{1, 2});
  CHECK(head.watermark_after == 3);
  CHECK(slice(numbers(), 2, 2).watermark_after == 5);
}

TEST_CASE("gathered rows take kind, watermark and time along") {
  const Batch picked = gather(numbers(), std::vector<std::uint32_t>{3, 1});
  CHECK(picked.columns[0]->value(0) == Value::integer(13));
  CHECK(picked.kind(1) == RowKind::kUpdateBefore);
  CHECK(picked.intake_times == std::vector<std::int64_t>{400, 200});
  CHECK(picked.watermark_after == 5);
}
