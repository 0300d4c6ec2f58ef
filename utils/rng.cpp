#include "utils/rng.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

#include <Random123/philox.h>

namespace engram {
namespace {

/// SplitMix64's finaliser: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Rng Rng::fork(std::string_view name, std::uint64_t index) const {
  std::uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a over the name
  for (const char c : name)
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return Rng(mix(mix(key_ + 0x9e3779b97f4a7c15ULL) ^ mix(h + 0x9e3779b97f4a7c15ULL * (index + 1))));
}

std::array<std::uint32_t, 4> Rng::block(std::uint64_t counter) const {
  const r123::Philox4x32::ctr_type ctr = {
      {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0}};
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)}};
  const auto out = r123::Philox4x32()(ctr, key);
  return {out[0], out[1], out[2], out[3]};
}

std::uint32_t Rng::bits32() {
  if (left_ == 0) words_ = block(counter_++), left_ = 4;
  return words_[static_cast<std::size_t>(4 - left_--)];
}

double Rng::uniform() {
  const std::uint64_t high = bits32(), low = bits32();
  return static_cast<double>(((high << 32) | low) >> 11) * 0x1.0p-53;
}

double Rng::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::uint32_t Rng::below(std::uint32_t n) {
  std::uint64_t product = std::uint64_t{bits32()} * n;
  if (static_cast<std::uint32_t>(product) < n) {
    const std::uint32_t threshold = (0u - n) % n;
    while (static_cast<std::uint32_t>(product) < threshold)
      product = std::uint64_t{bits32()} * n;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

std::vector<std::uint32_t> Rng::permutation(std::uint32_t n) {
  std::vector<std::uint32_t> p(n);
  std::iota(p.begin(), p.end(), 0u);
  shuffle(std::span(p));
  return p;
}

std::vector<std::uint32_t> numpy_legacy_permutation(std::uint32_t seed, std::uint32_t n) {
  std::mt19937 twister(seed);
  std::vector<std::uint32_t> p(n);
  std::iota(p.begin(), p.end(), 0u);
  for (std::uint32_t j = n; j-- > 1;) {
    std::uint32_t mask = j;
    for (int shift = 1; shift < 32; shift *= 2)
      mask |= mask >> shift;
    std::uint32_t r;
    do {
      r = static_cast<std::uint32_t>(twister()) & mask;
    } while (r > j);
    std::swap(p[j], p[r]);
  }
  return p;
}

}  // namespace engram
