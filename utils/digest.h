// SHA-256 and base64 through OpenSSL's EVP interface.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace engram {

/// Feeds bytes piece by piece; hex() ends it. 64 lower-case hex digits.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(std::span<const std::uint8_t> bytes);
  void add(std::string_view text);
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::span<const std::uint8_t> bytes);
std::string sha256(std::string_view text);

/// The bytes as text (RFC 4648, with padding).
std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace engram
