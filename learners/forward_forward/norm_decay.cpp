#include "learners/forward_forward/norm_decay.h"

#include <algorithm>
#include <cmath>

#include "utils/kernels.h"

namespace engram {

void add_norm_decay(ParamStore& store, int slice, double lambda) {
  if (lambda == 0) return;
  const CMat w = store.value(slice);
  double squares = 0;
  for (const real x : w.all())
    squares += static_cast<double>(x) * static_cast<double>(x);
  if (squares == 0) return;
  const auto [gradient, fresh] = store.open_gradient(slice);
  if (fresh) std::ranges::fill(gradient.all(), real{0});
  kernels::axpy(static_cast<real>(lambda / std::sqrt(squares)), w.all(), gradient.data);
}

}  // namespace engram
