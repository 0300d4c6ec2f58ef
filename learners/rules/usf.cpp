// Uniform sign-concordant feedback (Moskovitz, Litwin-Kumar & Abbott 2018; Liao, Leibo & Poggio
// 2016): errors come down through the signs of the weights, scaled by the deviation of their
// initial law.
#include "learners/carried_error.h"
#include "learners/rules/rules.h"
#include "learners/signs.h"

namespace engram {
namespace {

class UniformSign final : public CarriedError {
 public:
  explicit UniformSign(const LossOptions& loss)
      : CarriedError(loss, {.path = Path::Feedback, .derived = true}) {}

 protected:
  void derive(const SynapticMatrix& s, const Rng&) override {
    const auto scale = static_cast<real>(s.initial_deviation());
    with_signs_of(s.weight(), s.derived(), [scale](std::size_t) { return scale; });
  }
};

}  // namespace

std::unique_ptr<Rule> make_usf(const NoOptions&, const RuleContext& context) {
  return std::make_unique<UniformSign>(context.loss);
}

}  // namespace engram
