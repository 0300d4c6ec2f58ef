// Oja's rules (Oja 1982, 1989): Hebb's with a decay that bounds the weights.
//   subspace: W += rate (xᵀ y - W yᵀ y), which spans the first principal components of x;
//   unit:     w_k += rate (y_k x - y_k² w_k), by which every unit finds the first one.
#include "learners/hebbian/correlation.h"
#include "learners/hebbian/local_rules.h"

namespace engram {
namespace {

class Oja final : public LocalRule {
 public:
  explicit Oja(const OjaOptions& options) : o_(options) {}
  Sees sees() const override { return o_.sees; }
  Decay decay() const override { return o_.form == OjaForm::Unit ? Decay::Units : Decay::Pairs; }
  double default_rate() const override { return 0.005; }
  void respond(const LayerActivity& a, int, LocalChange& change) override {
    copy_activity(a, change.post);
    if (o_.form != OjaForm::Unit) return;
    change.unit_decay.assign(static_cast<std::size_t>(a.units()), 0);
    for (int s = 0; s < a.y.rows; ++s)
      for (int u = a.learning.first; u < a.learning.last; ++u)
        change.unit_decay[static_cast<std::size_t>(u)] += a.y.row(s)[u] * a.y.row(s)[u];
  }

 private:
  OjaOptions o_;
};

}  // namespace

std::unique_ptr<LocalRule> make_oja(const OjaOptions& options) {
  return std::make_unique<Oja>(options);
}

}  // namespace engram
