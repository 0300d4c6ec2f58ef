// Distillation (Hinton et al. 2015): a network goes on saying what a teacher said, softly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "utils/real.h"

namespace engram {

class SoftTargets {
 public:
  /// error [outputs] += weight dKD/dz for the logits z and those of the teacher, with
  ///   KD = -sum_y softmax(z* / T)_y log softmax(z / T)_y  over the outputs of a mask (empty: all),
  ///   dKD/dz = (softmax(z / T) - softmax(z* / T)) / T.
  void distil(std::span<const real> z, std::span<const real> teacher,
              std::span<const std::uint8_t> mask, real temperature, real weight, real* error);

 private:
  std::vector<real> now_, then_;
};

}  // namespace engram
