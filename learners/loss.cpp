#include "learners/loss.h"

#include "utils/kernels.h"

namespace engram {

BatchStats output_error(Loss, const Signal& logits, const Batch& batch, Signal& error) {
  return cross_entropy(logits, batch, error);
}

BatchStats cross_entropy(const Signal& logits, const Batch& batch, Signal& error) {
  BatchStats stats;
  const Mat gradient = error.resize(logits.rows(), logits.cols());
  const auto outputs = static_cast<std::size_t>(logits.cols());
  const real scale = real{1} / static_cast<real>(logits.rows());
  for (int b = 0; b < logits.rows(); ++b) {
    const auto row = static_cast<std::size_t>(b);
    const std::span<const real> z{logits.value().row(b), outputs};
    const auto mask = batch.mask.empty() ? std::span<const std::uint8_t>{} : batch.mask[row];
    stats.correct += kernels::argmax(z, mask) == batch.target[row];
    stats.loss +=
        kernels::softmax_cross_entropy(z, batch.target[row], mask, scale, gradient.row(b));
  }
  stats.loss /= logits.rows();
  return stats;
}

}  // namespace engram
