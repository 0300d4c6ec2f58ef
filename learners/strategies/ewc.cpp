// Elastic weight consolidation (Kirkpatrick et al. 2017, arXiv 1612.00796): after task k, under
//   loss + lambda / 2 sum_k sum_i F_k,i (theta_i - theta*_k,i)^2,
//   F_k,i = E_x E_{y ~ p(y|x)} (d log p(y|x) / d theta_i)^2.
// Online (Schwarz et al. 2018, arXiv 1805.06370): one penalty around the last weights, with
// F <- gamma F + F_k.
// The field's costliest pitfall is that five estimates of F bear one name and differ by orders of
// magnitude (van de Ven 2025, arXiv 2502.11756), so that lambda means nothing without them; here
// they have names. p is over the outputs that compete in training.
#include <cmath>

#include "learners/gather_batch.h"
#include "learners/gather_images.h"
#include "learners/loss.h"
#include "learners/sample_gradients.h"
#include "learners/strategies/importance.h"
#include "learners/weight_anchor.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class Ewc final : public Strategy {
 public:
  Ewc(const EwcOptions& options, const StrategyContext& context)
      : o_(options), weights_(context.net.params().values().size()), anchor_(weights_) {}

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }

  void shape_gradient(Training& t) override {
    if (learnt_[0] != 0) anchor_.pull(o_.half ? o_.lambda / 2 : o_.lambda, t.net.params());
  }
  void end_experience(Training& t) override {
    const std::vector<real> fisher = estimate(t);
    const auto values = t.net.params().values();
    if (o_.anchors == Anchors::Separate)
      anchor_.add(fisher, values);
    else
      anchor_.replace(o_.gamma, fisher, values);
    learnt_[0] = 1;
  }
  void renew(Training&, std::span<const std::size_t> places) override { anchor_.release(places); }
  std::span<const real> importance(const Training&) override { return anchor_.importance(); }
  std::vector<std::span<real>> state() override {
    auto all = anchor_.state();
    all.emplace_back(learnt_);
    return all;
  }

 private:
  std::vector<real> estimate(Training& t) const {
    const ExampleSet& train = t.experience->train;
    int count = o_.fisher_examples > 0 ? o_.fisher_examples : static_cast<int>(train.size());
    if (o_.fisher == Fisher::Exact500) count = std::min(count, 500);
    const Rng rng = t.rng.fork("ewc").fork("task", static_cast<std::uint64_t>(t.phase));
    const auto places = some_places(train.size(), count, rng.fork("examples"));
    Rng draw = rng.fork("labels");
    std::vector<real> sums(weights_, 0);
    const bool batched = o_.fisher == Fisher::Batched;
    const auto step = static_cast<std::size_t>(batched ? o_.fisher_batch : 250);
    SampleGradients gradients(t.net, SampleGradients::Of::Square);
    Batch batch;
    std::size_t terms = 0;  // that the mean is over
    for (std::size_t at = 0; at < places.size(); at += step) {
      gather_batch(train, std::span(places).subspan(at, std::min(step, places.size() - at)),
                   *t.targets, t.tasks_seen, batch);
      const CMat logits = gradients.forward(batch.x, batch.task);
      terms += batched ? 1 : static_cast<std::size_t>(batch.rows());
      if (o_.fisher == Fisher::Exact || o_.fisher == Fisher::Exact500)
        add_all_labels(batch, logits, gradients, sums);
      else
        add_one_label(batch, logits, draw, gradients, sums);
    }
    for (real& f : sums)
      f /= static_cast<real>(terms);
    return sums;
  }

  static std::span<const std::uint8_t> mask_of(const Batch& batch, int row) {
    if (batch.mask.empty()) return {};
    return batch.mask[static_cast<std::size_t>(row)];
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

  EwcOptions o_;
  std::size_t weights_;
  WeightAnchor anchor_;
  std::vector<real> learnt_ = {0};
};

}  // namespace

std::unique_ptr<Strategy> make_ewc(const EwcOptions& options, const StrategyContext& context) {
  return std::make_unique<Ewc>(options, context);
}

}  // namespace engram
