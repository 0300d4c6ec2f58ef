// How weights start, and which of them exist.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "utils/matrix.h"
#include "utils/options.h"
#include "utils/rng.h"

namespace engram {

enum class WeightInit { Torch, Glorot, He, HeUniform, Orthogonal };
template <>
struct Choices<WeightInit> {
  static constexpr std::array<std::string_view, 5> names{"torch", "glorot", "he", "he_uniform",
                                                         "orthogonal"};
};

/// Fills w [outputs, fan_in] and bias [outputs]:
///  torch:      both ~ U(-1/sqrt(fan_in), 1/sqrt(fan_in)), PyTorch's default;
///  glorot:     w ~ U(-a, a), a = sqrt(6 / (fan_in + fan_out)), bias 0;
///  he:         w ~ N(0, 2 / fan_in), bias 0;
///  he_uniform: w ~ U(-a, a), a = sqrt(6 / fan_in), bias 0;
///  orthogonal: rows (or columns, if fewer) orthonormal, bias 0.
/// `fan_out`: units times places of a kernel; 0: w.rows, right for linear layers.
void init_weights(WeightInit, Mat w, Mat bias, Rng rng, int fan_out = 0);
/// The standard deviation of the weights that it draws.
double init_deviation(WeightInit, int fan_in, int fan_out);

/// Which count is rounded when a density does not divide a row: the kept synapses (today's
/// nupic.torch) or the missing ones (as in November 2019). Half to even.
enum class MaskRounding { NonZeros, Zeros };
template <>
struct Choices<MaskRounding> {
  static constexpr std::array<std::string_view, 2> names{"nonzeros", "zeros"};
};
int kept_per_row(double density, int fan_in, MaskRounding);

/// A mask with exactly `kept` ones in each row, chosen independently per row.
std::vector<std::uint8_t> random_mask(int rows, int cols, int kept, Rng rng);

}  // namespace engram
