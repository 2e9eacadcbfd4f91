// Paho has one thread for all connections of the process, which waits up to a second for any of them to say
// something. It sees that a new one has been made only behind two such rounds: beside connections that are
// quiet that takes two seconds. So who connects has another one ask its broker for an answer that means
// nothing, and the rounds end at once.
#pragma once

#include <functional>
#include <map>
#include <mutex>

namespace leat::sources {

/// The connections of the process that are up. No method may be called on Paho's thread, nor with a lock that
/// a callback of Paho's takes: a prompt takes Paho's own.
class PahoCompany {
 public:
  /// `prompt` has the broker answer something, does not wait for it, and does not throw. Any thread may call
  /// it until `leave` has returned.
  void join(const void* who, std::function<void()> prompt);
  void leave(const void* who);
  /// Of one other than `who`; nothing happens where there is none.
  void prompt_another(const void* who);

 private:
  std::mutex mutex_;  // Held over a prompt.
  std::map<const void*, std::function<void()>> members_;
};

/// One for the process, as Paho's thread is.
PahoCompany& paho_company();

}  // namespace leat::sources
