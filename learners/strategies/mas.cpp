// Memory aware synapses (Aljundi et al. 2018, arXiv 1711.09601): a weight matters as much as it
// moves the squared length of the outputs, whatever the labels,
//   Omega_i = E_x |d |f(x)|^2 / d theta_i|,
// summed over tasks, and later tasks learn under loss + lambda sum_i Omega_i (theta_i -
// theta*_i)^2. Pitfall: codes that take the mean gradient of a mini-batch before the magnitude,
// where signs cancel, measure something else; mas.batch > 1 is for comparing with them.
#include "learners/gather_batch.h"
#include "learners/gather_images.h"
#include "learners/sample_gradients.h"
#include "learners/strategies/importance.h"
#include "learners/weight_anchor.h"

namespace engram {
namespace {

class Mas final : public Strategy {
 public:
  Mas(const MasOptions& options, const StrategyContext& context)
      : o_(options), weights_(context.net.params().values().size()), anchor_(weights_) {}

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }

  void shape_gradient(Training& t) override {
    if (learnt_[0] != 0) anchor_.pull(o_.lambda, t.net.params());
  }
  void end_experience(Training& t) override {
    std::vector<real> omega = estimate(t);
    for (real& v : omega)
      v *= static_cast<real>(o_.add);
    anchor_.replace(o_.keep, omega, t.net.params().values());
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
  /// to <- d |f|^2 / df over the outputs that compete, or of their mean.
  void slopes(CMat out, int row, const Batch& batch, real* to) const {
    const auto mask = batch.mask.empty() ? std::span<const std::uint8_t>{}
                                         : batch.mask[static_cast<std::size_t>(row)];
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

  std::vector<real> estimate(Training& t) const {
    const ExampleSet& train = t.experience->train;
    const int count = o_.examples > 0 ? o_.examples : static_cast<int>(train.size());
    const Rng rng = t.rng.fork("mas").fork("task", static_cast<std::uint64_t>(t.phase));
    const auto places = some_places(train.size(), count, rng);
    const auto step = static_cast<std::size_t>(o_.batch > 1 ? o_.batch : 250);
    SampleGradients gradients(t.net, SampleGradients::Of::Magnitude);
    std::vector<real> sums(weights_, 0);
    Batch batch;
    Signal error;
    std::size_t terms = 0;
    for (std::size_t at = 0; at < places.size(); at += step) {
      gather_batch(train, std::span(places).subspan(at, std::min(step, places.size() - at)),
                   *t.targets, t.tasks_seen, batch);
      const CMat out = gradients.forward(batch.x, batch.task);
      const Mat e = error.resize(out.rows, out.cols);
      for (int b = 0; b < out.rows; ++b)
        slopes(out, b, batch, e.row(b));
      if (o_.batch > 1)
        gradients.add_mean(error, sums), ++terms;
      else
        gradients.add(error, sums), terms += static_cast<std::size_t>(out.rows);
    }
    for (real& v : sums)
      v /= static_cast<real>(terms);
    return sums;
  }

  MasOptions o_;
  std::size_t weights_;
  WeightAnchor anchor_;
  std::vector<real> learnt_ = {0};
};

}  // namespace

std::unique_ptr<Strategy> make_mas(const MasOptions& options, const StrategyContext& context) {
  return std::make_unique<Mas>(options, context);
}

}  // namespace engram
