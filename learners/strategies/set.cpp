// Sparse evolutionary training (Mocanu et al. 2018, arXiv 1707.04780): after every epoch the
// smallest weights of a layer are taken away and as many begin anywhere, with values drawn by the
// law of the layer. The paper takes the share from the positive and from the negative weights each;
// this one from all by magnitude, which differs when their numbers do.
#include "learners/rewiring.h"
#include "learners/strategies/rewiring_strategies.h"

namespace engram {
namespace {

class Set final : public Rewiring {
 public:
  Set(const SetOptions& options, const StrategyContext& context) : Rewiring(context), o_(options) {}

 private:
  double share(const Training& t) const override {
    const bool due =
        o_.every == 0 ? t.epoch_step + 1 == t.epoch_steps : (t.task_step() + 1) % o_.every == 0;
    return due ? o_.share : 0;
  }
  void grow(Training&, const Batch&, Site& site, std::span<const Edge>, std::size_t count,
            std::vector<Edge>& to) override {
    grow_at_random(site, count, to);
  }
  real first_value(Site& site) override { return site.synapses.draw(site.rng); }

  SetOptions o_;
};

}  // namespace

std::unique_ptr<Strategy> make_set(const SetOptions& options, const StrategyContext& context) {
  return std::make_unique<Set>(options, context);
}

}  // namespace engram
