// Forward-forward as section 10 of the specification writes it: labels are written into images one
// by one, every pass is a product over the whole input, losses can be evaluated at any parameters.
// Shares nothing with the library but initial values and wrong labels.
#pragma once

#include <optional>

#include "tests/learners/pff_reference.h"

namespace engram::testing {

inline Matrix transposed(const Matrix& a) {
  Matrix t(a.cols, a.rows);
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j)
      t(j, i) = a(i, j);
  return t;
}
inline Matrix stacked(const Matrix& above, const Matrix& below) {
  Matrix all(above.rows + below.rows, above.cols);
  std::copy(above.v.begin(), above.v.end(), all.v.begin());
  std::copy(below.v.begin(), below.v.end(),
            all.v.begin() + static_cast<std::ptrdiff_t>(above.v.size()));
  return all;
}
inline Matrix chosen_rows(const Matrix& from, const std::vector<int>& rows) {
  Matrix out(static_cast<int>(rows.size()), from.cols);
  for (int i = 0; i < out.rows; ++i)
    for (int j = 0; j < out.cols; ++j)
      out(i, j) = from(rows[static_cast<std::size_t>(i)], j);
  return out;
}

struct FfReference {
  struct Constants {
    bool append = false, rms = true, normalise_input = true, mean = false;
    double strength = 1, epsilon = 1e-20;
    std::optional<double> threshold;
    int first = 2;  ///< levels from here on, counted from 1, decide and feed the head
    double peer = 0.03, peer_memory = 0.9;
  } c;
  int levels = 0, labels = 0;
  Parameters p;

  static constexpr int kNeutral = -1;

  static std::string name(const char* what, int level) { return what + std::to_string(level); }
  int first() const { return std::min(c.first, levels); }
  double threshold(int level) const {
    if (c.threshold) return *c.threshold;
    return c.mean ? 1 : p.at(name("b", level)).cols;
  }

  Matrix written(const Matrix& images, const std::vector<int>& label) const {
    const int place = c.append ? images.cols : 0;
    Matrix out(images.rows, c.append ? images.cols + labels : images.cols);
    for (int i = 0; i < images.rows; ++i) {
      for (int j = 0; j < images.cols; ++j)
        out(i, j) = images(i, j);
      const int own = label[static_cast<std::size_t>(i)];
      for (int k = 0; k < labels; ++k)
        out(i, place + k) = own == kNeutral ? c.strength / labels : (own == k ? c.strength : 0);
    }
    return out;
  }
  /// R(u).
  Matrix shortened(Matrix u) const {
    for (int i = 0; i < u.rows; ++i) {
      double s = 0;
      for (int j = 0; j < u.cols; ++j)
        s += u(i, j) * u(i, j);
      const double length = c.epsilon + std::sqrt(c.rms ? s / u.cols : s);
      for (int j = 0; j < u.cols; ++j)
        u(i, j) /= length;
    }
    return u;
  }
  Matrix activity(int level, const Parameters& q, const Matrix& below) const {
    return rectified(
        PffReference::add_row(times(below, q.at(name("W", level))), q.at(name("b", level))));
  }
  /// What level 1 reads, then the shortened activities of all levels; h: the activities themselves.
  std::vector<Matrix> sweep(const Matrix& images, const std::vector<int>& label,
                            std::vector<Matrix>* h = nullptr) const {
    const Matrix input = written(images, label);
    std::vector<Matrix> u = {c.normalise_input ? shortened(input) : input};
    for (int l = 1; l <= levels; ++l) {
      const Matrix now = activity(l, p, u.back());
      if (h) h->push_back(now);
      u.push_back(shortened(now));
    }
    return u;
  }
  double goodness(const Matrix& h, int row) const {
    double s = 0;
    for (int j = 0; j < h.cols; ++j)
      s += h(row, j) * h(row, j);
    return c.mean ? s / h.cols : s;
  }

  /// Binary cross-entropy of a level at q, over `rows` rows; `below`: what it reads; `lab`: 1 for
  /// positives, 0 for negatives.
  double level_loss(int level, const Parameters& q, const Matrix& below,
                    const std::vector<int>& lab, int rows) const {
    const Matrix h = activity(level, q, below);
    double loss = 0;
    for (int i = 0; i < h.rows; ++i) {
      // -log p and -log(1 - p) of p = sig(G - threshold); 1 - p itself would lose its digits.
      const double logit = goodness(h, i) - threshold(level);
      loss += std::log1p(std::exp(lab[static_cast<std::size_t>(i)] ? -logit : logit)) / rows;
    }
    return loss;
  }
  Matrix head_logits(const Parameters& q, const std::vector<Matrix>& u) const {
    Matrix logits(u[0].rows, labels);
    for (int l = first(); l <= levels; ++l) {
      const Matrix part = times(u[static_cast<std::size_t>(l)], q.at(name("head", l)));
      for (std::size_t k = 0; k < logits.v.size(); ++k)
        logits.v[k] += part.v[k];
    }
    return logits;
  }
  /// Per row 1 for the outputs that compete; empty: all of them.
  using Allowed = std::vector<std::vector<int>>;
  static std::vector<int> row_of(const Allowed& allowed, int row) {
    return allowed.empty() ? std::vector<int>{} : allowed[static_cast<std::size_t>(row)];
  }
  static std::vector<double> softmax(const Matrix& logits, int row,
                                     const std::vector<int>& allowed = {}) {
    std::vector<double> out;
    double sum = 0;
    for (int k = 0; k < logits.cols; ++k) {
      const bool competes = allowed.empty() || allowed[static_cast<std::size_t>(k)];
      out.push_back(competes ? std::exp(logits(row, k)) : 0);
      sum += out.back();
    }
    for (double& s : out)
      s /= sum;
    return out;
  }
  double head_loss(const Parameters& q, const std::vector<Matrix>& u,
                   const std::vector<int>& target, const Allowed& allowed = {}) const {
    const Matrix logits = head_logits(q, u);
    double loss = 0;
    for (int i = 0; i < logits.rows; ++i)
      loss -= std::log(softmax(
          logits, i,
          row_of(allowed, i))[static_cast<std::size_t>(target[static_cast<std::size_t>(i)])]);
    return loss / logits.rows;
  }

  /// Running means after a batch whose positives are h, and what the peer term then takes away from
  /// the derivative of every positive's pre-activation. Section 10a is an ascent.
  void peers(const Matrix& h, std::vector<double>& mean, std::vector<double>& pull) const {
    double all = 0;
    for (int j = 0; j < h.cols; ++j) {
      double now = 0;
      for (int i = 0; i < h.rows; ++i)
        now += h(i, j) / h.rows;
      double& mu = mean[static_cast<std::size_t>(j)];
      mu = c.peer_memory * mu + (1 - c.peer_memory) * now;
      all += mu / h.cols;
    }
    pull.clear();
    for (const double mu : mean)
      pull.push_back(-c.peer * (all - mu) / h.rows);
  }
};

}  // namespace engram::testing
