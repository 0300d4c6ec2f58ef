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
    BatchStats stats = cross_entropy(tape_.back().out, batch, above_);
    stats.macs += forward;
    if (hook) hook(above_.value());
    for (int l = net.depth() - 1; l >= 0; --l) {
      const Signal& in = input_of(l, batch.x, tape_);
      const Record& out = tape_[static_cast<std::size_t>(l)];
      stats.macs += net.layer(l).accumulate(in, out, above_, pass);
      if (l == 0) break;
      stats.macs += net.layer(l).backward_input(in, out, above_, below_, pass);
      std::swap(above_, below_);
    }
    return stats;
  }

 private:
  Tape tape_;
  Signal above_, below_;  ///< errors at the output and the input of the current layer
};

}  // namespace

std::unique_ptr<Rule> make_backprop() {
  return std::make_unique<Backprop>();
}

}  // namespace engram
