// Random features: layers stay as they were drawn, and the head learns from what they make of the
// input. The control that every rule for features has to beat.
#include "learners/hebbian/local_rules.h"

namespace engram {
namespace {

class Frozen final : public LocalRule {
 public:
  Sees sees() const override { return Sees::Activity; }
  Decay decay() const override { return Decay::None; }
  double default_rate() const override { return 0; }
  bool learns() const override { return false; }
  void respond(const LayerActivity&, int, LocalChange&) override {}
};

}  // namespace

std::unique_ptr<LocalRule> make_frozen(const NoOptions&) {
  return std::make_unique<Frozen>();
}

}  // namespace engram
