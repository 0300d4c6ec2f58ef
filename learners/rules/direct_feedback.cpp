// Direct feedback alignment (Nokland 2016): every layer below the top gets the error at the outputs
// of the network through a fixed random matrix of its own,
//   d_{l-1} = (e D_l) * f'(z_{l-1}).
// The last hidden layer too; the top layer's own update is exact.
#include "learners/carried_error.h"
#include "learners/rules/rules.h"

namespace engram {
namespace {

class DirectFeedback final : public CarriedError {
 public:
  DirectFeedback(const DirectFeedbackOptions& options, const LossOptions& loss)
      : CarriedError(loss,
                     {.path = Path::Direct, .kept = true, .convolutions = options.convolutions}) {}

 protected:
  /// By the law of the weights, with D's own fans: it maps the outputs of the network to the inputs
  /// of a layer, and is drawn as the weights of a layer from the latter to the former would be.
  void draw(const SynapticMatrix& s, Rng rng) override {
    s.draw_like_weights(rng.fork("law"), s.slice());
  }
};

}  // namespace

std::unique_ptr<Rule> make_direct_feedback(const DirectFeedbackOptions& options,
                                           const RuleContext& context) {
  return std::make_unique<DirectFeedback>(options, context.loss);
}

}  // namespace engram
