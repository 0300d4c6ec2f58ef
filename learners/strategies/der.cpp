// Dark experience replay (DER; Buzzega et al. 2020, arXiv 2004.07211): the network goes on saying
// of a remembered example what it said when it learnt it,
//   L = CE(B) + alpha mean (z - h(x'))^2,
// with the logits z as they were then, before the step, in training mode.
// Pitfalls: the mean is over examples and classes, so under a sum alpha means something else; and
// codes that store logits in evaluation mode at the end of a task compute other targets. All rows
// pass through the network together, which only layers that normalise batches notice.
#include "learners/dark_experience.h"
#include "learners/strategies/replay.h"

namespace engram {

std::unique_ptr<Strategy> make_der(const DerOptions& o, const StrategyContext& context) {
  return make_dark_experience({o.memory, o.batch, o.alpha, 0}, context, "der");
}

}  // namespace engram
