// Kolen-Pollack learning (Kolen & Pollack 1994; Akrout et al. 2019): feedback matrices receive the
// same updates as the weights, and both decay, so that their difference shrinks by 1 - lr * decay
// in every step and feedback becomes the transposed weights.
#include <fmt/format.h>

#include "learners/carried_error.h"
#include "learners/rules/rules.h"
#include "utils/error.h"

namespace engram {
namespace {

class KolenPollack final : public CarriedError {
 public:
  KolenPollack(const KolenPollackOptions& options, const RuleContext& context)
      : CarriedError(context.loss, {.path = Path::Feedback, .kept = true, .learned = true}),
        init_(options.init) {
    if (context.weight_decay <= 0)
      throw Error(Fault::Config,
                  "kolen_pollack: without weight_decay feedback never comes closer to the weights; "
                  "set weight_decay (1e-4, say), or use rule = counter_hebb if you mean that");
  }

 protected:
  void draw(const SynapticMatrix& s, Rng rng) override { init_feedback(init_, 0, s, rng); }
  void finish(Network& net, const Pass&) override {
    for (const SynapticMatrix* s : net.synapses())
      if (s->has_feedback()) net.params().copy_gradient(s->weight_id(), s->feedback_id());
  }

 private:
  FeedbackInit init_;
};

}  // namespace

std::unique_ptr<Rule> make_kolen_pollack(const KolenPollackOptions& options,
                                         const RuleContext& context) {
  return std::make_unique<KolenPollack>(options, context);
}

}  // namespace engram
