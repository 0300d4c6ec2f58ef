// Shrink and perturb, in two forms that bear one name.
// Ash & Adams 2020 (arXiv 1910.08475), at = task: before new data are learnt,
//   w <- shrink w + perturb w',   w': what another network would begin with;
// of the weights and biases of layers that learn then (not of norms and of future heads).
// Dohare et al. 2024 (Nature 632), at = step: after every step,
//   w <- shrink w + N(0, perturb^2),
// where their shrinking is the optimiser's weight decay, so that shrink is 1.
#include <algorithm>

#include "learners/strategies/plasticity.h"
#include "models/synaptic.h"
#include "utils/error.h"

namespace engram {
namespace {

class ShrinkPerturb final : public Strategy {
 public:
  ShrinkPerturb(const ShrinkPerturbOptions& options, const StrategyContext& context)
      : at_step_(options.at == PerturbAt::Step),
        shrink_(static_cast<real>(options.shrink.value_or(at_step_ ? 1 : 0.4))),
        perturb_(options.perturb.value_or(at_step_ ? 1e-5 : 0.1)) {
    for (int l = 0; l < context.net.depth(); ++l)
      if (context.net.layer(l).existing_synapses())
        throw Error(Fault::Config,
                    "strategies: shrink_perturb draws weights anew, which it cannot for those "
                    "stored sparse; use weight_storage = dense");
  }

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return !at_step_; }

  void begin_experience(Training& t) override {
    if (at_step_ || t.step == 0) return;
    const Rng rng = t.rng.fork("shrink_perturb").fork("task", static_cast<std::uint64_t>(t.step));
    ParamStore& params = t.net.params();
    std::vector<real> drawn, biases;
    for (std::size_t i = 0; i < t.net.synapses().size(); ++i) {
      const SynapticMatrix& matrix = *t.net.synapses()[i];
      const Param& p = params.param(matrix.weight_id());
      if (!p.trainable) continue;
      drawn.assign(p.size(), 0), biases.assign(static_cast<std::size_t>(p.cols), 0);
      matrix.draw_again(rng.fork("matrix", i), {drawn.data(), p.rows, p.cols}, biases);
      blend(params.value(matrix.weight_id()), drawn);
      if (const int bias = matrix.bias_part().id(); bias >= 0) blend(params.value(bias), biases);
    }
  }

  void after_step(Training& t, const Batch&) override {
    if (!at_step_ || !t.stepped) return;
    const Rng rng = t.rng.fork("shrink_perturb").fork("step", static_cast<std::uint64_t>(t.step));
    ParamStore& params = t.net.params();
    for (int id = 0; id < params.count(); ++id) {
      if (!params.param(id).trainable) continue;
      const Mat w = params.value(id);
      noise_.resize(w.size());
      rng.fork("slice", static_cast<std::uint64_t>(id)).normals(perturb_, noise_);
      const auto& mask = params.param(id).mask;
      for (std::size_t i = 0; i < mask.size(); ++i)
        if (mask[i] == 0) noise_[i] = 0;
      const real* const noise = noise_.data();
      real* const to = w.data;
#pragma omp simd
      for (std::size_t i = 0; i < noise_.size(); ++i)
        to[i] = shrink_ * to[i] + noise[i];
    }
  }

 private:
  void blend(Mat w, const std::vector<real>& drawn) const {
    const auto perturb = static_cast<real>(perturb_);
    for (std::size_t i = 0; i < drawn.size(); ++i)
      w.data[i] = shrink_ * w.data[i] + perturb * drawn[i];
  }

  bool at_step_;
  real shrink_;
  double perturb_;
  std::vector<real> noise_;
};

}  // namespace

std::unique_ptr<Strategy> make_shrink_perturb(const ShrinkPerturbOptions& options,
                                              const StrategyContext& context) {
  return std::make_unique<ShrinkPerturb>(options, context);
}

}  // namespace engram
