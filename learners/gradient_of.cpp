#include "learners/gradient_of.h"

namespace engram {

BatchStats gradient_of(Training& t, const Batch& batch, Rng rng, std::vector<real>& to,
                       const ErrorHook& hook) {
  ParamStore& params = t.net.params();
  params.zero_grad();
  const BatchStats stats = t.rule.learn(t.net, batch, {true, rng, batch.task}, hook);
  params.mask_gradients();
  const auto gradient = params.grads();
  to.assign(gradient.begin(), gradient.end());
  params.zero_grad();
  return stats;
}

}  // namespace engram
