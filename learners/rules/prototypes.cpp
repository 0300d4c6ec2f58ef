// Training examples as weights: each unit takes one of the first examples that it meets and keeps
// it. No learning at all, and the control that prototypes which were learnt have to beat.
#include <algorithm>

#include "learners/hebbian/local_rules.h"

namespace engram {
namespace {

class Prototypes final : public LocalRule {
 public:
  Sees sees() const override { return Sees::Drive; }
  Decay decay() const override { return Decay::Units; }
  Divide divide() const override { return Divide::Nothing; }
  double default_rate() const override { return 1; }
  void begin(int layers) override { taken_.assign(static_cast<std::size_t>(layers), 0); }
  std::vector<std::span<real>> state() override { return {taken_}; }

  /// With P = 1 and M = 1 for a unit and its example, and a rate of 1, its weights become x.
  void respond(const LayerActivity& a, int layer, LocalChange& change) override {
    real& taken = taken_[static_cast<std::size_t>(layer)];
    const Mat post = change.post.resize_sparse(a.rows(), a.places * a.units());
    change.post.active.begin();
    change.unit_decay.assign(static_cast<std::size_t>(a.units()), 0);
    int next = std::max(a.learning.first, static_cast<int>(taken));
    for (int b = 0; b < a.rows(); ++b) {
      // Of a convolution's places, another one in every image.
      const int place = next % a.places;
      if (next < a.learning.last) {
        const int at = place * a.units() + next;
        post.row(b)[at] = 1, change.post.active.push(at);
        change.unit_decay[static_cast<std::size_t>(next++)] = 1;
      }
      change.post.active.end_row();
    }
    taken = static_cast<real>(next);
  }

 private:
  std::vector<real> taken_;  ///< units that have their example, of each layer
};

}  // namespace

std::unique_ptr<LocalRule> make_prototypes(const NoOptions&) {
  return std::make_unique<Prototypes>();
}

}  // namespace engram
