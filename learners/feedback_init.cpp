// How feedback matrices start.
#include <cmath>

#include "learners/rules/rules.h"

namespace engram {

void init_feedback(FeedbackInit init, double noise, const SynapticMatrix& s, const Rng& rng) {
  const Mat b = s.slice();
  Rng uniform = rng.fork("uniform"), normal = rng.fork("noise");
  switch (init) {
    case FeedbackInit::Law:
      s.draw_like_weights(rng.fork("law"), b);
      break;
    case FeedbackInit::Copy: {
      const CMat w = s.weight();
      std::copy_n(w.data, w.size(), b.data);
      break;
    }
    case FeedbackInit::Counter: {
      // What a linear layer sends down, it gathers from its outputs; the authors' code stores the
      // top-down kernels of a convolution in the shape of its bottom-up ones and counts fan-in
      // there.
      const double fan_in = s.is_convolution() ? s.fans().in : s.fans().outputs;
      for (real& x : b.all())
        x = static_cast<real>(uniform.uniform(-std::sqrt(6 / fan_in), std::sqrt(6 / fan_in)));
      s.mask(b);
      break;
    }
  }
  if (noise == 0) return;
  for (real& x : b.all())
    x *= static_cast<real>(1 + noise * normal.normal());
}

}  // namespace engram
