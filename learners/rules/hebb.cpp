// Hebb's rule: W += rate xᵀ y, which nothing bounds but the norm that units are kept at.
#include "learners/hebbian/correlation.h"
#include "learners/hebbian/local_rules.h"

namespace engram {
namespace {

class Hebb final : public LocalRule {
 public:
  Sees sees() const override { return Sees::Activity; }
  Decay decay() const override { return Decay::None; }
  double default_rate() const override { return 0.01; }
  double default_norm() const override { return 1; }
  void respond(const LayerActivity& a, int, LocalChange& change) override {
    copy_activity(a, change.post);
  }
};

}  // namespace

std::unique_ptr<LocalRule> make_hebb(const NoOptions&) {
  return std::make_unique<Hebb>();
}

}  // namespace engram
