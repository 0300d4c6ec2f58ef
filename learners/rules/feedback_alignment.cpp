// Feedback alignment (Lillicrap, Cownden, Tweed & Akerman 2016): errors come down through fixed
// random matrices B in the place of the transposed weights,
//   d_{l-1} = (d_l B_l) * f'(z_{l-1}).
#include "learners/carried_error.h"
#include "learners/rules/rules.h"

namespace engram {
namespace {

class FeedbackAlignment final : public CarriedError {
 public:
  FeedbackAlignment(const FeedbackAlignmentOptions& options, const LossOptions& loss)
      : CarriedError(loss, {.path = Path::Feedback, .kept = true}), init_(options.init) {}

 protected:
  void draw(const SynapticMatrix& s, Rng rng) override { init_feedback(init_, 0, s, rng); }

 private:
  FeedbackInit init_;
};

}  // namespace

std::unique_ptr<Rule> make_feedback_alignment(const FeedbackAlignmentOptions& options,
                                              const RuleContext& context) {
  return std::make_unique<FeedbackAlignment>(options, context.loss);
}

}  // namespace engram
