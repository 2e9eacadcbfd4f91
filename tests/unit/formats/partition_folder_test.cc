#include "pipelines/formats/partition_folder.h"

#include <doctest/doctest.h>

#include <numeric>

#include "pipelines/column/text.h"

namespace leat::formats {
namespace {

const std::string kDefault(kDefaultPartition);

/// The folder of one value of a column `c`.
std::string folder(const Type& type, const Value& value) {
  ColumnBuilder column(type);
  column.append_value(value);
  const Schema schema{{{"c", type}}};
  PartitionFolders folders(schema, {0}, kDefault);
  const auto name = folders.folder_of({.size = 1, .columns = {column.finish()}}, 0);
  return name ? std::string(*name) : "bad: " + name.error().message;
}

/// What is read of a text, as CAST prints it.
std::string value(const Type& type, const std::string& text) {
  ColumnBuilder column(type);
  if (!append_partition(text, kDefault, type, column)) return column.size() == 0 ? "bad" : "bad, with a cell";
  std::string shown;
  const ColumnPtr finished = column.finish();
  if (finished->is_null(0)) return "NULL";
  append_text(*finished, 0, {}, shown);
  return shown;
}

TEST_CASE("values are the names of folders, with what means something in a path escaped") {
  CHECK(folder(Type::string(), Value::string("A 1-ü.x")) == "c=A 1-ü.x");
  CHECK(folder(Type::string(), Value::string("a/b=50%")) == "c=a%2Fb%3D50%25");
  CHECK(folder(Type::string(), Value::string("\n\x7f")) == "c=%0A%7F");
  CHECK(folder(Type::string(), Value::string("..")) == "c=..");
  CHECK(folder(Type::date(), Value::integer(0)) == "c=1970-01-01");
  CHECK(folder(Type::boolean(), Value::boolean(true)) == "c=true");
  CHECK(folder(Type::timestamp(0), Value::integer(0)) == "c=1970-01-01 00%3A00%3A00");
}

TEST_CASE("NULL and the empty text have the default name") {
  CHECK(folder(Type::string(), Value::null()) == "c=__DEFAULT_PARTITION__");
  CHECK(folder(Type::string(), Value::string("")) == "c=__DEFAULT_PARTITION__");
}

TEST_CASE("a name that no file system takes is bad") {
  CHECK(folder(Type::string(), Value::string(std::string(253, 'x'))).size() == 255);
  CHECK(folder(Type::string(), Value::string(std::string(254, 'x'))) ==
        "bad: the folder c=xxxxxxxxxxxxxxxxxxxx… would have a name of 256 bytes, more than 255");
}

TEST_CASE("folders that together are longer than a path may be are bad") {
  const Schema schema{std::vector<Type::Field>(13, {"c", Type::string()})};
  ColumnBuilder column(Type::string());
  column.append_value(Value::string(std::string(250, 'x')));
  const ColumnPtr text = column.finish();
  std::vector<std::size_t> all(12);
  std::iota(all.begin(), all.end(), 0U);
  const Batch batch{.size = 1, .columns = std::vector<ColumnPtr>(13, text)};
  CHECK(PartitionFolders(schema, {0, 1}, kDefault).folder_of(batch, 0));
  const auto folder = PartitionFolders(schema, all, kDefault).folder_of(batch, 0);
  REQUIRE_FALSE(folder);
  CHECK(folder.error().message == "the folders would have names of 3035 bytes, more than 3000");
}

TEST_CASE("several columns are folders in folders") {
  const Schema schema{{{"a", Type::string()}, {"n", Type::integer()}, {"b:", Type::integer()}}};
  ColumnBuilder a(Type::string());
  ColumnBuilder n(Type::integer());
  ColumnBuilder b(Type::integer());
  a.append_value(Value::string("x"));
  n.append_value(Value::integer(5));
  b.append_value(Value::integer(-7));
  PartitionFolders folders(schema, {2, 0}, kDefault);
  CHECK(*folders.folder_of({.size = 1, .columns = {a.finish(), n.finish(), b.finish()}}, 0) == "b%3A=-7/a=x");
}

TEST_CASE("the innermost folder of a column's name has its text") {
  CHECK(*partition_text("/data/day=1/site=a%2Fb/day=2/f.csv", "day") == "2");
  CHECK(*partition_text("/data/day=1/site=a%2Fb/day=2/f.csv", "site") == "a/b");
  CHECK(partition_text("/d=/f", "d")->empty());
  CHECK(*partition_text("/d=50%/f", "d") == "50%");
  CHECK(*partition_text("/d=%zz%2/f", "d") == "%zz%2");
  CHECK_FALSE(partition_text("/data/day=1", "day"));
  CHECK_FALSE(partition_text("/data/birthday=1/f", "day"));
}

TEST_CASE("texts of folders are read by the type of the column") {
  CHECK(value(Type::date(), "2026-11-29") == "2026-11-29");
  CHECK(value(Type::integer(), "-5") == "-5");
  CHECK(value(Type::boolean(), "true") == "TRUE");
  CHECK(value(Type::timestamp(3), "2026-11-29 12:00:00.5") == "2026-11-29 12:00:00.500");
  CHECK(value(Type::string(), kDefault) == "NULL");
  CHECK(value(Type::date(), kDefault) == "NULL");
  CHECK(value(Type::date(), "yesterday") == "bad");
  CHECK(value(Type::string(), "a\xff") == "bad");
  CHECK(value(Type::integer().with_nullable(false), kDefault) == "bad");
}

}  // namespace
}  // namespace leat::formats
