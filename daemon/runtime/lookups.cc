#include "daemon/runtime/lookups.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/runtime/file_lookup.h"
#include "pipelines/formats/nested_json.h"
#include "sources/clients/lookup_options.h"

namespace leat::runtime {
namespace {

store::TableQuestion question_of(const plan::LookupJoinNode& join) {
  using Nulls = store::TableQuestion::Key::Nulls;
  store::TableQuestion question;
  question.table = std::make_shared<const sources::LocalTable>(looked_up_table(join));
  question.columns = join.table().columns;
  for (const plan::JoinKey& key : join.keys)
    question.keys.push_back({join.table().columns[key.right],
                             key.nulls == plan::JoinKey::Nulls::kMatch ? Nulls::kMatch : Nulls::kNeverMatch});
  return question;
}

/// A table of the store.
class StoredTable final : public exec::LookupTable {
 public:
  static Result<std::unique_ptr<exec::LookupTable>> open(store::TableStore& tables,
                                                         const plan::LookupJoinNode& join) {
    std::unique_ptr<StoredTable> made(new StoredTable(tables, join));
    LEAT_ASSIGN(made->lookup_, tables.look_up(question_of(join)));
    return made;
  }

  [[nodiscard]] std::uint64_t version() const override { return tables_.version(name_); }
  [[nodiscard]] exec::LookupCaching caching() const override { return caching_; }

  Result<Matches> find(std::span<const ColumnPtr> keys, std::size_t count) override {
    LEAT_ASSIGN(store::TableMatches found, lookup_->find({keys.begin(), keys.end()}, count));
    Matches matches{.keys = std::move(found.keys)};
    for (std::size_t i = 0; i < found.columns.size(); ++i) {
      LEAT_ASSIGN(ColumnPtr column, formats::nested_from_json(found.columns[i], types_[i]));
      matches.columns.push_back(std::move(column));
    }
    return matches;
  }

 private:
  StoredTable(store::TableStore& tables, const plan::LookupJoinNode& join)
      : tables_(tables), name_(looked_up_table(join).name) {
    const sources::LookupOptions options = sources::read_lookup_options(join.table().scan->options);
    caching_ = {.enabled = options.cache == sources::LookupCacheKind::kPartial,
                .max_rows = options.max_rows,
                .missing_keys = options.missing_keys};
    for (const Type::Field& field : join.table().schema.fields) types_.push_back(field.type);
  }

  store::TableStore& tables_;  // Outlives the pipeline.
  const std::string name_;
  exec::LookupCaching caching_;
  std::vector<Type> types_;
  std::unique_ptr<store::TableLookup> lookup_;
};

}  // namespace

sources::LocalTable looked_up_table(const plan::LookupJoinNode& join) {
  const plan::ScanNode& scan = *join.table().scan;
  sources::LocalTable table = sources::local_table(scan.table, scan.options, scan.physical, scan.primary_key);
  std::vector<std::size_t> keys;
  for (const plan::JoinKey& key : join.keys) keys.push_back(join.table().columns[key.right]);
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys == table.primary_key) return table;
  std::vector<std::string> index;
  for (const std::size_t key : keys) index.push_back(table.columns.fields[key].name);
  if (std::ranges::find(table.indexes, index) == table.indexes.end())
    table.indexes.push_back(std::move(index));
  return table;
}

Result<std::unique_ptr<exec::LookupTable>> Lookups::open(const plan::LookupJoinNode& join) {
  const plan::ScanNode& scan = *join.table().scan;
  if (scan.connector == "sqlite") return StoredTable::open(tables_, join);
  if (scan.connector == "filesystem") return open_file_lookup(join, reader_);
  return fail(ErrorCode::kInvalid,
              fmt::format("rows of '{}' cannot be looked up: connector '{}'", scan.table, scan.connector));
}

}  // namespace leat::runtime
