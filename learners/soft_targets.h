// Distillation (Hinton et al. 2015): a network goes on saying what a teacher said, softly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learners/batch.h"
#include "utils/real.h"

namespace engram {

/// Outputs that compete in a row of a batch; empty: all.
inline std::span<const std::uint8_t> competing(const Batch& batch, int row) {
  if (batch.mask.empty()) return {};
  return batch.mask[static_cast<std::size_t>(row)];
}

class SoftTargets {
 public:
  /// Logits of a network, and the outputs [outputs] that its softmax runs over (empty: all).
  struct Said {
    std::span<const real> logits;
    std::span<const std::uint8_t> mask;
  };
  /// error [outputs] += weight dKD/dz for what is said now (z) and what the teacher says (z*):
  ///   KD = -sum_y softmax(z* / T)_y log softmax(z / T)_y,
  ///   dKD/dz = (softmax(z / T) - softmax(z* / T)) / T,  a softmax being 0 outside its mask.
  /// The mask of now holds that of the teacher.
  void distil(Said now, Said teacher, real temperature, real weight, real* error);

 private:
  std::vector<real> now_, then_;
};

}  // namespace engram
