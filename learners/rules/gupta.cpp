// HebbNet's rule (Gupta, Ambikapathi & Ramasamy 2021): a product counts by what it exceeds the mean
// of past products by, and only the largest changes are made. With D_n = xᵀ y of batch n,
//   C = D_n - (D_1 + ... + D_{n-1}) / (n - 1),   W += rate C where |C| reaches its percentile.
#include <algorithm>
#include <cmath>
#include <vector>

#include "learners/hebbian/correlation.h"
#include "learners/hebbian/local_rules.h"

namespace engram {
namespace {

class Gupta final : public LocalRule {
 public:
  explicit Gupta(const GuptaOptions& options) : o_(options) {}
  Sees sees() const override { return Sees::Activity; }
  Decay decay() const override { return Decay::None; }
  double default_rate() const override { return 0.001; }
  double default_norm() const override { return 1; }
  bool remembers() const override { return true; }
  void respond(const LayerActivity& a, int, LocalChange& change) override {
    copy_activity(a, change.post);
    change.post.active.forget();  // past products change units that are silent now
  }

  void edit(Mat change, const LearningSynapses& learning, Mat memory, real& count,
            double rate) override {
    // Everything is multiplied by the rate later on; the reference's mean is not.
    const real scale = o_.unscaled_mean ? static_cast<real>(1 / rate) : real{1};
    sizes_.clear();
    learning.for_each([&](std::size_t i) {
      real& c = change.data[i];
      const real product = c;
      if (count > 0) c -= scale * memory.data[i] / count;
      memory.data[i] += product;
      sizes_.push_back(size_of(c));
    });
    ++count;
    if (sizes_.empty()) return;
    const double last = static_cast<double>(sizes_.size() - 1);
    const auto rank = static_cast<std::ptrdiff_t>(std::nearbyint(0.01 * o_.percentile * last));
    std::nth_element(sizes_.begin(), sizes_.begin() + rank, sizes_.end());
    const real least = sizes_[static_cast<std::size_t>(rank)];
    learning.for_each([&](std::size_t i) {
      if (size_of(change.data[i]) < least) change.data[i] = 0;
    });
  }

 private:
  real size_of(real change) const { return o_.signed_percentile ? change : std::abs(change); }

  GuptaOptions o_;
  std::vector<real> sizes_;
};

}  // namespace

std::unique_ptr<LocalRule> make_gupta(const GuptaOptions& options) {
  return std::make_unique<Gupta>(options);
}

}  // namespace engram
