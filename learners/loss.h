// Losses on the outputs of a network.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "learners/batch.h"
#include "utils/options.h"

namespace engram {

enum class Loss { CrossEntropy, Bce, Mse };
template <>
struct Choices<Loss> {
  static constexpr std::array<std::string_view, 3> names{"cross_entropy", "bce", "mse"};
};

/// The class that the logits of a row mean: the largest allowed output; of a single output whether
/// it is positive.
int predicted_class(std::span<const real> logits, std::span<const std::uint8_t> mask);

/// The mean of a loss over the rows of a batch. Fills `error` with its gradient with respect to the
/// logits; outputs that the batch's mask shuts off take no part. Targets are one-hot; a single
/// output has the target itself, 0 or 1, and is right when it is on the target's side of 0.
/// Bce (of a sigmoid) and Mse are means over the allowed outputs of a row, too.
/// Error(Config) for the cross-entropy of a single output, which is always 0.
BatchStats output_error(Loss, const Signal& logits, const Batch& batch, Signal& error);

/// Mean cross-entropy of a softmax over the allowed outputs of every row: Loss::CrossEntropy.
BatchStats cross_entropy(const Signal& logits, const Batch& batch, Signal& error);

}  // namespace engram
