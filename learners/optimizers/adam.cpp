// Adam (Kingma & Ba 2015) with the L2 penalty added to the gradient, as PyTorch's Adam:
//   m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
//   w <- w - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
// Decoupled (AdamW, Loshchilov & Hutter 2019): g is the gradient alone, and w shrinks by
// 1 - lr decay before that step.
// Exact for untouched weights too: their moments decay and they still move. `lazy_adam` leaves
// them alone.
#include "learners/optimizers/adam_moments.h"

namespace engram {
namespace {

class Adam final : public AdamMoments {
 public:
  using AdamMoments::AdamMoments;

  void step(double lr) override {
    count_step();
    for (int id = 0; id < params_.count(); ++id) {
      if (!params_.param(id).trainable) continue;
      const AdamStep update = step_of(params_.param(id), lr);
      for_each_run(params_, id, [&](std::size_t begin, std::size_t count, const real* g) {
        update(*this, begin, count, g);
      });
    }
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, ParamStore& params) {
  return std::make_unique<Adam>(options, params);
}

}  // namespace engram
