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

enum class WeightInit {
  Torch,
  Glorot,
  He,
  HeUniform,
  Orthogonal,
  ActiveFan,
  Uniform,
  Uniform01,
  Normal,
  NormalFan
};
template <>
struct Choices<WeightInit> {
  static constexpr std::array<std::string_view, 10> names{
      "torch",      "glorot",  "he",        "he_uniform", "orthogonal",
      "active_fan", "uniform", "uniform01", "normal",     "normal_fan"};
};
/// Whether a law has a scale that the user chooses: those from `uniform` on.
bool has_scale(WeightInit);
/// Whether its weights are normal, or nearly (orthogonal); otherwise they are uniform.
bool is_normal(WeightInit);

/// Of a weight matrix [outputs, in]: `in` weights lead to a unit, and `out` lead away from an
/// input, which are as many as the outputs of a linear layer, times kernel^2 / groups in a
/// convolution.
struct Fans {
  int outputs = 1, in = 1, out = 1;
};

/// Fills w [fans.outputs, fans.in] and bias [fans.outputs]:
///  torch:      both ~ U(-1/sqrt(in), 1/sqrt(in)), PyTorch's default;
///  glorot:     w ~ U(-a, a), a = sqrt(6 / (in + out)), bias 0;
///  he:         w ~ N(0, 2 / in), bias 0;
///  he_uniform: w ~ U(-a, a), a = sqrt(6 / in), bias 0;
///  orthogonal: rows (or columns, if fewer) orthonormal, bias 0;
///  active_fan: w ~ scale U(-1, 1) / sqrt(in), bias as by torch; with scale = 1 / sqrt(share of the
///              weights that exist * share of the inputs that are active) a unit's sum spreads as
///              if all inputs were active and connected (Iyer et al. 2022);
///  uniform:    w ~ scale U(-1, 1), bias 0;
///  uniform01:  w ~ scale U(0, 1), bias 0;
///  normal:     w ~ scale N(0, 1), bias 0;
///  normal_fan: w ~ scale N(0, 1) / sqrt(in), bias 0.
/// `scale` is of the last five alone.
void init_weights(WeightInit, const Fans&, Mat w, Mat bias, Rng rng, double scale = 1);
/// The root mean square of a weight, which is its standard deviation by all laws but uniform01,
/// whose mean is not 0; and what none exceeds in magnitude: infinity for he and the normal laws.
double init_deviation(WeightInit, const Fans&, double scale = 1);
double init_bound(WeightInit, const Fans&, double scale = 1);

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
