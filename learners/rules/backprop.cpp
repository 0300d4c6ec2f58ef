// Back-propagation of cross-entropy (Rumelhart, Hinton & Williams 1986): errors come down through
// the transposed weights, and every layer accumulates error times input.
#include "learners/loss.h"
#include "learners/rules/rules.h"

namespace engram {
namespace {

class Backprop final : public Rule {
 public:
  Provides provides() const override { return Provides::Gradient | Provides::OutputError; }
  const Tape& tape() const override { return tape_; }

  BatchStats learn(Network& net, const Batch& batch, const Pass& pass,
                   const ErrorHook& hook) override {
    const Macs forward = net.forward(batch.x, tape_, pass);
    errors_.resize(static_cast<std::size_t>(net.depth()));
    BatchStats stats = cross_entropy(tape_.back().out, batch, error_);
    stats.macs += forward;
    if (hook) hook(error_.value());
    const Signal* above = &error_;
    for (int l = net.depth() - 1; l >= 0; --l) {
      const Signal& in = input_of(l, batch.x, tape_);
      const Record& out = tape_[static_cast<std::size_t>(l)];
      stats.macs += net.layer(l).accumulate(in, out, *above, pass);
      if (l == 0) break;
      Signal& below = errors_[static_cast<std::size_t>(l)];
      stats.macs += net.layer(l).backward_input(in, out, *above, below, pass);
      above = &below;
    }
    return stats;
  }

 private:
  Tape tape_;
  Signal error_;                ///< at the outputs of the network
  std::vector<Signal> errors_;  ///< at the inputs of each layer: sparse ones keep their zeros
};

}  // namespace

std::unique_ptr<Rule> make_backprop() {
  return std::make_unique<Backprop>();
}

}  // namespace engram
