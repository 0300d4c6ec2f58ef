#include "learners/forward_forward/slice_gradients.h"

#include <algorithm>
#include <cmath>

#include "utils/kernels.h"

namespace engram {

Mat opened_gradient(ParamStore& store, int slice) {
  const auto [gradient, fresh] = store.open_gradient(slice);
  if (fresh) std::ranges::fill(gradient.all(), real{0});
  return gradient;
}

void add_product(ParamStore& store, int slice, real scale, CMat a, CMat b) {
  const auto [gradient, fresh] = store.open_gradient(slice);
  kernels::gemm(true, false, scale, a, b, fresh ? real{0} : real{1}, gradient);
}

void add_column_sums(ParamStore& store, int slice, CMat x) {
  kernels::add_column_sums(x, opened_gradient(store, slice).all());
}

void add_norm_decay(ParamStore& store, int slice, double lambda) {
  if (lambda == 0) return;
  const CMat w = store.value(slice);
  double squares = 0;
  for (const real x : w.all())
    squares += static_cast<double>(x) * static_cast<double>(x);
  if (squares == 0) return;
  kernels::axpy(static_cast<real>(lambda / std::sqrt(squares)), w.all(),
                opened_gradient(store, slice).data);
}

}  // namespace engram
