// Memory aware synapses (Aljundi et al. 2018, arXiv 1711.09601): a weight matters as much as it
// moves the squared length of the outputs, whatever the labels,
//   Omega_i = E_x |d |f(x)|^2 / d theta_i|,
// summed over tasks, and later tasks learn under loss + lambda sum_i Omega_i (theta_i -
// theta*_i)^2. Pitfall: codes that take the mean gradient of a mini-batch before the magnitude,
// where signs cancel, measure something else; mas.batch > 1 is for comparing with them.
#include "learners/anchored_weights.h"
#include "learners/strategies/importance.h"

namespace engram {
namespace {

class Mas final : public AnchoredWeights {
 public:
  Mas(const MasOptions& options, const StrategyContext& context)
      : AnchoredWeights(context, "mas"), o_(options) {}

 private:
  double strength() const override { return o_.lambda; }
  void take_in(std::vector<real> omega, std::span<const real> values,
               WeightAnchor& anchor) const override {
    for (real& v : omega)
      v *= static_cast<real>(o_.add);
    anchor.replace(o_.keep, omega, values);
  }

  /// to <- d |f|^2 / df over the outputs that compete, or of their mean.
  void slopes(CMat out, int row, const Batch& batch, real* to) const {
    const auto mask = mask_of(batch, row);
    const auto competes = [&](int y) {
      return mask.empty() || mask[static_cast<std::size_t>(y)] != 0;
    };
    int count = 0;
    for (int y = 0; y < out.cols; ++y)
      count += competes(y);
    const real scale = o_.mean_outputs ? real{2} / static_cast<real>(count) : real{2};
    for (int y = 0; y < out.cols; ++y)
      to[y] = competes(y) ? scale * out.row(row)[y] : real{0};
  }

  std::vector<real> estimate(Training& t) const override {
    const bool batched = o_.batch > 1;
    Signal error;
    return mean_over(
        t, o_.examples, batched ? o_.batch : kRows,
        batched ? Mean::OverBatches : Mean::OverExamples, SampleGradients::Of::Magnitude,
        t.rng.fork("mas").fork("task", static_cast<std::uint64_t>(t.phase)),
        [&](const Batch& batch, CMat out, SampleGradients& gradients, std::span<real> sums) {
          const Mat e = error.resize(out.rows, out.cols);
          for (int b = 0; b < out.rows; ++b)
            slopes(out, b, batch, e.row(b));
          if (batched)
            gradients.add_mean(error, sums);
          else
            gradients.add(error, sums);
        });
  }

  static constexpr int kRows = 250;  ///< at once
  MasOptions o_;
};

}  // namespace

std::unique_ptr<Strategy> make_mas(const MasOptions& options, const StrategyContext& context) {
  return std::make_unique<Mas>(options, context);
}

}  // namespace engram
