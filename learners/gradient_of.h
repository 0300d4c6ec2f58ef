// The gradient of another batch than the one at hand, for strategies that compare gradients.
#pragma once

#include <vector>

#include "learners/strategy.h"

namespace engram {

/// to [weights] <- the gradient that the run's rule makes of a batch in the first of its updates,
/// in training mode with the random numbers of `rng`. The weights stay, if the rule provides
/// OtherBatches; gradients and the rule's records are overwritten, so call it from extend_batch(),
/// before the rule learns, or at the ends of tasks. `hook` as in Rule::learn.
BatchStats gradient_of(Training& t, const Batch& batch, Rng rng, std::vector<real>& to,
                       const ErrorHook& hook = {});

}  // namespace engram
