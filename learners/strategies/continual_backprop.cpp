// Continual backprop (Dohare et al. 2024, Nature 632, 768-774, algorithm 1): after every step, for
// every unit i of a hidden layer,
//   u_i <- d u_i + (1 - d) |h_i| sum_k |w_ik|,   age_i <- age_i + 1,
// with w_ik the weights away from it; a share rho of the units older than m, those of the lowest
// utility, begin anew: incoming weights from the initial law, no bias, outgoing weights 0 (so that
// nothing changes but what the old unit said), u = age = 0, and no moments in the optimiser. |h| is
// the mean over the batch, as the step saw it; weights are those after the step.
// `adaptable_contribution` (an earlier form, kept in the authors' code) is
//   mean_k |w_ik| mean |h_i - h^_i| / mean_j |w_ji|,   h^: the running mean of h, over 1 - d^age.
// The authors' code (lop/algos/gnt.py) means to add a replaced unit's outgoing weights times h^ to
// the biases above, but sets h^ to 0 before it reads it, so that nothing is added: as here, unless
// shift_bias = yes.
#include <algorithm>
#include <cmath>

#include "learners/hidden_units.h"
#include "learners/strategies/plasticity.h"

namespace engram {
namespace {

class ContinualBackprop final : public Strategy {
 public:
  ContinualBackprop(const ContinualBackpropOptions& options, const StrategyContext& context)
      : o_(options) {
    for (HiddenUnits& units : hidden_units(context.net, "continual_backprop")) {
      const auto n = static_cast<std::size_t>(units.count);
      layers_.push_back({std::move(units),
                         std::vector<real>(n),
                         std::vector<real>(n),
                         std::vector<real>(n),
                         {0},
                         {},
                         {}});
    }
  }

  Provides needs() const override { return Provides::Gradient; }

  void after_step(Training& t, const Batch&) override {
    if (!t.stepped) return;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      if (!t.net.params().param(layer.units.in->weight_id()).trainable) continue;
      judge(t, layer);
      const std::vector<int> chosen = choose(layer);
      if (chosen.empty()) continue;
      if (o_.shift_bias) shift_biases(t.net.params(), layer, chosen);
      engram::renew(t, layer.units, chosen,
                    t.rng.fork("continual_backprop")
                        .fork("step", static_cast<std::uint64_t>(t.step))
                        .fork("layer", l));
      for (const int unit : chosen) {
        const auto i = static_cast<std::size_t>(unit);
        layer.utility[i] = layer.age[i] = layer.mean[i] = 0;
      }
    }
  }

  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all;
    for (Layer& layer : layers_)
      for (auto* part : {&layer.utility, &layer.age, &layer.mean, &layer.due})
        all.emplace_back(*part);
    return all;
  }

 private:
  struct Layer {
    HiddenUnits units;
    std::vector<real> utility, age, mean;  ///< [units]; mean: running, of h
    std::vector<real> due;                 ///< [1]: units still to be replaced
    std::vector<double> around, magnitude;
  };

  /// What a running mean that began with 0 falls short of by.
  double correction(real age) const { return 1 - std::pow(o_.decay, static_cast<double>(age)); }

  /// One more step of every unit's life.
  void judge(const Training& t, Layer& layer) const {
    const Signal& said = t.rule.tape()[static_cast<std::size_t>(layer.units.layer)].out;
    const auto n = static_cast<std::size_t>(layer.units.count);
    const bool adaptable = o_.utility == Utility::AdaptableContribution;
    for (real& age : layer.age)
      age += 1;
    layer.magnitude.resize(n);
    if (adaptable || o_.shift_bias) {
      mean_values(said, layer.magnitude);
      layer.around.resize(n);
      for (std::size_t i = 0; i < n; ++i) {
        blend(layer.mean[i], layer.magnitude[i]);
        layer.around[i] = static_cast<double>(layer.mean[i]) / correction(layer.age[i]);
      }
    }
    mean_magnitudes(said, adaptable ? std::span<const double>(layer.around) : std::span<double>(),
                    layer.magnitude);
    if (adaptable) divide_by_incoming(layer);
    for (std::size_t i = 0; i < n; ++i)
      blend(layer.utility[i],
            layer.magnitude[i] * outgoing_magnitude(layer.units, static_cast<int>(i)));
  }
  void blend(real& mean, double value) const {
    mean = static_cast<real>(o_.decay * static_cast<double>(mean) + (1 - o_.decay) * value);
  }

  /// magnitude <- magnitude / (number of outgoing weights, whose sum it will meet) / mean |w_in|.
  void divide_by_incoming(Layer& layer) const {
    const CMat w = layer.units.in->weight();
    std::vector<double> sum(layer.magnitude.size(), 0);
    for (int i = 0; i < w.rows; ++i)
      for (std::size_t u = 0; u < sum.size(); ++u)
        sum[u] += std::abs(static_cast<double>(w.row(i)[u]));
    double away = 0;
    for (const SynapticMatrix* matrix : layer.units.out)
      away += matrix->weight().cols;
    // A unit without input is of no use, whatever its bias makes it say.
    for (std::size_t u = 0; u < sum.size(); ++u)
      layer.magnitude[u] = sum[u] > 0 ? layer.magnitude[u] / away / (sum[u] / w.rows) : 0;
  }

  /// The units whose time has come.
  std::vector<int> choose(Layer& layer) const {
    std::vector<int> mature;
    for (int i = 0; i < layer.units.count; ++i)
      if (layer.age[static_cast<std::size_t>(i)] > static_cast<real>(o_.maturity))
        mature.push_back(i);
    double due = static_cast<double>(layer.due[0]) +
                 o_.replacement_rate * static_cast<double>(mature.size());
    const auto count = std::min(mature.size(), static_cast<std::size_t>(due));
    layer.due[0] = static_cast<real>(due - static_cast<double>(count));
    if (count == 0) return {};
    const auto worth = [&](int i) {
      const auto at = static_cast<std::size_t>(i);
      return static_cast<double>(layer.utility[at]) /
             (o_.corrected ? correction(layer.age[at]) : 1.0);
    };
    std::ranges::stable_sort(mature, [&](int a, int b) { return worth(a) < worth(b); });
    mature.resize(count);
    return mature;
  }

  void shift_biases(ParamStore& params, const Layer& layer, const std::vector<int>& chosen) const {
    for (const SynapticMatrix* matrix : layer.units.out) {
      const int id = matrix->bias_part().id();
      if (id < 0 || !params.param(id).trainable) continue;
      const Mat bias = params.value(id);
      const CMat w = matrix->weight();
      for (const int unit : chosen)
        for (int k = 0; k < w.cols; ++k)
          bias.data[k] +=
              static_cast<real>(layer.around[static_cast<std::size_t>(unit)]) * w.row(unit)[k];
    }
  }

  ContinualBackpropOptions o_;
  std::vector<Layer> layers_;
};

}  // namespace

std::unique_ptr<Strategy> make_continual_backprop(const ContinualBackpropOptions& options,
                                                  const StrategyContext& context) {
  return std::make_unique<ContinualBackprop>(options, context);
}

}  // namespace engram
