// Gradients of back-propagation against central differences.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "learners/loss.h"
#include "learners/rules/rules.h"
#include "models/network.h"

namespace engram::testing {

/// Largest |analytic - numeric| over every `stride`-th parameter, relative to the largest gradient.
/// `step`: small ones cross fewer kinks of relu, large ones round less.
inline double gradient_error(Network& net, const Batch& batch, const Pass& pass, double step = 1e-7,
                             std::size_t stride = 1) {
  const std::vector<real> states(net.params().states().begin(), net.params().states().end());
  net.params().zero_grad();
  make_backprop({}, {})->learn(net, batch, pass, {});
  const std::vector<real> analytic(net.params().grads().begin(), net.params().grads().end());
  std::copy(states.begin(), states.end(), net.params().states().begin());
  Tape tape;
  Signal error;
  const auto loss = [&] {
    std::as_const(net).evaluate(batch.x, tape, pass);
    return cross_entropy(tape.back().out, batch, error).loss;
  };
  double worst = 0, largest = 1e-3;
  const auto set = [&](std::size_t i, real value) { net.params().values()[i] = value; };
  for (std::size_t i = 0; i < analytic.size(); i += stride) {
    const real keep = std::as_const(net).params().values()[i], h = static_cast<real>(step);
    set(i, keep + h);
    const double up = loss();
    set(i, keep - h);
    const double down = loss();
    set(i, keep);
    worst = std::max(worst, std::abs((up - down) / (2 * step) - static_cast<double>(analytic[i])));
    largest = std::max(largest, std::abs(static_cast<double>(analytic[i])));
  }
  return worst / largest;
}

}  // namespace engram::testing
