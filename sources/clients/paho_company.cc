#include "sources/clients/paho_company.h"

#include <utility>

namespace leat::sources {

void PahoCompany::join(const void* who, std::function<void()> prompt) {
  const std::scoped_lock lock(mutex_);
  members_[who] = std::move(prompt);
}

void PahoCompany::leave(const void* who) {
  const std::scoped_lock lock(mutex_);
  members_.erase(who);
}

void PahoCompany::prompt_another(const void* who) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [member, prompt] : members_)
    if (member != who) return prompt();
}

PahoCompany& paho_company() {
  static PahoCompany company;
  return company;
}

}  // namespace leat::sources
