#include <cmath>
#include <map>
#include <memory>

#include "tests/unit/functions/fixture.h"

namespace leat::functions {
namespace {

// One group of one aggregate.
class Group {
 public:
  Group(std::string_view name, const Type& type, Distinctness distinct = Distinctness::kAll,
        bool retraction = false, const std::vector<ArgumentInfo>& constants = {})
      : type_(type) {
    std::vector<ArgumentInfo> arguments = {{type, std::nullopt}};
    arguments.insert(arguments.end(), constants.begin(), constants.end());
    const Result<AggregatePtr> bound = find_aggregate(name)->bind(arguments, distinct, retraction);
    REQUIRE(bound.has_value());
    aggregate_ = *bound;
    allocate();
  }
  Group(const Group& other) : type_(other.type_), aggregate_(other.aggregate_) { allocate(); }
  Group& operator=(const Group&) = delete;
  ~Group() { aggregate_->destroy(state()); }

  Group& add(const std::vector<Value>& values) { return step(values, &Aggregate::update); }
  Group& take(const std::vector<Value>& values) { return step(values, &Aggregate::retract); }
  Group& merge(const Group& later) {
    aggregate_->merge(state(), later.state());
    return *this;
  }
  [[nodiscard]] std::string result() const {
    ColumnBuilder out(aggregate_->result_type());
    aggregate_->result(state(), out);
    return text_of(out.finish(), 0);
  }
  /// What changed goes to the store.
  Group& save() {
    store_.head.clear();
    ByteWriter writer(store_.head);
    aggregate_->save(state(), writer);
    aggregate_->save_parts(state(), store_);
    return *this;
  }
  /// A new group with what this one saved; its parts come before or after the head.
  [[nodiscard]] std::unique_ptr<Group> restored() {
    save();
    auto copy = std::make_unique<Group>(*this);
    copy->store_ = store_;
    for (auto part = store_.parts.begin(); part != store_.parts.end(); ++part) {
      if (part == std::next(store_.parts.begin())) copy->load_head();
      CHECK(copy->aggregate_->load_part(copy->state(), part->first, part->second).has_value());
    }
    if (store_.parts.size() < 2) copy->load_head();
    check_refuses_damage();
    return copy;
  }
  Group& unsave() {
    aggregate_->unsave_parts(state(), store_);
    return *this;
  }

  class Store final : public PartChanges {
   public:
    void put(std::string_view part, std::string_view value) override {
      parts.insert_or_assign(std::string(part), std::string(value));
      ++changes;
    }
    void erase(std::string_view part) override {
      CHECK(parts.erase(std::string(part)) == 1);
      ++changes;
    }
    std::string head;
    std::map<std::string, std::string> parts;
    std::size_t changes = 0;
  };
  [[nodiscard]] Store& store() { return store_; }
  [[nodiscard]] const Aggregate& aggregate() const { return *aggregate_; }

