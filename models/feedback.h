// The ways that errors can take down through the weights of a layer, and what a layer keeps for
// them. A rule chooses; layers follow.
#pragma once

#include <array>
#include <functional>
#include <string_view>

#include "models/tape.h"
#include "utils/options.h"
#include "utils/rng.h"

namespace engram {

class SynapticMatrix;

/// Which matrix carries errors to the inputs of a layer.
enum class Path {
  Weights,   ///< the transposed weights: back-propagation
  Feedback,  ///< a matrix of the same shape in their place: feedback alignment and its relatives
  Direct     ///< the error at the outputs of the network, by a matrix of its own
};
struct Descent {
  Path path = Path::Weights;
  const Signal* output_error = nullptr;  ///< [batch, outputs of the network], for Path::Direct
};

/// The error that a layer sends down: the one it received, or on a direct path the network's.
inline const Signal& carried(const Signal& dy, const Descent& descent) {
  return descent.path == Path::Direct ? *descent.output_error : dy;
}

/// How a direct path reaches the input of a convolution: by a matrix with a value for each place
/// (Nokland 2016), or by one kernel for all places, which meet the same error (Sanfiz & Akrout
/// 2021).
enum class DirectMap { Dense, Shared };
template <>
struct Choices<DirectMap> {
  static constexpr std::array<std::string_view, 2> names{"dense", "shared"};
};

/// What every layer with weights keeps for its path, as slices of the network's parameters. Layers
/// that read the input of the network keep nothing, for no error goes down through them.
struct FeedbackPlan {
  Path path = Path::Weights;
  bool kept = false;     ///< a slice "NAME.feedback", saved with the model
  bool learned = false;  ///< optimisers move it; otherwise it is frozen
  bool derived = false;  ///< the matrix is made anew from weights (and slice) by the rule
  DirectMap convolutions = DirectMap::Dense;
  int outputs = 0;  ///< of the network; filled in by who builds it
  /// Fills a slice, after the weights have been drawn. Called while the network is built.
  std::function<void(const SynapticMatrix&, Rng)> draw{};
};

}  // namespace engram
