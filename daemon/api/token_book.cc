#include "daemon/api/token_book.h"

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "daemon/log/log.h"

namespace leat::api {
namespace {

constexpr std::int64_t kLookEvery = kMicrosPerSecond;

}  // namespace

TokenBook::TokenBook(const std::string& data_dir, const loop::Clock& clock)
    : file_(data_dir), clock_(clock) {}

bool TokenBook::asks() {
  const std::scoped_lock lock(mutex_);
  refresh();
  return !problem_.empty() || !tokens_.empty();
}

std::optional<Caller> TokenBook::find(std::string_view text) {
  const std::string hash = hash_of_token(text);
  const std::scoped_lock lock(mutex_);
  refresh();
  const Token* found = nullptr;
  for (const Token& token : tokens_)
    if (token.hash.size() == hash.size() && CRYPTO_memcmp(token.hash.data(), hash.data(), hash.size()) == 0)
      found = &token;
  if (found == nullptr || (found->expires && clock_.wall() >= *found->expires)) return std::nullopt;
  return Caller{found->name, found->role};
}

TokenBook::Signature TokenBook::look() const {
  struct stat status {};
  if (::stat(file_.path().c_str(), &status) != 0) return {.there = errno != ENOENT};
  return {true, status.st_ino, status.st_size,
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

void TokenBook::refresh() {
  const std::int64_t now = clock_.monotonic();
  if (looked_ && now - *looked_ < kLookEvery) return;
  looked_ = now;
  const Signature seen = look();
  if (known_ == seen) return;
  auto read = file_.read();
  if (!read && read.error().message != problem_)
    log::error("nobody gets in: the tokens of the API cannot be read", {{"reason", read.error().message}});
  problem_ = read ? "" : read.error().message;
  tokens_ = read ? *std::move(read) : std::vector<Token>();
  known_ = problem_.empty() ? std::optional(seen) : std::nullopt;  // What failed is tried again.
}

}  // namespace leat::api
