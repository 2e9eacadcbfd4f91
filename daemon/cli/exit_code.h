// The exit codes of every verb.
#pragma once

namespace leat::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;      ///< Failed while running.
inline constexpr int kUsage = 2;       ///< Wrong options or arguments.
inline constexpr int kBadConfig = 78;  ///< Wrong pipeline or configuration (EX_CONFIG).

}  // namespace leat::cli
