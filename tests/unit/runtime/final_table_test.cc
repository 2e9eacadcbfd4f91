#include "daemon/runtime/final_table.h"

#include <doctest/doctest.h>

#include "pipelines/column/column_builder.h"

using namespace leat;
using namespace leat::runtime;

namespace {

struct Change {
  RowKind kind;
  std::string city;
  std::int64_t count;
};

std::string table_of(const std::vector<Change>& changes) {
  ColumnBuilder city(Type::string());
  ColumnBuilder count(Type::big_int());
  Batch batch{.size = changes.size()};
  for (const Change& change : changes) {
    city.append_string(change.city);
    count.append(change.count);
    batch.kinds.push_back(change.kind);
  }
  batch.columns = {city.finish(), count.finish()};
  FinalTable table;
  table.apply(batch, {});
  std::string text;
  for (const FinalTable::Row& row : table.rows()) text += row[0] + row[1] + " ";
  return text;
}

}  // namespace

TEST_CASE("an update keeps the place of its row, and a deleted row goes") {
  using enum RowKind;
  CHECK(table_of({{kInsert, "a", 1}, {kInsert, "b", 1}, {kUpdateBefore, "a", 1}, {kUpdateAfter, "a", 2}}) ==
        "a2 b1 ");
  CHECK(table_of({{kInsert, "a", 1}, {kInsert, "b", 1}, {kDelete, "a", 1}, {kInsert, "a", 9}}) == "b1 a9 ");
}

TEST_CASE("a sink with a key keeps the last row of each, in the place of the first") {
  using enum RowKind;
  FinalTable table;
  const auto left = [&] {
    std::string text;
    for (const FinalTable::Row& row : table.rows()) text += row[0] + " ";
    return text;
  };
  table.upsert(kInsert, "a", {"a1"});
  table.upsert(kInsert, "b", {"b1"});
  table.upsert(kUpdateAfter, "a", {"a2"});
  CHECK(left() == "a2 b1 ");
  table.upsert(kDelete, "a", {"a2"});
  table.upsert(kDelete, "c", {"c1"});
  table.upsert(kInsert, "a", {"a3"});
  CHECK(left() == "b1 a3 ");
}

TEST_CASE("of equal rows one goes at a time, and a row that is not there is passed over") {
  using enum RowKind;
  CHECK(table_of({{kInsert, "a", 1}, {kInsert, "a", 1}, {kDelete, "a", 1}, {kDelete, "c", 1}}) == "a1 ");
}
