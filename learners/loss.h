// Losses on the outputs of a network.
#pragma once

#include <array>
#include <string_view>

#include "learners/batch.h"
#include "utils/options.h"

namespace engram {

enum class Loss { CrossEntropy, Bce, Mse };
template <>
struct Choices<Loss> {
  static constexpr std::array<std::string_view, 3> names{"cross_entropy", "bce", "mse"};
};

/// Mean of a loss over the rows of a batch. Fills `error` with its gradient with respect to the
/// logits y. C: outputs that a row allows, all unless it has a mask; targets are one-hot over them.
///  cross_entropy: softmax(y) - target;
///  bce:           (sigmoid(y) - target) / C, the mean over rows and outputs;
///  mse:           2 (y - target) / C, likewise;
/// each over the number of rows, and 0 where the mask is. A network of one output tells two classes
/// apart: its target is 0 or 1, and it is right when it is positive for 1 alone; cross_entropy then
/// means bce, the same thing.
BatchStats output_error(Loss loss, const Signal& logits, const Batch& batch, Signal& error);

/// output_error(Loss::CrossEntropy, ...).
BatchStats cross_entropy(const Signal& logits, const Batch& batch, Signal& error);

/// What the logits of one row mean: the largest allowed output, or of a single one whether it is
/// positive.
int predicted(std::span<const real> logits, std::span<const std::uint8_t> mask);

}  // namespace engram
