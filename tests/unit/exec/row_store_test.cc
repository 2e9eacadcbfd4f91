#include <doctest/doctest.h>

#include <map>

#include "pipelines/exec/row_store.h"

namespace leat::exec::test {
namespace {

/// The saved entries of one node, as a store keeps them.
class Entries final : public StateChanges {
 public:
  void put(std::string_view node, std::string_view key, std::string_view value) override {
    CHECK(node == "node");
    entries_[std::string(key)] = value;
    ++writes;
  }
  void erase(std::string_view node, std::string_view key) override {
    CHECK(node == "node");
    CHECK(entries_.erase(std::string(key)) == 1);
    ++writes;
  }
  void load_into(RowStore& store) const {
    for (const auto& [key, value] : entries_) REQUIRE(store.load(key, value));
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  int writes = 0;

 private:
  std::map<std::string, std::string> entries_;
};

const std::vector<Type> kTypes = {Type::big_int(), Type::string()};

std::vector<ColumnPtr> numbered(std::int64_t count) {
  ColumnBuilder numbers(kTypes[0]);
  ColumnBuilder texts(kTypes[1]);
  for (std::int64_t i = 0; i < count; ++i) {
    numbers.append<std::int64_t>(i);
    texts.append_string("row " + std::to_string(i));
  }
  return {numbers.finish(), texts.finish()};
}

std::vector<std::int64_t> numbers_of(const RowStore& store) {
  const std::vector<ColumnPtr> columns = store.gather(store.in_sequence());
  const auto values = columns[0]->values<std::int64_t>();
  return {values.begin(), values.end()};
}

TEST_CASE("rows come back in the order of their arrival, whatever was erased between them") {
  RowStore store(kTypes, 'r');
  const auto columns = numbered(6);
  std::vector<RowStore::Handle> rows;
  for (std::size_t i = 0; i < 4; ++i) rows.push_back(store.add(columns, i));
  store.erase(rows[1]);
  store.erase(rows[0]);
  store.add(columns, 4);
  store.add(columns, 5);
  CHECK(numbers_of(store) == std::vector<std::int64_t>{2, 3, 4, 5});
  CHECK(store.gather(store.in_sequence())[1]->value(3) == Value::string("row 5"));
  CHECK(store.size() == 4);
}

TEST_CASE("a save writes what changed since the last one and nothing else") {
  RowStore store(kTypes, 'r');
  const auto columns = numbered(5);
  Entries entries;
  const RowStore::Handle first = store.add(columns, 0);
  const RowStore::Handle second = store.add(columns, 1);
  const RowStore::Handle never = store.add(columns, 2);
  store.erase(never);
  store.save("node", entries);
  CHECK(entries.writes == 2);
  store.save("node", entries);
  CHECK(entries.writes == 2);
  store.set_mark(first, 7);
  store.set_mark(first, 8);
  store.erase(second);
  store.add(columns, 3);  // In the slot of the second.
  store.save("node", entries);
  CHECK(entries.writes == 5);
  CHECK(entries.size() == 2);
}

TEST_CASE("a restored store holds the same rows, marks and order, and goes on numbering") {
  RowStore store(kTypes, 'r');
  const auto columns = numbered(4);
  Entries entries;
  store.add(columns, 0, 5);
  store.erase(store.add(columns, 1));
  store.add(columns, 2, -6);
  store.save("node", entries);

  RowStore restored(kTypes, 'r');
  entries.load_into(restored);
  restored.add(columns, 3);
  CHECK(numbers_of(restored) == std::vector<std::int64_t>{0, 2, 3});
  const auto rows = restored.in_sequence();
  CHECK(restored.mark(rows[0]) == 5);
  CHECK(restored.mark(rows[1]) == -6);
  CHECK(restored.sequence(rows[2]) > restored.sequence(rows[1]));
}

TEST_CASE("damaged entries are refused") {
  RowStore store(kTypes, 'r');
  CHECK_FALSE(store.load("r1234", "x"));
  CHECK_FALSE(store.load(std::string("r\0\0\0\0\0\0\0\1", 9), "\x02\x01"));
  CHECK_FALSE(store.load(std::string("r\0\0\0\0\0\0\0\0", 9), ""));
}

}  // namespace
}  // namespace leat::exec::test
