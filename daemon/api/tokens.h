// The tokens of the API, in the file `tokens` of the data folder. `leat token` writes it, a running daemon
// reads it again when it has changed (token_book.h).
//
// A token is "leat_" and 64 hexadecimal digits: 256 random bits. It is shown once, when it is made; the file
// holds its SHA-256 only, which is enough for a secret that nobody can guess or look up in a list.
//
//   file  = "leat-tokens 1" LF *token
//   token = name SP role SP created SP expires SP hash LF
//   name  = 1*64(letter / digit / "." / "_" / "-")
//   role  = "read" / "admin"
//   created, expires = seconds since the epoch; expires may be "-": never
//   hash  = 64 lower-case hexadecimal digits, of the whole token's SHA-256
//
// Mode 0600, of the data folder's owner; replaced as a whole (written, synced, renamed, the folder synced)
// under a lock on `tokens.lock`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/api/role.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::api {

struct Token {
  std::string name;
  Role role = Role::kRead;
  std::int64_t created = 0;             ///< Micros since the epoch, whole seconds.
  std::optional<std::int64_t> expires;  ///< The first moment at which it is worth nothing.
  std::string hash;
};

std::string hash_of_token(std::string_view text);

/// The text of the file. Errors: corrupt (with the line).
Result<std::vector<Token>> parse_tokens(std::string_view text, const std::string& path);

/// The file, from outside of the daemon. Nothing is kept open between the calls.
class TokenFile {
 public:
  explicit TokenFile(const std::string& data_dir);

  [[nodiscard]] const std::string& path() const { return path_; }

  /// None when there is no file. Errors: io, corrupt.
  [[nodiscard]] Result<std::vector<Token>> read() const;
  /// Makes one and gives it; it cannot be had again. Errors: invalid (the name), conflict (the name is
  /// taken), io, corrupt.
  [[nodiscard]] Result<Secret> create(const Token& token) const;
  /// Errors: not found, io, corrupt.
  [[nodiscard]] Status revoke(const std::string& name) const;

 private:
  [[nodiscard]] Status write(const std::vector<Token>& tokens) const;

  std::string folder_;
  std::string path_;
};

}  // namespace leat::api
