// Predictive forward-forward as its specification writes it (sections 1 to 4 and 7), one sum at a
// time over dense matrices, with losses that can be evaluated at any parameters. Shares nothing
// with the library but initial values, noise and wrong labels.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace engram::testing {

struct Matrix {
  int rows = 0, cols = 0;
  std::vector<double> v;
  Matrix() = default;
  Matrix(int r, int c) : rows(r), cols(c), v(static_cast<std::size_t>(r * c), 0) {}
  double& operator()(int i, int j) { return v[static_cast<std::size_t>(i * cols + j)]; }
  double operator()(int i, int j) const { return v[static_cast<std::size_t>(i * cols + j)]; }
};
using Parameters = std::map<std::string, Matrix>;

inline Matrix times(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.cols);
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < b.cols; ++j)
      for (int k = 0; k < a.cols; ++k)
        c(i, j) += a(i, k) * b(k, j);
  return c;
}
inline Matrix normed(const Matrix& u) {
  Matrix out = u;
  for (int i = 0; i < u.rows; ++i) {
    double s = 0;
    for (int j = 0; j < u.cols; ++j)
      s += u(i, j) * u(i, j);
    for (int j = 0; j < u.cols; ++j)
      out(i, j) /= std::sqrt(s) + 1e-8;
  }
  return out;
}
inline double positive(double x) {
  return x > 0 ? x : 0;
}
inline Matrix rectified(Matrix m) {
  for (double& x : m.v)
    x = positive(x);
  return m;
}

/// One batch of the representation and the generative circuit.
struct PffReference {
  struct Constants {
    int group = 3;
    double memory = .3, strength = 5, lateral = 1, threshold = 10;
    double decay = 0, generative_decay = 0;
    bool low = true, true_relu = false, clamped = true;
  } c;
  Parameters p;
  Matrix x, y;              ///< [N, d], [N, C]: positives first
  std::vector<double> lab;  ///< [N]
  int positives = 0;
  Matrix z1, z2, first_z2;  ///< states, and that of the sweep
  Matrix code;              ///< [N, h]

  void sweep() {
    z1 = rectified(add_row(times(normed(x), p["W1"]), p["b1"]));
    z2 = rectified(add_row(times(normed(z1), p["W2"]), p["b2"]));
    first_z2 = z2;
    code = Matrix(x.rows, p["Gy"].rows);
  }

  static Matrix add_row(Matrix m, const Matrix& row) {
    for (int i = 0; i < m.rows; ++i)
      for (int j = 0; j < m.cols; ++j)
        m(i, j) += row(0, j);
    return m;
  }
  /// Section 1: relu(L) * S over all pairs of units, zero between groups.
  Matrix lateral(const Matrix& raw) const {
    const int n = raw.rows;
    Matrix full(n, n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j)
        if (i / c.group == j / c.group)
          full(i, j) = positive(raw(i, j % c.group)) * (i == j ? -1 : 1);
    return full;
  }
  Matrix pre(int level, const Parameters& q, const Matrix& noise) const {
    const Matrix& own = level == 1 ? z1 : z2;
    Matrix out = level == 1 ? times(normed(x), q.at("W1")) : times(normed(z1), q.at("W2"));
    const Matrix other = level == 1 ? times(normed(z2), q.at("V2")) : times(y, q.at("V"));
    const Matrix inhibition = times(own, lateral(q.at(level == 1 ? "L1" : "L2")));
    const Matrix& bias = q.at(level == 1 ? "b1" : "b2");
    for (int i = 0; i < out.rows; ++i)
      for (int j = 0; j < out.cols; ++j)
        out(i, j) += (level == 1 ? 1 : c.strength) * other(i, j) + bias(0, j) + noise(i, j) -
                     c.lateral * inhibition(i, j);
    return out;
  }
  Matrix blend(const Matrix& from, int level) const {
    const Matrix& old = level == 1 ? z1 : z2;
    Matrix z = old;
    for (std::size_t k = 0; k < z.v.size(); ++k)
      z.v[k] = (1 - c.memory) * from.v[k] + c.memory * old.v[k];
    return z;
  }
  Matrix next(int level, const Parameters& q, const Matrix& noise) const {
    return blend(rectified(pre(level, q, noise)), level);
  }
  double level_loss(const Matrix& z) const {
    double loss = 0;
    for (int i = 0; i < z.rows; ++i) {
      double g = 0;
      for (int j = 0; j < z.cols; ++j)
        g += z(i, j) * z(i, j);
      const double logit = c.low ? c.threshold - g : g - c.threshold;
      const auto log_sigmoid = [](double a) { return -std::log1p(std::exp(-a)); };
      const double l = lab[static_cast<std::size_t>(i)];
      loss -= (l * log_sigmoid(logit) + (1 - l) * log_sigmoid(-logit)) / z.rows;
    }
    return loss;
  }
  /// What relu lets through at `at` when its derivative is taken as 1 everywhere: a straight line.
  Matrix through(const Matrix& now, const Matrix& at) const {
    Matrix out = rectified(now);
    if (!c.true_relu)
      for (std::size_t k = 0; k < out.v.size(); ++k)
        out.v[k] = positive(at.v[k]) + now.v[k] - at.v[k];
    return out;
  }

