// Elastic weight consolidation (Kirkpatrick et al. 2017, arXiv 1612.00796): after task k, under
//   loss + lambda / 2 sum_k sum_i F_k,i (theta_i - theta*_k,i)^2,
//   F_k,i = E_x E_{y ~ p(y|x)} (d log p(y|x) / d theta_i)^2.
// Online (Schwarz et al. 2018, arXiv 1805.06370): one penalty around the last weights, with
// F <- gamma F + F_k.
// The field's costliest pitfall is that five estimates of F bear one name and differ by orders of
// magnitude (van de Ven 2025, arXiv 2502.11756), so that lambda means nothing without them; here
// they have names. p is over the outputs that compete in training.
#include <algorithm>
#include <cmath>

#include "learners/anchored_weights.h"
#include "learners/loss.h"
#include "learners/strategies/importance.h"
#include "learners/strategy_checks.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class Ewc final : public AnchoredWeights {
 public:
  Ewc(const EwcOptions& options, const StrategyContext& context)
      : AnchoredWeights(context, "ewc"), o_(options) {
    refuse_single_output(context, "ewc");
  }

 private:
  double strength() const override { return o_.half ? o_.lambda / 2 : o_.lambda; }
  void take_in(std::vector<real> fisher, std::span<const real> values,
               WeightAnchor& anchor) const override {
    if (o_.anchors == Anchors::Separate)
      anchor.add(fisher, values);
    else
      anchor.replace(o_.gamma, fisher, values);
  }

  std::vector<real> estimate(Training& t) const override {
    int count = o_.fisher_examples;
    if (o_.fisher == Fisher::Exact500) count = count > 0 ? std::min(count, 500) : 500;
    const bool batched = o_.fisher == Fisher::Batched;
    const bool all_labels = o_.fisher == Fisher::Exact || o_.fisher == Fisher::Exact500;
    const Rng rng = t.rng.fork("ewc").fork("task", static_cast<std::uint64_t>(t.phase));
    Rng draw = rng.fork("labels");
    return mean_over(
        t, count, batched ? o_.fisher_batch : kRows,
        batched ? Mean::OverBatches : Mean::OverExamples, SampleGradients::Of::Square,
        rng.fork("examples"),
        [&](const Batch& batch, CMat logits, SampleGradients& gradients, std::span<real> sums) {
          if (all_labels)
            add_all_labels(batch, logits, gradients, sums);
          else
            add_one_label(batch, logits, draw, gradients, sums);
        });
  }

  /// error <- p - onehot(label) for a row, and p_label.
  static real log_likelihood_error(CMat logits, int row, int label,
                                   std::span<const std::uint8_t> mask, real* error) {
    const auto n = static_cast<std::size_t>(logits.cols);
    kernels::softmax_cross_entropy({logits.row(row), n}, label, mask, 1, error);
    return error[label] + 1;
  }

  /// sum_y p(y|x) g_y^2: every label's error, weighed by the root of its probability.
  static void add_all_labels(const Batch& batch, CMat logits, SampleGradients& gradients,
                             std::span<real> sums) {
    Signal error;
    for (int y = 0; y < logits.cols; ++y) {
      const Mat e = error.resize(logits.rows, logits.cols);
      for (int b = 0; b < logits.rows; ++b) {
        const auto mask = mask_of(batch, b);
        const auto row = std::span(e.row(b), static_cast<std::size_t>(e.cols));
        if (!mask.empty() && mask[static_cast<std::size_t>(y)] == 0) {
          std::ranges::fill(row, real{0});
          continue;
        }
        const real root =
            std::sqrt(std::max<real>(0, log_likelihood_error(logits, b, y, mask, e.row(b))));
        for (real& v : row)
          v *= root;
      }
      gradients.add(error, sums);
    }
  }

  void add_one_label(const Batch& batch, CMat logits, Rng& draw, SampleGradients& gradients,
                     std::span<real> sums) const {
    Signal error;
    const Mat e = error.resize(logits.rows, logits.cols);
    for (int b = 0; b < logits.rows; ++b)
      log_likelihood_error(logits, b, label_of(batch, logits, b, draw), mask_of(batch, b),
                           e.row(b));
    if (o_.fisher != Fisher::Batched) return gradients.add(error, sums);
    gradients.add_mean(error, sums);
  }

  int label_of(const Batch& batch, CMat logits, int b, Rng& draw) const {
    const auto mask = mask_of(batch, b);
    const std::span<const real> z{logits.row(b), static_cast<std::size_t>(logits.cols)};
    if (o_.fisher == Fisher::Predicted) return predicted_class(z, mask);
    if (o_.fisher != Fisher::Sample) return batch.target[static_cast<std::size_t>(b)];
    std::vector<real> minus(z.size());
    const int any = predicted_class(z, mask);
    kernels::softmax_cross_entropy(z, any, mask, 1, minus.data());
    minus[static_cast<std::size_t>(any)] += 1;  // now the probabilities
    double left = draw.uniform();
    int label = any;
    for (int y = 0; y < logits.cols; ++y) {
      const auto p = static_cast<double>(minus[static_cast<std::size_t>(y)]);
      if (p > 0) label = y;
      if ((left -= p) < 0) break;
    }
    return label;
  }

  static constexpr int kRows = 250;  ///< at once
  EwcOptions o_;
};

}  // namespace

std::unique_ptr<Strategy> make_ewc(const EwcOptions& options, const StrategyContext& context) {
  return std::make_unique<Ewc>(options, context);
}

}  // namespace engram
