#include "utils/digest.h"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "utils/error.h"

namespace engram {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool ended = false;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  // Fails only where OpenSSL is broken or configured without SHA-256.
  if (!state_->context || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
    throw Error(Fault::Internal, "OpenSSL offers no SHA-256");
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::uint8_t> bytes) {
  ENGRAM_INVARIANT(!state_->ended);
  ENGRAM_INVARIANT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

void Sha256::add(std::string_view text) {
  add(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::string Sha256::hex() {
  ENGRAM_INVARIANT(!state_->ended);
  state_->ended = true;
  std::array<std::uint8_t, 32> digest;
  unsigned length = 0;
  ENGRAM_INVARIANT(EVP_DigestFinal_ex(state_->context, digest.data(), &length) == 1);
  ENGRAM_INVARIANT(length == digest.size());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256(std::span<const std::uint8_t> bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.hex();
}

std::string sha256(std::string_view text) {
  Sha256 digest;
  digest.add(text);
  return digest.hex();
}

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // it writes a 0 behind
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace engram
