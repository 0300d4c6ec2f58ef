// Back-propagation of the loss (Rumelhart, Hinton & Williams 1986): errors come down through the
// transposed weights, and every layer accumulates error times input.
#include "learners/carried_error.h"
#include "learners/rules/rules.h"

namespace engram {

std::unique_ptr<Rule> make_backprop(const NoOptions&, const RuleContext& context) {
  return std::make_unique<CarriedError>(context.loss);
}

}  // namespace engram
