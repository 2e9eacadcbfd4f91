#include "pipelines/base/options.h"

#include <doctest/doctest.h>

using namespace leat;

namespace {

enum class Mode : std::uint8_t { kFast, kSafe };

struct PumpOptions {
  std::string url;
  Secret password;
  Micros linger{200'000};
  ByteSize size{1 << 20};
  std::optional<std::uint64_t> rows;
  std::vector<std::string> topics;
  Mode mode = Mode::kSafe;
  OptionMap properties;
};

const OptionTable<PumpOptions>& pump_options() {
  static const OptionTable<PumpOptions> table{
      option("url", &PumpOptions::url, Necessity::kRequired, "Where to."),
      option("password", &PumpOptions::password, Necessity::kOptional, "Pass."),
      option("linger", &PumpOptions::linger, Necessity::kOptional, "How long."),
      option("size", &PumpOptions::size, Necessity::kOptional, "How much."),
      option("rows", &PumpOptions::rows, Necessity::kOptional, "How many."),
      option("topics", &PumpOptions::topics, Necessity::kOptional, "Which."),
      choice("mode", &PumpOptions::mode, {{"fast", Mode::kFast}, {"safe", Mode::kSafe}}, Necessity::kOptional,
             "How."),
      prefix_option("properties.", &PumpOptions::properties, "Passed on.")};
  return table;
}

std::vector<std::string> errors_of(const OptionMap& map) {
  std::vector<OptionError> errors;
  pump_options().read(map, {{.key = "format"}}, errors);
  std::vector<std::string> messages;
  for (const OptionError& error : errors) messages.push_back(error.message);
  return messages;
}

}  // namespace

TEST_CASE("a table reads each key into its typed field") {
  std::vector<OptionError> errors;
  const PumpOptions options = pump_options().read({{"url", "tcp://a"},
                                                   {"linger", "1 s"},
                                                   {"size", "2 mb"},
                                                   {"rows", "7"},
                                                   {"topics", "a;b"},
                                                   {"mode", "fast"},
                                                   {"properties.x.y", "z"},
                                                   {"format", "json"}},
                                                  {{.key = "format"}}, errors);
  CHECK(errors.empty());
  CHECK(options.url == "tcp://a");
  CHECK(options.linger == Micros(1'000'000));
  CHECK(options.size.bytes == 2 << 20);
  CHECK(options.rows == 7);
  CHECK(options.topics == std::vector<std::string>{"a", "b"});
  CHECK(options.mode == Mode::kFast);
  CHECK(options.properties.at("x.y") == "z");
}

TEST_CASE("every wrong key and value is reported, with what was meant") {
  CHECK(errors_of({{"url", "x"}, {"lingr", "1 s"}}) ==
        std::vector<std::string>{"unknown option 'lingr' (did you mean 'linger'?)"});
  CHECK(errors_of({{"url", "x"}, {"formatt", "json"}}) ==
        std::vector<std::string>{"unknown option 'formatt' (did you mean 'format'?)"});
  CHECK(errors_of({{"url", "x"}, {"rows", "many"}}) ==
        std::vector<std::string>{"option 'rows': expected a whole number from 0, found 'many'"});
  CHECK(errors_of({{"url", "x"}, {"mode", "slow"}}) ==
        std::vector<std::string>{"option 'mode': expected one of 'fast', 'safe', found 'slow'"});
  CHECK(errors_of({}) == std::vector<std::string>{"option 'url' (string) is required: Where to."});
}

TEST_CASE("documentation shows types and defaults, and never a secret") {
  const auto docs = pump_options().docs();
  CHECK(docs[2].default_text == "200 ms");
  CHECK(docs[3].default_text == "1 mb");
  CHECK(docs[6].type == "one of 'fast', 'safe'");
  CHECK(docs[6].default_text == "safe");
  CHECK(docs[7].key == "properties.*");
  CHECK(option_text::print(Secret("hunter2")) == "***");
}
