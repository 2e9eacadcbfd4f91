// Drives a fuzzed function without libFuzzer: every file of a corpus, then mutations of them by a fixed seed,
// so that a run is the same every time.
//
//   fuzz_x CORPUS [MUTATIONS]
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

constexpr std::size_t kLongest = 64 * 1024;
constexpr int kMostChanges = 8;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    std::string text = corpus_[below(corpus_.size())];
    for (std::size_t i = 1 + below(kMostChanges); i > 0; --i) change(text);
    if (text.size() > kLongest) text.resize(kLongest);
    return text;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void change(std::string& text) {
    static constexpr char kTelling[] = {'\0', '\x7f', '\xff', '"', '\'', '\\', '(',
                                        '{',  '[',    ',',    ';', '\n', '-',  '9'};
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min<std::size_t>(1 + below(16), text.size() - std::min(at, text.size()));
    const std::string& other = corpus_[below(corpus_.size())];
    const std::size_t from = below(other.size() + 1);
    switch (below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        return;
      case 1:
        text.insert(at, 1, kTelling[below(sizeof kTelling)]);
        return;
      case 2:
        text.erase(at, length);
        return;
      case 3:
        text.insert(at, text.substr(at, length));
        return;
      case 4:
        text.insert(at, other.substr(from, 1 + below(64)));
        return;
      default:
        if (at < text.size()) text[at] = static_cast<char>(random_());
        return;
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937 random_{4};
};

int run(const std::string& input) {
  return LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argc > 1 ? argv[1] : "."))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) corpus.push_back(read_file(path));
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus: fuzz_x CORPUS [MUTATIONS]\n");
    return 2;
  }
  for (const std::string& input : corpus) run(input);
  const long mutations = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 0;
  Mutator mutator(corpus);
  for (long i = 0; i < mutations; ++i) {
    const std::string input = mutator.next();
    // A crash leaves behind what caused it.
    if (const char* keep = std::getenv("LEAT_FUZZ_KEEP")) std::ofstream(keep, std::ios::binary) << input;
    run(input);
  }
  std::printf("%zu inputs of the corpus, %ld mutations\n", corpus.size(), mutations);
  return 0;
}
