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
BatchStats output_error(Loss loss, const Signal& logits, const Batch& batch, Signal& error);

/// Mean cross-entropy of a softmax over the allowed outputs of every row. Fills `error` with its
/// gradient with respect to the logits.
BatchStats cross_entropy(const Signal& logits, const Batch& batch, Signal& error);

}  // namespace engram
