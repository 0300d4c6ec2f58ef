// Random numbers by name. A stream is a key, not a position in a global sequence: the same seed and
// the same name give the same numbers whatever else was drawn, on any number of threads.
// Generator: Philox4x32-10 (Salmon et al. 2011, library Random123). The distributions are ours,
// because the standard library's differ between implementations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "utils/real.h"

namespace engram {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : key_(seed) {}

  /// An independent child stream. Stream names are part of the results format: renaming one
  /// changes every number that follows from it.
  Rng fork(std::string_view name, std::uint64_t index = 0) const;

  /// The four words at place `counter` of this stream, without advancing it.
  std::array<std::uint32_t, 4> block(std::uint64_t counter) const;

  /// Many coin tosses from the blocks [first, first + count), without advancing: bit i of coins[b]
  /// is set where the i-th of the eight 16-bit pieces of block first + b, low halves of words
  /// first, is at least `threshold` (1 to 65536).
  void toss(std::uint64_t first, std::size_t count, std::uint32_t threshold,
            std::uint8_t* coins) const;

  /// The words of the blocks [first, first + count), four each, without advancing.
  void words(std::uint64_t first, std::size_t count, std::uint32_t* words) const;

  /// out[i] <- deviation times a normal number that depends on i and the stream alone, without
  /// advancing. In the precision of a float.
  void normals(double deviation, std::span<real> out) const;

  std::uint32_t bits32();  ///< next 32 random bits
  double uniform();        ///< in [0, 1), 53 bits
  double uniform(double a, double b) { return a + (b - a) * uniform(); }
  double normal();                       ///< mean 0, deviation 1 (Box-Muller)
  std::uint32_t below(std::uint32_t n);  ///< in [0, n), unbiased (Lemire 2019); n > 0

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[below(static_cast<std::uint32_t>(i))]);
  }
  std::vector<std::uint32_t> permutation(std::uint32_t n);

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> words_{};
  int left_ = 0;  ///< words of `words_` not handed out yet
};

/// What `numpy.random.seed(seed); shuffle(list(range(n)))` leaves behind, bit for bit: 32-bit
/// Mersenne Twister, bounded draws by masking and rejection, swaps from the end.
std::vector<std::uint32_t> numpy_legacy_permutation(std::uint32_t seed, std::uint32_t n);

}  // namespace engram
