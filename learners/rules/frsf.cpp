// Fixed-random-magnitude sign-concordant feedback (Liao, Leibo & Poggio 2016): |M| * sign(W), with
// magnitudes drawn once by the law of the weights.
#include <cmath>

#include "learners/carried_error.h"
#include "learners/rules/rules.h"
#include "learners/signs.h"

namespace engram {
namespace {

class FixedRandomSign final : public CarriedError {
 public:
  explicit FixedRandomSign(const LossOptions& loss)
      : CarriedError(loss, {.path = Path::Feedback, .kept = true, .derived = true}) {}

 protected:
  void draw(const SynapticMatrix& s, Rng rng) override {
    s.draw_like_weights(rng.fork("law"), s.slice());
    for (real& m : s.slice().all())
      m = std::abs(m);
  }
  void derive(const SynapticMatrix& s, const Rng&) override {
    const real* const magnitude = s.slice().data;
    with_signs_of(s.weight(), s.derived(), [magnitude](std::size_t i) { return magnitude[i]; });
  }
};

}  // namespace

std::unique_ptr<Rule> make_frsf(const NoOptions&, const RuleContext& context) {
  return std::make_unique<FixedRandomSign>(context.loss);
}

}  // namespace engram
