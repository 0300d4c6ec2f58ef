#include "learners/replay_memory.h"

#include "utils/error.h"

namespace engram {

ReplayMemory::ReplayMemory(int capacity, int width)
    : capacity_(capacity),
      width_(width),
      rows_(static_cast<std::size_t>(capacity) * static_cast<std::size_t>(width)) {
  ENGRAM_INVARIANT(capacity >= 1 && capacity <= kMost && width >= 1);
}

std::span<real> ReplayMemory::add() {
  const int at = static_cast<int>(place_[1]);
  if (size() < capacity_) place_[0] = static_cast<real>(size() + 1);
  place_[1] = static_cast<real>((at + 1) % capacity_);
  return std::span(rows_).subspan(static_cast<std::size_t>(at) * static_cast<std::size_t>(width_),
                                  static_cast<std::size_t>(width_));
}

std::span<const real> ReplayMemory::row(int i) const {
  return std::span(rows_).subspan(static_cast<std::size_t>(i) * static_cast<std::size_t>(width_),
                                  static_cast<std::size_t>(width_));
}

void ReplayMemory::draw(Rng rng, std::span<int> rows) const {
  ENGRAM_INVARIANT(size() > 0);
  for (int& row : rows)
    row = static_cast<int>(rng.below(static_cast<std::uint32_t>(size())));
}

}  // namespace engram
