// ReDo, recycling of dormant units (Sokar, Agarwal, Castro & Evci 2023, arXiv 2302.12902): every n
// steps units with
//   s_i = mean |h_i| / (mean over the layer's units of mean |h|) <= tau
// begin anew: incoming weights from the initial law, no bias, outgoing weights 0, no moments in the
// optimiser. |h| is what the steps themselves saw; the paper's is of one batch.
#include <algorithm>
#include <numeric>

#include "learners/hidden_units.h"
#include "learners/strategies/plasticity.h"

namespace engram {
namespace {

class Redo final : public Strategy {
 public:
  Redo(const RedoOptions& options, const StrategyContext& context) : o_(options) {
    for (HiddenUnits& units : hidden_units(context.net, "redo")) {
      const auto n = static_cast<std::size_t>(units.count);
      layers_.push_back({std::move(units), std::vector<real>(n), {}});
    }
  }

  Provides needs() const override { return Provides::Gradient; }

  void after_step(Training& t, const Batch&) override {
    if (!t.stepped) return;
    // In the last steps of a period of `every` that were taken; the one at hand counts.
    const auto left = o_.every - 1 - (t.optimizer.taken() - 1) % o_.every;
    if (left >= o_.batches) return;
    for (Layer& layer : layers_) {
      layer.mean.resize(layer.said.size());
      mean_magnitudes(t.rule.tape()[static_cast<std::size_t>(layer.units.layer)].out, {},
                      layer.mean);
      for (std::size_t i = 0; i < layer.said.size(); ++i)
        layer.said[i] += static_cast<real>(layer.mean[i]);
    }
    if (left == 0) recycle(t);
  }

  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all;
    for (Layer& layer : layers_)
      all.emplace_back(layer.said);
    return all;
  }

 private:
  struct Layer {
    HiddenUnits units;
    std::vector<real> said;  ///< [units]: sum of mean |h| over the batches of the period so far
    std::vector<double> mean;
  };

  void recycle(Training& t) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      const double all = std::accumulate(layer.said.begin(), layer.said.end(), 0.0);
      const double bar = o_.tau * all / static_cast<double>(layer.said.size());
      std::vector<int> dormant;
      for (int i = 0; i < layer.units.count; ++i)
        if (static_cast<double>(layer.said[static_cast<std::size_t>(i)]) <= bar)
          dormant.push_back(i);
      std::ranges::fill(layer.said, real{0});
      if (t.net.params().param(layer.units.in->weight_id()).trainable)
        engram::renew(
            t, layer.units, dormant,
            t.rng.fork("redo").fork("step", static_cast<std::uint64_t>(t.step)).fork("layer", l));
    }
  }

  RedoOptions o_;
  std::vector<Layer> layers_;
};

}  // namespace

std::unique_ptr<Strategy> make_redo(const RedoOptions& options, const StrategyContext& context) {
  return std::make_unique<Redo>(options, context);
}

}  // namespace engram
