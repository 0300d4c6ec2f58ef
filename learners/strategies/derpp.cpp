// DER++ (Buzzega et al. 2020, arXiv 2004.07211): dark experience replay (der.cpp), and labels too,
//   L = CE(B) + alpha mean (z - h(x'))^2 + beta CE(x'', y''),
// where x' and x'' are two draws from the memory; codes that use one for both save a pass and
// compute another loss. Weights are those of means over each draw, whatever its size.
#include "learners/dark_experience.h"
#include "learners/strategies/replay.h"

namespace engram {

std::unique_ptr<Strategy> make_derpp(const DerppOptions& o, const StrategyContext& context) {
  return make_dark_experience({o.memory, o.batch, o.alpha, o.beta}, context, "derpp");
}

}  // namespace engram
