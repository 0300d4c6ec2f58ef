#include "models/past/map_noise.h"

#include <algorithm>

namespace engram {

int PassNoise::first_of_tail(const AttentionOptions& o, int features) {
  int tail = static_cast<int>(features * o.crossover);
  if (o.crossover > 0 && o.crossover_at_least_one) tail = std::max(1, tail);
  return features - tail;
}

bool PassNoise::mutates(int b) const {
  const auto who = o_.noise_per == MapNoisePer::Call ? 0 : static_cast<std::uint64_t>(b);
  return rng_.fork("kind", who).uniform() <= o_.mutation_share;
}

PassNoise::Rows PassNoise::rows(int b, int head) const {
  Rng draw =
      rng_.fork("crossover", static_cast<std::uint64_t>(b) * static_cast<std::uint64_t>(heads_) +
                                 static_cast<std::uint64_t>(head));
  const auto n = static_cast<std::uint32_t>(n_);
  const int first = static_cast<int>(draw.below(n));
  return {first, static_cast<int>(draw.below(n))};
}

void PassNoise::multiply(int b, int head, Mat map) const {
  thread_local std::vector<std::uint32_t> words;
  const std::size_t blocks = (map.size() + 3) / 4;
  words.resize(4 * blocks);
  rng_.fork("mutation")
      .words((static_cast<std::uint64_t>(b) * static_cast<std::uint64_t>(heads_) +
              static_cast<std::uint64_t>(head)) *
                 blocks,
             blocks, words.data());
  const auto least = static_cast<real>(1 - o_.mutation);
  const auto step = static_cast<real>(2 * o_.mutation * 0x1p-24);
  for (std::size_t i = 0; i < map.size(); ++i)  // the upper 24 bits, which a float holds exactly
    map.data[i] *= least + step * static_cast<real>(static_cast<std::int32_t>(words[i] >> 8));
}

void PassNoise::apply(int b, int head, Mat map) const {
  if (mutates(b)) return multiply(b, head, map);
  const auto [first, second] = rows(b, head);
  const int c = first_of_tail(o_, n_);
  if (o_.semantics == Crossover::SwapGrad)
    std::swap_ranges(map.row(first) + c, map.row(first) + n_, map.row(second) + c);
  else
    std::copy(map.row(second) + c, map.row(second) + n_, map.row(first) + c);
}

void PassNoise::apply_adjoint(int b, int head, Mat error) const {
  if (mutates(b)) return multiply(b, head, error);
  const auto [first, second] = rows(b, head);
  const int c = first_of_tail(o_, n_);
  if (o_.semantics == Crossover::SwapGrad) {
    std::swap_ranges(error.row(first) + c, error.row(first) + n_, error.row(second) + c);
  } else {
    std::fill(error.row(first) + c, error.row(first) + n_, real{0});
    std::fill(error.row(second) + c, error.row(second) + n_, real{0});
  }
}

}  // namespace engram
