// Pieces of predictive forward-forward's updates that tests write out: Adam in Keras' form and
// sums.
#pragma once

#include "tests/learners/ff_reference.h"

namespace engram::testing {

inline double goodness(const Matrix& z, int row) {
  double g = 0;
  for (int j = 0; j < z.cols; ++j)
    g += z(row, j) * z(row, j);
  return g;
}

inline Matrix clipped01(Matrix m) {
  for (double& v : m.v)
    v = std::min(std::max(v, 0.), 1.);
  return m;
}
inline Matrix column_sums(const Matrix& m) {
  Matrix s(1, m.cols);
  for (int i = 0; i < m.rows; ++i)
    for (int j = 0; j < m.cols; ++j)
      s(0, j) += m(i, j);
  return s;
}
inline Matrix product(const Matrix& a, const Matrix& b, double scale = 1) {
  Matrix m = times(transposed(a), b);
  for (double& v : m.v)
    v *= scale;
  return m;
}

/// Adam in Keras' form after clipping of every entry (section 2).
struct KerasAdam {
  explicit KerasAdam(double rate) : lr(rate) {}
  double lr;
  int t = 0, clipped = 0;
  Parameters m, v;

  void step(Parameters& p, const Parameters& gradients) {
    ++t;
    const double a = lr * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
    for (const auto& [name, raw] : gradients) {
      Matrix& w = p.at(name);
      if (m[name].v.empty()) m[name] = v[name] = Matrix(w.rows, w.cols);
      for (std::size_t k = 0; k < w.v.size(); ++k) {
        const double g = std::min(std::max(raw.v[k], -1.), 1.);
        clipped += g != raw.v[k];
        double &first = m[name].v[k], &second = v[name].v[k];
        first += 0.1 * (g - first);
        second += 0.001 * (g * g - second);
        w.v[k] -= a * first / (std::sqrt(second) + 1e-7);
      }
    }
  }
};

}  // namespace engram::testing
