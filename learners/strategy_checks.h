// What several strategies refuse before training, each in its own name: Error(Config).
#pragma once

#include <string_view>

#include "learners/strategy.h"

namespace engram {

/// Where the two classes of a task share one logit (head_outputs = single): for strategies that
/// need an output for every class. `or_else`: what else to do about it, " or x = y".
void refuse_single_output(const StrategyContext&, std::string_view strategy,
                          std::string_view or_else = {});

/// Where a training pass of a later task moves more than weights, and what is to be kept drifts
/// with it: statistics of batch norm, duty cycles of boosted k-winners, contexts of dendrites.
/// `or_else` as above.
void refuse_moving_statistics(const StrategyContext&, std::string_view strategy,
                              std::string_view or_else = {});

}  // namespace engram
