// The generalised Hebbian algorithm (Sanger 1989): w_k += rate y_k (x - sum_{j <= k} y_j w_j).
// Unit k finds the k-th principal component. With an activation in y: nonlinear Hebbian PCA.
#include "learners/hebbian/correlation.h"
#include "learners/hebbian/local_rules.h"

namespace engram {
namespace {

class Sanger final : public LocalRule {
 public:
  explicit Sanger(const SangerOptions& options) : o_(options) {}
  Sees sees() const override { return o_.sees; }
  Decay decay() const override { return Decay::Lower; }
  double default_rate() const override { return 0.005; }
  void respond(const LayerActivity& a, int, LocalChange& change) override {
    copy_activity(a, change.post);
  }

 private:
  SangerOptions o_;
};

}  // namespace

std::unique_ptr<LocalRule> make_sanger(const SangerOptions& options) {
  return std::make_unique<Sanger>(options);
}

}  // namespace engram
