#include "pipelines/base/option_judgement.h"

#include <doctest/doctest.h>

#include "pipelines/base/flink_option.h"

using namespace leat;

namespace {

OptionError error_at(std::string key, std::string message = "is wrong") {
  return {std::move(key), OptionError::Part::kValue, std::move(message)};
}

std::string keys_of(const std::vector<OptionError>& errors) {
  std::string keys;
  for (const OptionError& error : errors) keys += error.key + " ";
  return keys;
}

struct NoOptions {};

}  // namespace

TEST_CASE("what is wrong together is told beside what cannot be read") {
  std::vector<OptionError> errors{error_at("clean-start")};
  judge_together(errors, [](auto& found) { found = {error_at("qos"), error_at("topic")}; });
  CHECK(keys_of(errors) == "clean-start qos topic ");
}

TEST_CASE("what follows from an error is left out") {
  std::vector<OptionError> errors{error_at("size")};
  judge_together(errors, [](auto& found) {
    found = {error_at("size"), error_at("packet", "is more than an eighth of 'size'"), error_at("sizes")};
  });
  CHECK(keys_of(errors) == "size sizes ");
}

TEST_CASE("a key without effect is read as Flink would, and known by its type") {
  const OptionTable<NoOptions> table{
      flink_option<NoOptions, std::uint32_t>("sink.parallelism", "There is one thread.")};
  std::vector<OptionError> errors;
  table.read({{"sink.parallelism", "4"}}, {}, errors);
  CHECK(errors.empty());
  table.read({{"sink.parallelism", "many"}}, {}, errors);
  CHECK(keys_of(errors) == "sink.parallelism ");
  CHECK(has_no_effect(table.docs()[0]));
  CHECK(table.docs()[0].type == "integer, no effect");
}
