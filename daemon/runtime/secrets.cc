#include "daemon/runtime/secrets.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "pipelines/base/placeholders.h"

namespace leat::runtime {
namespace {

constexpr std::size_t kLongestSecret = 64 << 10;

Result<std::string> of_environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value != nullptr) return std::string(value);
  return fail(ErrorCode::kInvalid,
              fmt::format("the daemon's environment has no variable '{}'; set it where the daemon is started "
                          "(Environment= or EnvironmentFile= of the service)",
                          name));
}

Result<std::string> of_file(const std::string& path) {
  std::string text(kLongestSecret + 1, '\0');
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() && (!file || file.bad()))
    return fail(ErrorCode::kIo, fmt::format("'{}' cannot be read: {}", path, std::strerror(errno)));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLongestSecret)
    return fail(ErrorCode::kInvalid, fmt::format("'{}' is larger than {} bytes", path, kLongestSecret));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.find('\0') != std::string::npos)
    return fail(ErrorCode::kInvalid, fmt::format("'{}' holds a byte that is no text", path));
  return text;
}

Result<std::string> of_credential(const std::string& name) {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr)
    return fail(
        ErrorCode::kInvalid,
        fmt::format("the service has no credentials, '{}' neither; give it one (LoadCredential={}:/path in "
                    "the unit)",
                    name, name));
  return of_file(std::string(folder) + "/" + name);
}

Result<std::string> look_up(const Placeholder& placeholder) {
  switch (placeholder.from) {
    case Placeholder::From::kEnvironment:
      return of_environment(placeholder.name);
    case Placeholder::From::kFile:
      return of_file(placeholder.name);
    case Placeholder::From::kCredential:
      break;
  }
  return of_credential(placeholder.name);
}

}  // namespace

Result<OptionMap> with_secrets(const OptionMap& options,
                               const std::function<void(const OptionMap&, const std::vector<OptionDoc>&,
                                                        std::vector<OptionError>&)>& validate) {
  OptionMap filled = options;
  std::set<std::string> changed;
  for (auto& [key, value] : filled) {
    if (!has_placeholder(value)) continue;
    auto text = fill_placeholders(value, look_up);
    if (!text) return fail(text.error(), fmt::format("option '{}'", key));
    value = *std::move(text);
    changed.insert(key);
  }
  if (changed.empty() || !validate) return filled;
  // The planner has seen the placeholder; what has come in its place may not do. Its keys only: the others
  // are judged already.
  std::vector<OptionError> errors;
  std::vector<OptionDoc> foreign;
  for (const auto& [key, value] : filled) foreign.push_back({key, "string", "", Necessity::kOptional, ""});
  validate(filled, foreign, errors);
  for (const OptionError& error : errors)
    if (changed.contains(error.key)) return fail(ErrorCode::kInvalid, error.message);
  return filled;
}

}  // namespace leat::runtime