  /// Loss_1 + Loss_2 + Loss_3 + Reg at q, for derivatives at p.
  double representation_loss(const Parameters& q, const Matrix noise[2]) const {
    double loss = 0;
    for (const int level : {1, 2}) {
      const Matrix& xi = noise[level - 1];
      loss += level_loss(blend(through(pre(level, q, xi), pre(level, p, xi)), level));
    }
    const Matrix logits = add_row(times(normed(c.clamped ? z2 : first_z2), q.at("W")), q.at("b"));
    for (int i = 0; i < positives; ++i) {
      double sum = 0;
      for (int k = 0; k < logits.cols; ++k)
        sum += std::exp(logits(i, k));
      for (int k = 0; k < logits.cols; ++k)
        loss -= c.strength * y(i, k) * std::log(std::exp(logits(i, k)) / sum) / positives;
    }
    for (const char* name : {"W1", "W2", "V2", "V", "W"})
      loss += c.decay * frobenius(q.at(name));
    return loss;
  }
  static double frobenius(const Matrix& m) {
    double s = 0;
    for (const double w : m.v)
      s += w * w;
    return std::sqrt(s);
  }

  /// E_0 + E_1 + E_2 + Greg at q with the states `z1_now`, `z2_now` of this step; `eta`: noise.
  double generative_loss(const Parameters& q, const Matrix& top, const Matrix& z1_now,
                         const Matrix& z2_now, const Matrix eta[2]) const {
    const auto predictor = [](Matrix z, const Matrix& noise) {
      for (std::size_t k = 0; k < z.v.size(); ++k)
        z.v[k] = positive(z.v[k] + noise.v[k]);
      return normed(z);
    };
    Matrix image = times(predictor(z1_now, eta[0]), q.at("G1"));
    for (double& a : image.v)
      a = std::min(std::max(a, 0.), 1.);
    const Matrix r2 = predictor(z2_now, eta[1]), u = normed(rectified(top));
    double loss = apart(image, x);
    loss += apart(through(times(r2, q.at("G2")), times(r2, p.at("G2"))), z1_now);
    loss += apart(through(times(u, q.at("Gy")), times(u, p.at("Gy"))), z2_now);
    for (const char* name : {"G1", "G2", "Gy"})
      loss += c.generative_decay * frobenius(q.at(name));
    return loss;
  }
  static double apart(const Matrix& a, const Matrix& b) {
    double s = 0;
    for (std::size_t k = 0; k < a.v.size(); ++k)
      s += (a.v[k] - b.v[k]) * (a.v[k] - b.v[k]);
    return s / a.rows;
  }
};

/// Central differences of a loss with respect to every entry of one parameter.
template <class Loss>
std::vector<double> differences(const Parameters& at, const std::string& name, Loss loss,
                                double h = 1e-6) {
  Parameters q = at;
  std::vector<double> g;
  for (double& w : q[name].v) {
    const double kept = w;
    w = kept + h;
    const double above = loss(q);
    w = kept - h;
    g.push_back((above - loss(q)) / (2 * h));
    w = kept;
  }
  return g;
}

}  // namespace engram::testing
