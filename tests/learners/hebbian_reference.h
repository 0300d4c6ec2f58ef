// Local rules as section 3 to 5 of the specification write them: one unit and one sample at a time,
// on weights [unit][input]. Shares nothing with the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

namespace engram::testing {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

inline double dot(const Row& a, const Row& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.);
}
inline Row driven(const Rows& w, const Row& x) {
  Row u;
  for (const Row& unit : w)
    u.push_back(dot(unit, x));
  return u;
}
inline Rows nothing_like(const Rows& w) {
  return Rows(w.size(), Row(w.front().size()));
}
/// `exists` [unit][input]: 0 where there is no synapse.
inline double largest(const Rows& d, const Rows& exists) {
  double most = 1e-30;
  for (std::size_t k = 0; k < d.size(); ++k)
    for (std::size_t i = 0; i < d[k].size(); ++i)
      if (exists[k][i] != 0) most = std::max(most, std::abs(d[k][i]));
  return most;
}
inline void add(Rows& w, const Rows& d, double by, const Rows& exists) {
  for (std::size_t k = 0; k < w.size(); ++k)
    for (std::size_t i = 0; i < w[k].size(); ++i)
      if (exists[k][i] != 0) w[k][i] += by * d[k][i];
}
/// Units in the order of falling values, lowest index first among equals.
inline std::vector<std::size_t> ranked(const Row& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  return order;
}

/// Section 4.2.
inline void krotov_step(Rows& w, const Rows& exists, const Rows& x, double rate, double p, int k,
                        double delta) {
  Rows powered = w;
  for (Row& unit : powered)
    for (double& v : unit)
      v = v == 0 ? 0 : (v < 0 ? -1 : 1) * std::pow(std::abs(v), p - 1);
  Rows d = nothing_like(w);
  for (const Row& sample : x) {
    const Row current = driven(powered, sample);
    const auto order = ranked(current);
    for (const auto& [unit, g] :
         {std::pair{order[0], 1.}, std::pair{order[static_cast<std::size_t>(k - 1)], -delta}})
      for (std::size_t i = 0; i < sample.size(); ++i)
        d[unit][i] += g * (sample[i] - current[unit] * w[unit][i]);
  }
  add(w, d, rate / largest(d, exists), exists);
}

/// Section 5; `anti`: all but the winner with the opposite sign.
inline void softhebb_step(Rows& w, const Rows& exists, const Rows& x, double rate, double t,
                          double q, bool anti) {
  Rows d = nothing_like(w);
  for (const Row& sample : x) {
    const Row u = driven(w, sample);
    double sum = 0;
    for (const double v : u)
      sum += std::exp(t * v);
    const std::size_t winner = ranked(u)[0];
    for (std::size_t k = 0; k < w.size(); ++k) {
      const double y = std::exp(t * u[k]) / sum * (anti && k != winner ? -1 : 1);
      for (std::size_t i = 0; i < sample.size(); ++i)
        d[k][i] += y * (sample[i] - u[k] * w[k][i]);
    }
  }
  const double most = largest(d, exists);
  Rows scaled = d;
  for (std::size_t k = 0; k < w.size(); ++k)
    for (double& v : scaled[k])
      v *= std::pow(std::abs(std::sqrt(dot(w[k], w[k])) - 1) + 1e-10, q);
  add(w, scaled, rate / most, exists);
}

enum class Hebbian { Hebb, Subspace, Unit, Sanger };
/// Sections 3.2 and 5 with the mean over the samples; y: what the rule takes for the activity.
inline void correlation_step(Hebbian rule, Rows& w, const Rows& exists, const Rows& x,
                             const Rows& y, double rate) {
  Rows d = nothing_like(w);
  for (std::size_t s = 0; s < x.size(); ++s)
    for (std::size_t k = 0; k < w.size(); ++k)
      for (std::size_t i = 0; i < x[s].size(); ++i) {
        double explained = 0;
        for (std::size_t j = 0; j < w.size(); ++j) {
          const bool counts = rule == Hebbian::Subspace || (rule == Hebbian::Unit && j == k) ||
                              (rule == Hebbian::Sanger && j <= k);
          if (counts) explained += y[s][j] * w[j][i];
        }
        d[k][i] += y[s][k] * (x[s][i] - explained);
      }
  add(w, d, rate / static_cast<double>(x.size()), exists);
}

/// Section 5: winners by the cosine of weights and sample; the sum over the samples.
inline void winner_step(Rows& w, const Rows& exists, const Rows& x, double rate, int winners) {
  Rows d = nothing_like(w);
  for (const Row& sample : x) {
    Row cosine = driven(w, sample);
    for (std::size_t k = 0; k < w.size(); ++k)
      cosine[k] /= std::sqrt(dot(w[k], w[k]));
    const auto order = ranked(cosine);
    for (int n = 0; n < winners; ++n)
      for (std::size_t i = 0; i < sample.size(); ++i)
        d[order[static_cast<std::size_t>(n)]][i] +=
            sample[i] - w[order[static_cast<std::size_t>(n)]][i];
  }
  add(w, d, rate, exists);
}

/// Section 3.2, with the mean over the samples.
struct GuptaReference {
  double percentile = 60;
  bool by_sign = false, unscaled = false;
  int batches = 0;
  Rows past{};

  void step(Rows& w, const Rows& exists, const Rows& x, const Rows& y, double rate) {
    if (past.empty()) past = nothing_like(w);
    ++batches;
    Rows d = nothing_like(w);
    Row sizes;
    for (std::size_t k = 0; k < w.size(); ++k)
      for (std::size_t i = 0; i < w[k].size(); ++i) {
        if (exists[k][i] == 0) continue;
        double product = 0;
        for (std::size_t s = 0; s < x.size(); ++s)
          product += x[s][i] * y[s][k] / static_cast<double>(x.size());
        d[k][i] = rate * product;
        if (batches > 1) d[k][i] -= (unscaled ? 1 : rate) * past[k][i] / (batches - 1);
        past[k][i] += product;
        sizes.push_back(by_sign ? d[k][i] : std::abs(d[k][i]));
      }
    std::sort(sizes.begin(), sizes.end());
    const double place = 0.01 * percentile * static_cast<double>(sizes.size() - 1);
    const double least = sizes[static_cast<std::size_t>(std::nearbyint(place))];
    for (Row& unit : d)
      for (double& v : unit)
        if ((by_sign ? v : std::abs(v)) < least - 1e-14) v = 0;
    add(w, d, 1, exists);
  }
};

}  // namespace engram::testing
