#include "learners/loss.h"

#include <algorithm>
#include <cmath>

#include "utils/kernels.h"

namespace engram {
namespace {

/// log(1 + exp(x)) without overflow.
double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

/// One row of the losses that treat outputs one by one: returns the loss, writes its gradient times
/// `scale`.
double one_by_one(Loss loss, std::span<const real> logits, int target,
                  std::span<const std::uint8_t> mask, double scale, real* gradient) {
  const bool single = logits.size() == 1;
  const auto allowed = [&](std::size_t c) { return mask.empty() || mask[c] != 0; };
  double count = 0, sum = 0;
  for (std::size_t c = 0; c < logits.size(); ++c)
    count += allowed(c) ? 1 : 0;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    gradient[c] = 0;
    if (!allowed(c)) continue;
    const double y = static_cast<double>(logits[c]);
    const double wanted = single ? target : static_cast<int>(c) == target ? 1 : 0;
    if (loss == Loss::Mse) {
      sum += (y - wanted) * (y - wanted) / count;
      gradient[c] = static_cast<real>(2 * (y - wanted) / count * scale);
    } else {
      sum += (softplus(y) - wanted * y) / count;
      gradient[c] = static_cast<real>((1 / (1 + std::exp(-y)) - wanted) / count * scale);
    }
  }
  return sum;
}

}  // namespace

int predicted(std::span<const real> logits, std::span<const std::uint8_t> mask) {
  return logits.size() == 1 ? static_cast<int>(logits[0] > 0) : kernels::argmax(logits, mask);
}

BatchStats output_error(Loss loss, const Signal& logits, const Batch& batch, Signal& error) {
  BatchStats stats;
  const Mat gradient = error.resize(logits.rows(), logits.cols());
  const auto outputs = static_cast<std::size_t>(logits.cols());
  const bool softmax = loss == Loss::CrossEntropy && outputs > 1;
  const double scale = 1.0 / logits.rows();
  for (int b = 0; b < logits.rows(); ++b) {
    const auto row = static_cast<std::size_t>(b);
    const std::span<const real> y{logits.value().row(b), outputs};
    const auto mask = batch.mask.empty() ? std::span<const std::uint8_t>{} : batch.mask[row];
    const int target = batch.target[row];
    stats.correct += predicted(y, mask) == target;
    stats.loss += softmax ? kernels::softmax_cross_entropy(
                                y, target, mask, static_cast<real>(scale), gradient.row(b))
                          : one_by_one(loss, y, target, mask, scale, gradient.row(b));
  }
  stats.loss /= logits.rows();
  return stats;
}

BatchStats cross_entropy(const Signal& logits, const Batch& batch, Signal& error) {
  return output_error(Loss::CrossEntropy, logits, batch, error);
}

}  // namespace engram