 private:
  struct alignas(16) Block {
    std::byte bytes[16];
  };
  [[nodiscard]] std::byte* state() const { return memory_[0].bytes; }
  void load_head() {
    ByteReader reader(store_.head);
    CHECK(aggregate_->load(state(), reader).has_value());
    CHECK(reader.at_end());
  }
  void check_refuses_damage() const {
    const std::string_view head = store_.head;
    if (head.empty()) return;
    ByteReader cut(head.substr(0, head.size() - 1));
    const Group broken(*this);
    if (!broken.aggregate_->load(broken.state(), cut)) CHECK_FALSE(cut.ok());
  }
  void allocate() {
    memory_ = std::make_unique<Block[]>(aggregate_->state_size() / sizeof(Block) + 1);
    aggregate_->init(state());
  }
  template <class Method>
  Group& step(const std::vector<Value>& values, Method method) {
    const ColumnPtr column = column_of(type_, values);
    std::vector<std::uint32_t> rows(values.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint32_t>(i);
    const std::vector<std::byte*> states(values.size(), state());
    ((*aggregate_).*method)({&column, 1}, rows, states.data());
    return *this;
  }

  Type type_;
  AggregatePtr aggregate_;
  std::unique_ptr<Block[]> memory_;
  Store store_;
};

std::vector<Value> ints(std::initializer_list<std::int64_t> values) {
  std::vector<Value> out;
  for (const std::int64_t each : values) out.push_back(Value::integer(each));
  return out;
}
std::vector<Value> doubles(std::initializer_list<double> values) {
  std::vector<Value> out;
  for (const double each : values) out.push_back(Value::float64(each));
  return out;
}
std::vector<Value> texts(std::initializer_list<const char*> values) {
  std::vector<Value> out;
  for (const char* each : values) out.push_back(Value::string(each));
  return out;
}

TEST_CASE("nothing sums to NULL and counts to zero") {
  for (const char* name : {"SUM", "AVG", "MIN", "MAX", "STDDEV_POP", "VAR_SAMP", "FIRST_VALUE", "LAST_VALUE"})
    CHECK(Group(name, Type::integer()).add({Value::null()}).result() == "NULL");
  CHECK(Group("COUNT", Type::integer()).add({Value::null()}).result() == "0");
}

TEST_CASE("SUM and AVG of integers stay in their type") {
  CHECK(Group("SUM", Type::integer()).add(ints({2147483647, 1})).result() == "-2147483648");
  CHECK(Group("SUM", Type::tiny_int()).add(ints({100, 100})).result() == "-56");
  CHECK(Group("AVG", Type::integer()).add(ints({1, 2})).result() == "1");
  CHECK(Group("AVG", Type::integer()).add(ints({-1, -2})).result() == "-1");
  CHECK(Group("AVG", Type::float64()).add(doubles({1, 2})).result() == "1.5");
  CHECK(Group("SUM", Type::integer()).aggregate().result_type().to_string() == "INT");
}

TEST_CASE("decimal sums are exact and only their result can overflow") {
  const Type type = Type::decimal(38, 0);
  const Value huge = Value::decimal(Int128(99999999999999999) * Int128(1000000000000000000) * Int128(1000));
  Group sum("SUM", type);
  CHECK(sum.add({huge, huge, huge}).result() == "NULL");
  CHECK(sum.take({huge, huge}).result() == "99999999999999999000000000000000000000");
  CHECK(sum.take({huge, huge}).result() == "-99999999999999999000000000000000000000");
  const Value third = Value::decimal(Int128(1));
  Group average("AVG", Type::decimal(5, 2));
  CHECK(average.add({third, third, Value::decimal(Int128(2))}).result() == "0.013333");
  CHECK(average.aggregate().result_type().to_string() == "DECIMAL(38, 6)");
}

TEST_CASE("MIN and MAX order everything, and NaN counts as the greatest") {
  CHECK(Group("MAX", Type::string()).add(texts({"b", "abc", "ü", "z"})).result() == "ü");
  CHECK(Group("MIN", Type::string()).add(texts({"b", "abc"})).result() == "abc");
  CHECK(Group("MAX", Type::float64()).add(doubles({1, NAN, 2})).result() == "NaN");
  CHECK(Group("MIN", Type::float64()).add(doubles({NAN, 2, 3})).result() == "2.0");
  CHECK(Group("MAX", Type::date()).add(ints({3, 18000})).result() == "2019-04-14");
  CHECK_FALSE(Group("MAX", Type::integer()).aggregate().retractable());
}

TEST_CASE("a value that is far from all others leaves no trace when it is taken away again") {
  std::vector<Value> usual;
  for (int i = 0; i < 100; ++i) usual.push_back(Value::float64(20 + 0.1 * (i % 7)));
  for (const std::string_view name : {"SUM", "AVG", "STDDEV_POP", "VAR_SAMP", "SUM0"}) {
    const std::string right = Group(name, Type::float64(), Distinctness::kAll, true).add(usual).result();
    for (const double far : {65535.0, -1e9, 1e18, 3.4e38, 1.7e308, std::nan(""), HUGE_VAL}) {
      CAPTURE(name);
      CAPTURE(far);
      Group group(name, Type::float64(), Distinctness::kAll, true);
      group.add({usual.begin(), usual.begin() + 40}).add({Value::float64(far)});
      group.add({usual.begin() + 40, usual.end()});
      const std::unique_ptr<Group> restored = group.restored();
      restored->take({Value::float64(far)});
      CHECK(std::stod(restored->result()) == doctest::Approx(std::stod(right)).epsilon(1e-9));
      restored->take(usual);
      CHECK((restored->result() == "NULL" || restored->result() == "0.0"));
    }
  }
}

TEST_CASE("sums that lose values have the digits of a plain sum") {
  Group group("SUM", Type::float64(), Distinctness::kAll, true);
  group.add({Value::float64(0.1), Value::float64(0.2), Value::float64(0.3)});
  CHECK(group.result() == "0.6000000000000001");
  CHECK(group.take({Value::float64(0.1)}).result() == "0.5000000000000001");
}

TEST_CASE("groups that lose values merge") {
  Group group("VAR_POP", Type::float64(), Distinctness::kAll, true);
  Group later("VAR_POP", Type::float64(), Distinctness::kAll, true);
  group.add({Value::float64(1e18), Value::float64(1)});
  group.merge(later.add({Value::float64(3), Value::float64(-1e12)}));
  group.take({Value::float64(1e18), Value::float64(-1e12)});
  CHECK(group.result() == "1.0");
}

TEST_CASE("with retraction MIN and MAX fall back to the next value") {
  Group greatest("MAX", Type::string(), Distinctness::kAll, true);
  CHECK(greatest.add(texts({"a", "c", "c", "b"})).take(texts({"c"})).result() == "c");
  CHECK(greatest.take(texts({"c"})).result() == "b");
  CHECK(greatest.restored()->take(texts({"b"})).result() == "a");
  Group least("MIN", Type::integer(), Distinctness::kAll, true);
  CHECK(least.take(ints({1})).add(ints({1, 5})).result() == "5");
}

TEST_CASE("spreads are sound for large values near each other") {
  const std::vector<Value> values = doubles({1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16});
  CHECK(Group("VAR_POP", Type::float64()).add(values).result() == "22.5");
  CHECK(Group("VAR_SAMP", Type::float64()).add(values).result() == "30.0");
  CHECK(Group("VARIANCE", Type::float64()).add(values).result() == "30.0");
  CHECK(Group("STDDEV_POP", Type::float64()).add(doubles({1, 3})).result() == "1.0");
  CHECK(Group("STDDEV_SAMP", Type::float64()).add(doubles({1})).result() == "NULL");
  CHECK(Group("STDDEV", Type::integer()).add(ints({1, 5})).result() == "2");
}

TEST_CASE("slices merge to what one group would give") {
  for (const char* name : {"COUNT", "SUM", "AVG", "MIN", "MAX", "FIRST_VALUE", "LAST_VALUE"}) {
    CAPTURE(name);
    Group whole(name, Type::float64());
    Group first(name, Type::float64());
    Group second(name, Type::float64());
    Group empty(name, Type::float64());
    whole.add(doubles({3, 1, 7, 5}));
    first.add(doubles({3, 1}));
    second.add(doubles({7, 5}));
    empty.merge(first).merge(second);
    CHECK(empty.result() == whole.result());
    CHECK(first.merge(second).result() == whole.result());
  }
}

TEST_CASE("slices of a spread merge to the same spread but for the last digits") {
  Group first("VAR_POP", Type::float64());
  first.add(doubles({3, 1, 4})).merge(Group("VAR_POP", Type::float64()).add(doubles({1.5, 9, 2.5})));
  CHECK(std::stod(first.result()) == doctest::Approx(7.0).epsilon(1e-12));
}

TEST_CASE("a saved state goes on where it was") {
  for (const char* name : {"COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV_SAMP", "FIRST_VALUE", "LAST_VALUE"}) {
    for (const Distinctness distinct : {Distinctness::kAll, Distinctness::kDistinct}) {
      CAPTURE(name);
      Group whole(name, Type::float64(), distinct);
      Group part(name, Type::float64(), distinct);
      whole.add(doubles({3, 1, 3, 0.1, 9, 0.1}));
      part.add(doubles({3, 1, 3}));
      CHECK(part.restored()->add(doubles({0.1, 9, 0.1})).result() == whole.result());
    }
  }
}

TEST_CASE("first and last go by arrival and skip NULLs") {
  const std::vector<Value> values = {Value::null(), Value::string("b"), Value::string("a"), Value::null()};
  CHECK(Group("FIRST_VALUE", Type::string()).add(values).result() == "b");
  CHECK(Group("LAST_VALUE", Type::string()).add(values).result() == "a");
  Group last("LAST_VALUE", Type::string(), Distinctness::kAll, true);
  CHECK(last.add(texts({"x", "y", "x"})).take(texts({"x"})).result() == "x");
  CHECK(last.restored()->take(texts({"x"})).result() == "y");
}

TEST_CASE("DISTINCT counts a value once, however often it comes and goes") {
  Group count("COUNT", Type::string(), Distinctness::kDistinct, true);
  CHECK(count.add(texts({"a", "b", "a"})).result() == "2");
  CHECK(count.take(texts({"a"})).result() == "2");
  CHECK(count.take(texts({"a"})).result() == "1");
  Group other("COUNT", Type::string(), Distinctness::kDistinct, true);
  other.add(texts({"b", "c", "a long text that does not fit into the string itself"}));
  CHECK(count.merge(other).result() == "3");
  CHECK(Group("SUM", Type::integer(), Distinctness::kDistinct).add(ints({2, 2, 3})).result() == "5");
}

ArgumentInfo constant(const Type& type, const Value& value) {
  return {type, value};
}
ArgumentInfo half() {
  return constant(Type::float64(), Value::float64(0.5));
}

TEST_CASE("lists give back what they were given, less what was taken") {
  const std::vector<Value> values = {Value::string("b"), Value::null(), Value::string(""),
                                     Value::string("b")};
  Group array("ARRAY_AGG", Type::string());
  CHECK(array.add(values).result() == "[b, NULL, , b]");
  CHECK(array.take(texts({"b"})).result() == "[NULL, , b]");
  CHECK(array.restored()->take({Value::null()}).result() == "[, b]");
  Group list("LISTAGG", Type::string());
  CHECK(list.result() == "NULL");
  CHECK(list.add(values).restored()->result() == "b,,b");
  Group distinct("ARRAY_AGG", Type::string(), Distinctness::kDistinct);
  CHECK(distinct.add(values).add(values).restored()->result() == "[b, NULL, ]");
}

TEST_CASE("COLLECT counts what comes and goes in any order") {
  Group group("COLLECT", Type::integer(), Distinctness::kAll, true);
  CHECK(group.add(ints({2, 1, 2})).result() == "{2=2, 1=1}");
  CHECK(group.take(ints({2, 3})).result() == "{2=1, 1=1}");
  CHECK(group.restored()->add(ints({3, 3})).result() == "{2=1, 1=1, 3=1}");
}

TEST_CASE("PERCENTILE interpolates between neighbours") {
  Group group("PERCENTILE", Type::float64(), Distinctness::kAll, true, {half()});
  CHECK(group.result() == "NULL");
  CHECK(group.add(doubles({4, 1, 2, 3})).result() == "2.5");
  CHECK(group.take(doubles({4})).result() == "2.0");
  CHECK(group.restored()->add(doubles({NAN, NAN})).result() == "3.0");
  const ArgumentInfo argument{Type::float64(), std::nullopt};
  const ArgumentInfo wrong[] = {argument, constant(Type::float64(), Value::float64(1.5))};
  CHECK_FALSE(find_aggregate("PERCENTILE")->bind(wrong, Distinctness::kAll, false).has_value());
}

TEST_CASE("one more value in a large group changes one part of its state") {
  for (const char* name : {"COUNT", "SUM", "MIN", "LAST_VALUE", "ARRAY_AGG", "COLLECT", "PERCENTILE"}) {
    CAPTURE(name);
    const bool set = std::string_view(name) == "COUNT" || std::string_view(name) == "SUM";
    const bool share = std::string_view(name) == "PERCENTILE";
    const Type type = share ? Type::float64() : Type::integer();
    const auto ints = [share](std::initializer_list<std::int64_t> values) {
      std::vector<Value> out;
      for (const std::int64_t each : values)
        out.push_back(share ? Value::float64(static_cast<double>(each)) : Value::integer(each));
      return out;
    };
    Group group(name, type, set ? Distinctness::kDistinct : Distinctness::kAll, true,
                share ? std::vector{half()} : std::vector<ArgumentInfo>());
    for (std::int64_t i = 0; i < 1000; ++i) group.add(ints({i}));
    CHECK(group.save().store().parts.size() == 1000);
    group.store().changes = 0;
    CHECK(group.save().store().changes == 0);
    CHECK(group.add(ints({5000})).save().store().changes == 1);
    CHECK(group.take(ints({7})).save().store().changes == 2);
    CHECK(group.store().parts.size() == 1000);
    CHECK(group.store().head.size() < 16);
  }
}

TEST_CASE("a value that comes and goes between two saves is never written") {
  Group group("COUNT", Type::integer(), Distinctness::kDistinct, true);
  group.add(ints({1, 2})).save();
  group.store().changes = 0;
  CHECK(group.add(ints({3})).take(ints({3})).save().store().changes == 0);
  group.take(ints({2})).add(ints({2})).save();
  CHECK(group.store().parts.size() == 2);
  CHECK(group.restored()->take(ints({2})).result() == "1");
}

TEST_CASE("without retraction a repeated value of DISTINCT costs nothing at a save") {
  Group group("COUNT", Type::integer(), Distinctness::kDistinct);
  group.add(ints({1, 2})).save();
  group.store().changes = 0;
  CHECK(group.add(ints({1, 2, 2})).save().store().changes == 0);
  CHECK_FALSE(group.aggregate().retractable());
}

TEST_CASE("a group that goes erases what it saved, and a renamed one writes all again") {
  for (const char* name : {"COUNT", "MAX", "FIRST_VALUE", "COLLECT", "LISTAGG"}) {
    CAPTURE(name);
    const bool set = std::string_view(name) == "COUNT";
    Group group(name, Type::string(), set ? Distinctness::kDistinct : Distinctness::kAll, true);
    group.add(texts({"a", "b"})).save();
    group.take(texts({"a"})).add(texts({"c"})).unsave();
    CHECK(group.store().parts.empty());
    CHECK(group.save().store().parts.size() == 2);
    CHECK(group.restored()->result() == group.result());
  }
}

TEST_CASE("aggregates refuse what they cannot take") {
  const ArgumentInfo argument{Type::string(), std::nullopt};
  const Result<AggregatePtr> sum = find_aggregate("SUM")->bind({&argument, 1}, Distinctness::kAll, false);
  REQUIRE_FALSE(sum.has_value());
  CHECK(sum.error().message == "SUM([DISTINCT] value) does not take (STRING)");
  CHECK(find_aggregate("MEDIAN") == nullptr);
  const Result<AggregatePtr> all = find_aggregate("COUNT")->bind({}, Distinctness::kAll, false);
  REQUIRE(all.has_value());
  CHECK((*all)->argument_types().empty());
}

}  // namespace
}  // namespace leat::functions
