// Digests, base64, hexadecimal and binary digits, random numbers.
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "pipelines/functions/base64.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/java_random.h"

namespace leat::functions {
namespace {

std::string hex(std::string_view bytes, std::string_view digits) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

constexpr std::string_view kLower = "0123456789abcdef";
constexpr std::string_view kUpper = "0123456789ABCDEF";

std::string digest(std::string_view text, const EVP_MD* method) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int length = 0;
  EVP_Digest(text.data(), text.size(), bytes.data(), &length, method, nullptr);
  return hex({reinterpret_cast<const char*>(bytes.data()), length}, kLower);
}

template <const EVP_MD* (*method)()>
std::string digest_by(std::string_view text) {
  return digest(text, method());
}

std::optional<std::string> sha2(std::string_view text, std::int32_t bits) {
  switch (bits) {
    case 224:
      return digest(text, EVP_sha224());
    case 256:
      return digest(text, EVP_sha256());
    case 384:
      return digest(text, EVP_sha384());
    case 512:
      return digest(text, EVP_sha512());
    default:
      return std::nullopt;
  }
}

// A function of text or of bytes, which are the same in memory.
std::vector<Overload> of_text_or_bytes(Type result, std::string (*f)(std::string_view)) {
  return {of({Type::string()}, result, f), of({Type::bytes()}, result, f)};
}

ScalarFunction digest_function(std::string name, std::string example_result,
                               std::string (*f)(std::string_view)) {
  return function(name, name + "(string)", "The " + name + " digest in hexadecimal digits.", name + "('')",
                  std::move(example_result), of_text_or_bytes(Type::string(), f));
}

// ---- Hexadecimal -----------------------------------------------------------------------------------------

std::string hex_of_text(std::string_view text) {
  return hex(text, kUpper);
}

std::string digits_to_base(std::int64_t value, int base) {
  char buffer[65];
  const auto [end, error] = std::to_chars(buffer, std::end(buffer), static_cast<std::uint64_t>(value), base);
  std::string out(buffer, end);
  for (char& c : out) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string hex_of_number(std::int64_t value) {
  return digits_to_base(value, 16);
}
std::string binary_of_number(std::int64_t value) {
  return digits_to_base(value, 2);
}

// ---- Chance ----------------------------------------------------------------------------------------------

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
  return bits;
}

// Version 4 of RFC 9562.
std::string uuid() {
  std::array<std::uint64_t, 2> bits = {random_bits(), random_bits()};
  std::string bytes(16, '\0');
  std::memcpy(bytes.data(), bits.data(), 16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string out = hex(bytes, kLower);
  for (const std::size_t at : {8, 13, 18, 23}) out.insert(at, 1, '-');
  return out;
}

// With a literal seed one sequence runs through all rows, as in Flink; a seed from a column starts anew.
template <class... Rest, class Next>
Overload seeded(const ArgumentInfo& seed, Type result, Next next) {
  const bool literal = seed.literal && !seed.literal->is_null();
  const auto shared = std::make_shared<JavaRandom>(literal ? seed.literal->as_integer() : std::int64_t{0});
  std::vector<Type> parameters(1 + sizeof...(Rest), Type::integer());
  return {parameters, result, false, [=](const Type& type) -> Kernel {
            return [=](const CallContext& context, std::span<const Datum> a) {
              return map_rows<std::int32_t, Rest...>(context, type, a, [&](std::int32_t start, Rest... rest) {
                if (literal) return next(*shared, rest...);
                JavaRandom fresh(start);
                return next(fresh, rest...);
              });
            };
          }};
}

Result<BoundScalar> chosen_by_chance(std::string_view signature, std::vector<Overload> overloads,
                                     Arguments arguments, const Session& session) {
  Result<BoundScalar> bound = choose(std::string(signature), std::move(overloads))(arguments, session);
  if (bound) bound->deterministic = false;
  return bound;
}

Result<std::int32_t> bounded(JavaRandom& random, std::int32_t bound) {
  if (bound <= 0) return fail(ErrorCode::kInvalid, "RAND_INTEGER needs a bound above zero");
  return random.next_int(bound);
}

Result<BoundScalar> bind_rand(Arguments arguments, const Session& session) {
  std::vector<Overload> overloads = {
      of(+[]() -> double { return JavaRandom(static_cast<std::int64_t>(random_bits())).next_double(); })};
  if (arguments.size() == 1 && arguments[0].type.is_integer())
    overloads.push_back(
        seeded(arguments[0], Type::float64(), [](JavaRandom& random) { return random.next_double(); }));
  return chosen_by_chance("RAND([seed])", std::move(overloads), arguments, session);
}

Result<BoundScalar> bind_rand_integer(Arguments arguments, const Session& session) {
  std::vector<Overload> overloads = {of(+[](std::int32_t bound) {
    JavaRandom random(static_cast<std::int64_t>(random_bits()));
    return bounded(random, bound);
  })};
  if (arguments.size() == 2 && arguments[0].type.is_integer())
    overloads.push_back(
        seeded<std::int32_t>(arguments[0], Type::integer(),
                             [](JavaRandom& random, std::int32_t bound) { return bounded(random, bound); }));
  return chosen_by_chance("RAND_INTEGER([seed,] bound)", std::move(overloads), arguments, session);
}

Result<BoundScalar> bind_uuid(Arguments arguments, const Session& session) {
  return chosen_by_chance("UUID()", {of(uuid)}, arguments, session);
}

}  // namespace

ScalarFunctions digest_functions() {
  const Type text = Type::string();
  return {
      digest_function("MD5", "d41d8cd98f00b204e9800998ecf8427e", digest_by<EVP_md5>),
      digest_function("SHA1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", digest_by<EVP_sha1>),
      digest_function("SHA224", "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
                      digest_by<EVP_sha224>),
      digest_function("SHA256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                      digest_by<EVP_sha256>),
      digest_function(
          "SHA384",
          "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
          digest_by<EVP_sha384>),
      digest_function(
          "SHA512",
          "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63"
          "b931bd47417a81a538327af927da3e",
          digest_by<EVP_sha512>),
      function("SHA2", "SHA2(string, bits)",
               "The SHA-2 digest of 224, 256, 384 or 512 bits; NULL for another number.", "SHA2('', 224)",
               "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
               {of(sha2), of({Type::bytes(), Type::integer()}, text, sha2)}),
      function("TO_BASE64", "TO_BASE64(string)", "The bytes in base64.", "TO_BASE64('hello')",
               "aGVsbG8=", of_text_or_bytes(text, to_base64)),
      function("FROM_BASE64", "FROM_BASE64(string)", "What base64 stands for, as text.",
               "FROM_BASE64('aGVsbG8=')", "hello", {of(from_base64), of({Type::bytes()}, text, from_base64)}),
      function("HEX", "HEX(number or string)", "Hexadecimal digits.", "HEX(100)", "64",
               {of(hex_of_number), of(hex_of_text)}),
      function("BIN", "BIN(number)", "Binary digits.", "BIN(12)", "1100", {of(binary_of_number)}),
      {"UUID", "UUID()", "A random identifier (version 4).", "CHAR_LENGTH(UUID())", "36", bind_uuid},
      {"RAND", "RAND([seed])", "A random number from 0 to below 1.", "RAND(1)", "0.7308781907032909",
       bind_rand},
      {"RAND_INTEGER", "RAND_INTEGER([seed,] bound)", "A random whole number from 0 to below the bound.",
       "RAND_INTEGER(3, 99)", "50", bind_rand_integer},
  };
}

}  // namespace leat::functions
