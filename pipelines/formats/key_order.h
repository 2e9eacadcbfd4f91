// Which wanted field a record's member is, where members have names: they mostly come in the order of the
// last record, so finding one is a comparison with the name that stood there then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::formats {

/// No wanted field has this name.
inline constexpr std::uint32_t kUnwantedField = UINT32_MAX;

class KeyOrder {
 public:
  /// True: the member at `position` is the one that stood there last time, or the one behind it (a member was
  /// left out this time, and `position` moves over it); `field` is what it was then.
  bool recall(std::size_t& position, std::string_view key, std::uint32_t& field) const {
    if (position < members_.size() && members_[position].key == key) {
      field = members_[position].field;
      return true;
    }
    if (position + 1 < members_.size() && members_[position + 1].key == key) {
      field = members_[++position].field;
      return true;
    }
    return false;
  }

  /// What `recall` shall find at `position` from now on.
  void remember(std::size_t position, std::string_view key, std::uint32_t field) {
    // A record used as a dictionary must not make the order grow without bound, nor a name that is a
    // document.
    constexpr std::size_t kLongest = 1024;
    constexpr std::size_t kLongestKey = 256;
    if (key.size() > kLongestKey) return;
    if (position < members_.size()) {
      members_[position].key = key;
      members_[position].field = field;
    } else if (position < kLongest) {
      members_.push_back({std::string(key), field});
    }
  }

 private:
  struct Member {
    std::string key;
    std::uint32_t field;
  };
  std::vector<Member> members_;
};

}  // namespace leat::formats
