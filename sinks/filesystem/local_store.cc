#include "sinks/filesystem/file_store.h"
#include "sinks/filesystem/rolling_file.h"

namespace leat::sinks {
namespace {

class LocalStore final : public FileStore {
 public:
  Status refuse(const std::string& folder) override { return refuse_file(folder); }
  Status ensure_folder(const std::string& folder) override { return sinks::ensure_folder(folder); }
  Status append_at(const std::string& folder, const std::string& name, std::uint64_t length,
                   std::string_view bytes) override {
    return sinks::append_at(folder, name, length, bytes);
  }
  Status publish(const std::string& folder, const std::string& hidden, const std::string& final_name,
                 std::uint64_t length) override {
    return sinks::publish(folder, hidden, final_name, length);
  }
  Status touch(const std::string& folder, const std::string& name) override {
    return touch_file(folder, name);
  }
};

}  // namespace

std::unique_ptr<FileStore> local_store() {
  return std::make_unique<LocalStore>();
}

}  // namespace leat::sinks
