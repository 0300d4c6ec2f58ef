// Losses on the outputs of a network.
#pragma once

#include "learners/batch.h"

namespace engram {

/// Mean cross-entropy of a softmax over the allowed outputs of every row. Fills `error` with its
/// gradient with respect to the logits.
BatchStats cross_entropy(const Signal& logits, const Batch& batch, Signal& error);

}  // namespace engram
