#include <doctest/doctest.h>

#include "pipelines/anomaly/detector_options.h"

namespace leat::anomaly {
namespace {

/// The first complaint about options, or nothing.
std::string complaint(const OptionMap& given, std::size_t values = 1) {
  if (const auto foreign = find_foreign(given)) return foreign->message;
  std::vector<OptionError> mistakes;
  const DetectorOptions options = detector_option_table().read(given, {}, mistakes);
  if (!mistakes.empty()) return mistakes[0].message;
  if (const auto useless = find_useless(given, options)) return useless->message;
  const auto mistake = find_mistake(options, values);
  return mistake ? mistake->message : "";
}

TEST_CASE("what is known is taken") {
  CHECK(complaint({}).empty());
  for (const char* method : {"auto", "novelty", "zscore", "mad", "ewma", "holt_winters", "cusum",
                             "page_hinkley", "half_space_trees"})
    CHECK(complaint({{"method", method}}).empty());
  CHECK(complaint({{"method", "zscore"},
                   {"minTrainingSize", "10"},
                   {"maxTrainingSize", "50"},
                   {"confidencePercentage", "99.5"},
                   {"enableStl", "true"}})
            .empty());
}

TEST_CASE("what is not known is refused with the nearest name") {
  CHECK(complaint({{"metod", "zscore"}}).find("did you mean 'method'") != std::string::npos);
  CHECK(complaint({{"method", "zscores"}}).find("did you mean 'zscore'") != std::string::npos);
  CHECK(complaint({{"history", "many"}}).find("whole number") != std::string::npos);
}

TEST_CASE("what cannot be is refused with what could") {
  CHECK(complaint({{"history", "20"}}).find("from 64 to 16384") != std::string::npos);
  CHECK(complaint({{"confidencePercentage", "100"}}).find("below 100") != std::string::npos);
  CHECK(complaint({{"method", "ewma"}, {"alpha", "1"}}).find("below 1") != std::string::npos);
  CHECK(complaint({{"method", "zscore"}}, 3).find("half_space_trees") != std::string::npos);
  CHECK(complaint({{"method", "mad"}, {"enableStl", "true"}}, 3).find("one value") != std::string::npos);
  CHECK(complaint({{"p", "1"}}).find("ARIMA") != std::string::npos);
  CHECK(complaint({{"updateInterval", "5"}}).find("leave it out") != std::string::npos);
}

TEST_CASE("what a method has no use for is refused with those that have") {
  CHECK(complaint({{"method", "zscore"}, {"history", "4096"}}).find("it is for 'novelty'") !=
        std::string::npos);
  CHECK(complaint({{"method", "mad"}, {"m", "24"}}).find("'holt_winters'") != std::string::npos);
  CHECK(complaint({{"method", "ewma"}, {"window", "64"}}).find("'mad', 'half_space_trees'") !=
        std::string::npos);
  CHECK(complaint({{"method", "half_space_trees"}, {"confidencePercentage", "99"}}).find("of no use") !=
        std::string::npos);
  CHECK(complaint({{"confidencePercentage", "95"}, {"threshold", "2"}}).empty());
}

TEST_CASE("rows of training are those that were said, or refused") {
  CHECK(complaint({{"method", "mad"}, {"window", "20"}, {"minTrainingSize", "50"}}).find("'window' of 20") !=
        std::string::npos);
  CHECK(
      complaint({{"method", "half_space_trees"}, {"minTrainingSize", "128"}}).find("256 rows and 50 more") !=
      std::string::npos);
  CHECK(
      complaint({{"method", "holt_winters"}, {"m", "144"}, {"minTrainingSize", "128"}}).find("two seasons") !=
      std::string::npos);
  CHECK(complaint({{"method", "mad"}, {"window", "20"}}).empty());
  CHECK(complaint({{"method", "zscore"}, {"threshold", "4"}, {"confidencePercentage", "95"}})
            .find("leave one of them out") != std::string::npos);
}

TEST_CASE("what other engines' users write for every method is taken, and told where it changes nothing") {
  const auto idle = [](const OptionMap& given) {
    CHECK(complaint(given).empty());
    std::vector<OptionError> mistakes;
    std::string text;
    for (const OptionError& error : find_idle(detector_option_table().read(given, {}, mistakes)))
      text += error.message + ";";
    return text;
  };
  CHECK(idle({{"enableStl", "false"}}).empty());
  CHECK(idle({{"enableStl", "true"}}) ==
        "'enableStl' changes nothing: 'novelty' takes the season away in any case;");
  CHECK(idle({{"minTrainingSize", "10"}}) == "'novelty' says nothing before it has had 50 rows;");
  CHECK(idle({{"minTrainingSize", "60"}, {"maxTrainingSize", "600"}}).empty());
  CHECK(idle({{"method", "mad"}, {"enableStl", "true"}}).empty());
  CHECK(idle({{"m", "12"}}) ==
        "'m' changes nothing: 'novelty' finds seasons by itself; 'holt_winters' takes it;");
  CHECK(idle({{"method", "zscore"}, {"horizon", "1"}}).find("ML_FORECAST takes it") != std::string::npos);
  CHECK(idle({{"confidencePercentage", "90"}}).find("'threshold' does") != std::string::npos);
}

TEST_CASE("the default of several values is refused: novelty judges one") {
  CHECK(complaint({}, 2).find("'novelty' judges one value") != std::string::npos);
}

}  // namespace
}  // namespace leat::anomaly
