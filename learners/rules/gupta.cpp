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

  void edit(Mat change, std::span<const std::uint8_t> mask, Mat memory, real& count,
            double rate) override {
    const auto exists = [&](std::size_t i) { return mask.empty() || mask[i] != 0; };
    // Everything is multiplied by the rate later on; the reference's mean is not.
    const real scale = o_.unscaled_mean ? static_cast<real>(1 / rate) : real{1};
    sizes_.clear();
    for (std::size_t i = 0; i < change.size(); ++i) {
      real& c = change.data[i];
      if (!exists(i)) {
        c = 0;
        continue;
      }
      const real product = c;
      if (count > 0) c -= scale * memory.data[i] / count;
      memory.data[i] += product;
      sizes_.push_back(size_of(c));
    }
    ++count;
    if (sizes_.empty()) return;
    const double last = static_cast<double>(sizes_.size() - 1);
    const auto rank = static_cast<std::ptrdiff_t>(std::nearbyint(0.01 * o_.percentile * last));
    std::nth_element(sizes_.begin(), sizes_.begin() + rank, sizes_.end());
    const real least = sizes_[static_cast<std::size_t>(rank)];
    for (real& c : change.all())
      if (size_of(c) < least) c = 0;
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
