// Batchwise-random-magnitude sign-concordant feedback (Liao, Leibo & Poggio 2016): |M| * sign(W),
// with magnitudes drawn anew for every batch by the law of the weights.
#include "learners/carried_error.h"
#include "learners/rules/rules.h"
#include "learners/signs.h"

namespace engram {
namespace {

class BatchRandomSign final : public CarriedError {
 public:
  explicit BatchRandomSign(const LossOptions& loss)
      : CarriedError(loss, {.path = Path::Feedback, .derived = true}) {}

 protected:
  void derive(const SynapticMatrix& s, const Rng& rng) override {
    random_magnitudes(s.law(), s.initial_deviation(), rng, s.derived());
    const real* const magnitude = s.derived().data;
    with_signs_of(s.weight(), s.derived(), [magnitude](std::size_t i) { return magnitude[i]; });
  }
};

}  // namespace

std::unique_ptr<Rule> make_brsf(const NoOptions&, const RuleContext& context) {
  return std::make_unique<BatchRandomSign>(context.loss);
}

}  // namespace engram
