// The items of CBOR (RFC 8949) one after the other, by libcbor's streaming decoder, which allocates nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::formats {

/// The head of an item, with its bytes if it is a string whose length is told before it.
struct CborItem {
  enum class Kind : std::uint8_t {
    kUnsigned,      ///< number
    kNegative,      ///< -1 - number
    kBytes,         ///< bytes
    kText,          ///< bytes, not judged
    kBytesInParts,  ///< Parts follow, then a break.
    kTextInParts,
    kArray,  ///< `number` items follow, or kOpen: up to a break.
    kMap,    ///< `number` pairs follow, or kOpen.
    kTag,    ///< number; what it is about follows.
    kFloat,  ///< Of any width.
    kBoolean,
    kNull,  ///< And undefined.
    kBreak,
  };
  static constexpr std::uint64_t kOpen = UINT64_MAX;

  Kind kind = Kind::kNull;
  std::uint64_t number = 0;
  double floating = 0;
  std::string_view bytes = {};
};

/// Nesting beyond this makes an item malformed.
inline constexpr int kDeepestCbor = 100;

/// Reads bytes from outside: nothing is read beyond their end.
class CborReader {
 public:
  enum class State : std::uint8_t {
    kWell,
    kCut,     ///< More bytes are needed.
    kBroken,  ///< No CBOR, or nested too deep.
  };

  explicit CborReader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool done() const { return at_ == bytes_.size(); }
  [[nodiscard]] std::size_t position() const { return at_; }
  /// Why the last read was false.
  [[nodiscard]] State state() const { return state_; }

  /// The next head; false: state() says why.
  bool next(CborItem& item);
  /// The same, without going on.
  bool peek(CborItem& item);
  /// A whole item with all that is in it.
  bool skip() { return skip(0); }
  /// What is inside of the item that was read last.
  bool skip_inside(const CborItem& item) { return skip_inside(item, 0); }
  /// The bytes of a string in parts, one behind the other, of which only the head has been read.
  bool join_parts(const CborItem& head, std::string& out);
  /// The bytes from where `earlier`, a copy of this reader, stands.
  [[nodiscard]] std::string_view between(const CborReader& earlier) const {
    return bytes_.substr(earlier.at_, at_ - earlier.at_);
  }
  /// True, and behind it, if a break is next.
  bool at_break();
  /// For the items of a collection: true while there is one more. `left` begins as the collection's number.
  bool more(std::uint64_t& left);

 private:
  bool skip(int depth);
  bool skip_inside(const CborItem& item, int depth);
  bool broken();

  std::string_view bytes_;
  std::size_t at_ = 0;
  State state_ = State::kWell;
};

}  // namespace leat::formats
