#include "utils/sparse_kernels.h"

#include <algorithm>

#include "utils/kernels.h"
#include "utils/parallel.h"

namespace engram::kernels {
namespace {

/// Calls body(unit) for the active units of a row, or for all `count` when nothing is known.
template <class Body>
void for_active(const ActiveSet& set, int row, int count, Body body) {
  if (set.known())
    for (const int unit : set.row(row))
      body(unit);
  else
    for (int unit = 0; unit < count; ++unit)
      body(unit);
}

}  // namespace

void active_forward(CMat x, const ActiveSet& active, CMat w, Mat y) {
  // A tile of outputs is the outer loop: its weight rows stay in cache while every example picks
  // its few columns, and y is written in short runs.
  constexpr int kTile = 16;
  parallel_for((w.rows + kTile - 1) / kTile, [&](int tile) {
    const int begin = tile * kTile, end = std::min(w.rows, begin + kTile);
    for (int b = 0; b < x.rows; ++b) {
      const auto units = active.row(b);
      const real* in = x.row(b);
      for (int o = begin; o < end; ++o) {
        const real* weights = w.row(o);
        real sum = 0;
        for (const int i : units)
          sum += in[i] * weights[i];
        y.row(b)[o] = sum;
      }
    }
  });
}

void active_backward(CMat dy, const ActiveSet& above, CMat w, const ActiveSet& below, Mat dx) {
  std::fill(dx.all().begin(), dx.all().end(), real{0});
  for (int b = 0; b < dy.rows; ++b) {
    const real* error = dy.row(b);
    real* out = dx.row(b);
    for_active(above, b, dy.cols, [&](int o) {
      const real e = error[o];
      const real* weights = w.row(o);
      if (below.known())
        for (const int i : below.row(b))
          out[i] += e * weights[i];
      else
        axpy(e, {weights, static_cast<std::size_t>(w.cols)}, out);
    });
  }
}

void active_outer(CMat post, const ActiveSet& above, CMat pre, const ActiveSet& below,
                  Mat gradient) {
  for (int b = 0; b < post.rows; ++b) {
    const real* error = post.row(b);
    const real* in = pre.row(b);
    for_active(above, b, post.cols, [&](int o) {
      const real e = error[o];
      real* row = gradient.row(o);
      if (below.known())
        for (const int i : below.row(b))
          row[i] += e * in[i];
      else
        axpy(e, {in, static_cast<std::size_t>(pre.cols)}, row);
    });
  }
}

}  // namespace engram::kernels
