#include "daemon/runtime/neighbours.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace leat::runtime {

std::string place_of(const PipelineName& pipeline) {
  return fmt::format("pipeline '{}'", pipeline.value);
}

void Neighbours::add(const std::string& place, const plan::Plan& plan) {
  ++count_;
  names_.add(place, plan);
  paths_.add(place, plan);
  streams_.add(place, plan);
}

std::vector<std::string> Neighbours::clashes() const {
  std::vector<std::string> all;
  for (const auto& some : {names_.clashes(), paths_.clashes(), streams_.clashes()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

std::vector<std::string> Neighbours::loose_ends() const {
  return count_ > 1 ? streams_.loose_ends() : std::vector<std::string>{};
}

Status Neighbours::admit(const std::string& place, const plan::Plan& plan) const {
  const std::vector<std::string> before = clashes();
  Neighbours all = *this;
  all.add(place, plan);
  std::vector<std::string> fresh = all.clashes();
  std::erase_if(fresh,
                [&](const std::string& clash) { return std::ranges::find(before, clash) != before.end(); });
  if (fresh.empty()) return {};
  return fail(ErrorCode::kConflict, fmt::format("{}", fmt::join(fresh, "\n")));
}

}  // namespace leat::runtime
