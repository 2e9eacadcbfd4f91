// The bytes of a compressed file, as a stream. An expander is one of the compressions; it knows no files.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sources/filesystem/file_bytes.h"

namespace leat::sources {

class Expander {
 public:
  enum class Kind : std::uint8_t {
    kGzip,
    kZstd,
    kUnknown,  ///< Compressed in a way that is not read: damaged from its first byte on.
  };
  enum class Step : std::uint8_t {
    kGoesOn,   ///< It wants more input, or more room.
    kEnded,    ///< A member or frame is complete; another one may follow.
    kDamaged,  ///< `why` tells.
  };

  static std::unique_ptr<Expander> make(Kind kind);
  virtual ~Expander() = default;
  /// Takes from the front of `in` and fills the front of `out`; both become what is left.
  virtual Step run(std::string_view& in, std::span<char>& out) = 0;
  /// Behind any step: from the start of a member or frame again.
  virtual void reset() = 0;
  /// "not gzip: incorrect data check".
  [[nodiscard]] virtual std::string why() const = 0;
  /// Its name, as in "not gzip".
  [[nodiscard]] virtual std::string_view name() const = 0;
};

class CompressedBytes final : public FileBytes {
 public:
  CompressedBytes(std::unique_ptr<RawFile> file, Expander::Kind kind);

  Result<Got> read(std::span<char> out) override;
  Result<std::uint64_t> seek(std::uint64_t offset) override;
  [[nodiscard]] std::string trouble() const override { return trouble_; }

 private:
  void rewind();
  /// Reads on in the file, if nothing is left of what was read. False: it is at its end.
  Result<bool> refill();
  /// Takes zeros away that stand behind a member: copies by blocks leave them, and gzip passes over them.
  void skip_padding();
  Got stopped(std::size_t bytes, Got::Then then);

  const std::unique_ptr<Expander> expander_;
  std::vector<char> buffer_;
  std::string_view input_;  // What is left of the buffer.
  std::uint64_t offset_ = 0;
  const bool may_be_padded_;
  bool within_ = false;   // A member or frame has begun and is not complete.
  bool behind_ = false;   // One has been complete.
  bool damaged_ = false;  // For good.
  std::string trouble_;
};

}  // namespace leat::sources
