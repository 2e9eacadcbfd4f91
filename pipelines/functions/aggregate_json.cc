// JSON_OBJECTAGG: an object of the keys and values of a group. A key that comes again replaces its value;
// taking a row back removes the key if it still has that row's value.
#include <map>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/aggregate_parts.h"
#include "pipelines/functions/json_tree.h"

namespace leat::functions {
namespace {

// The head is empty; part := key => the value's JSON
class Members {
 public:
  struct Entry {
    std::string json;
    PartMark mark;
  };
  [[nodiscard]] const std::map<std::string, Entry>& entries() const { return entries_; }

  void put(const std::string& key, const std::string& json) {
    const auto [entry, is_new] = entries_.try_emplace(key);
    if (is_new) bytes_ += sizeof(*entry) + kLinks + heap_bytes_of(entry->first);
    bytes_ -= heap_bytes_of(entry->second.json);
    entry->second.json = json;
    bytes_ += heap_bytes_of(entry->second.json);
    log_.changed(key, entry->second.mark);
  }
  void remove(const std::string& key, const std::string& json) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end() || entry->second.json != json) return;
    bytes_ -= sizeof(*entry) + kLinks + heap_bytes_of(entry->first) + heap_bytes_of(json);
    log_.removed(key, entry->second.mark);
    entries_.erase(entry);
  }
  [[nodiscard]] std::size_t heap_bytes() const { return bytes_ + log_.heap_bytes(); }

  void save(ByteWriter&) const {}
  void load(ByteReader&) {}
  void save_parts(PartChanges& changes) { log_.save(entries_, part_of, value_of, changes); }
  void unsave_parts(PartChanges& changes) { log_.unsave(entries_, part_of, changes); }
  Status load_part(std::string_view part, std::string_view value) {
    const auto place = entries_.insert_or_assign(std::string(part),
                                                 Entry{std::string(value), {.saved = true, .dirty = false}});
    bytes_ += sizeof(*place.first) + kLinks + heap_bytes_of(place.first->first) +
              heap_bytes_of(place.first->second.json);
    return {};
  }

 private:
  static constexpr std::size_t kLinks = 32;
  static const std::string& part_of(const std::string& key) { return key; }
  static const std::string& value_of(const std::string&, const Entry& entry) { return entry.json; }

  std::map<std::string, Entry> entries_;
  PartLog<std::string> log_;
  std::size_t bytes_ = 0;
};

class JsonObjectAgg final : public OverParts<Members> {
 public:
  JsonObjectAgg(Type value, NullValues nulls, JsonText text)
      : value_(std::move(value)), nulls_(nulls), text_(text) {}

  [[nodiscard]] Type result_type() const override { return Type::string().with_nullable(false); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return {Type::string(), value_}; }
  [[nodiscard]] bool retractable() const override { return true; }

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    for_each(arguments, rows, states, &Members::put);
  }
  void retract(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
               std::byte* const* states) const override {
    for_each(arguments, rows, states, &Members::remove);
  }
  void merge(std::byte* into, const std::byte* from) const override {
    for (const auto& [key, entry] : at(from).entries()) at(into).put(key, entry.json);
  }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    std::string object = "{";
    for (const auto& [key, entry] : at(state).entries()) {
      if (object.size() > 1) object += ',';
      append_json_string(key, object);
      (object += ':') += entry.json;
    }
    out.append_string(object += '}');
  }

 private:
  // A NULL key names nothing.
  void for_each(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
                std::byte* const* states,
                void (Members::*step)(const std::string&, const std::string&)) const {
    const Column& keys = *arguments[0];
    const Column& values = *arguments[1];
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool null = values.is_null(rows[i]);
      if (keys.is_null(rows[i]) || (null && nulls_ == NullValues::kSkipped)) continue;
      std::string json;
      if (text_ == JsonText::kJson && !null)
        json = values.strings()[rows[i]];
      else
        append_json(values, rows[i], json);
      (at(states[i]).*step)(std::string(keys.strings()[rows[i]]), json);
    }
  }

  Type value_;
  NullValues nulls_;
  JsonText text_;
};

}  // namespace

AggregatePtr make_json_object_agg(const Type& value, NullValues nulls, JsonText text) {
  return std::make_shared<const JsonObjectAgg>(value, nulls, text);
}

}  // namespace leat::functions
