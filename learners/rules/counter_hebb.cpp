// Counter-Hebb learning in a bottom-up / top-down network (Abel & Ullman 2024, arXiv 2306.02415).
// The error at the outputs goes down a top-down network V, gated by the bottom-up activity h of
// each level (GaLU), and every synapse changes with what its two ends hold:
//   t_{l-1} = (V_l t_l) * [h_{l-1} > 0],   dW_l = t_l h_{l-1} = dV_l,   db_l = t_l.
// With V = W this is back-propagation; with V of its own, W - V stays what it was at the start, or
// shrinks under weight decay.
#include "learners/carried_error.h"
#include "learners/rules/rules.h"

namespace engram {
namespace {

class CounterHebb final : public CarriedError {
 public:
  CounterHebb(const CounterHebbOptions& options, const LossOptions& loss)
      : CarriedError(loss, options.weights == TopDown::Shared
                               ? FeedbackPlan{}
                               : FeedbackPlan{.path = Path::Feedback,
                                              .kept = true,
                                              .learned = options.learn_feedback}),
        o_(options) {}

 protected:
  void draw(const SynapticMatrix& s, Rng rng) override {
    init_feedback(o_.init, o_.init_noise, s, rng);
  }
  bool skips(const Layer& layer) const override {
    return o_.norm == TopDownNorm::None && layer.kind() == "batch_norm";
  }
  Path path_of(const Layer& layer) const override {
    const bool shortcut = layer.wiring.reads > 1;
    return o_.shared_shortcuts && shortcut ? Path::Weights : CarriedError::path_of(layer);
  }
  void finish(Network& net, const Pass& pass) override {
    ParamStore& params = net.params();
    for (std::uint64_t i = 0; i < net.synapses().size(); ++i) {
      const SynapticMatrix& s = *net.synapses()[i];
      const bool both = s.has_feedback() && o_.learn_feedback;
      if (both) params.copy_gradient(s.weight_id(), s.feedback_id());
      if (o_.update_noise == 0) continue;
      disturb(params, s.weight_id(), pass.rng.fork("noise_up", i));
      if (both) disturb(params, s.feedback_id(), pass.rng.fork("noise_down", i));
    }
  }

 private:
  void disturb(ParamStore& params, int id, Rng rng) const {
    const auto factor = [&] { return static_cast<real>(1 + o_.update_noise * rng.normal()); };
    const Mat gradient = params.grad(id);
    const real all = factor();
    for (real& g : gradient.all())
      g *= o_.noise_per == NoisePer::Tensor ? all : factor();
  }

  CounterHebbOptions o_;
};

}  // namespace

std::unique_ptr<Rule> make_counter_hebb(const CounterHebbOptions& options,
                                        const RuleContext& context) {
  return std::make_unique<CounterHebb>(options, context.loss);
}

}  // namespace engram
