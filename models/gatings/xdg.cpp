// Context-dependent gating (Masse, Grant & Freedman 2018, arXiv 1802.01569): every task may use its
// own random share of the units of every hidden layer, the same number in each.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/gating.h"
#include "models/init.h"
#include "models/network.h"

namespace engram {
namespace {

class Xdg final : public Gating {
 public:
  using Gating::Gating;

  std::string describe() const override {
    return fmt::format("gated by task: {} % of the units of every hidden layer, at random",
                       100 * share());
  }
  void bind(const Network& net, const FeedbackPlan&, ParamStore& store) override {
    find_layers(net);
    masks_.bind(net, layers_, tasks_, store);
  }
  void init(const Network&, Rng rng) override {
    for (std::size_t level = 0; level < layers_.size(); ++level) {
      const int units = layers_[level].units;
      const int kept = std::max(1, static_cast<int>(std::nearbyint(share() * units)));
      const auto drawn = random_mask(tasks_, units, kept, rng.fork("level", level));
      masks_.write(level, std::vector<real>(drawn.begin(), drawn.end()));
    }
  }
  GateMask mask(std::size_t level) const override { return masks_.read(level); }

 private:
  double share() const { return o_.keep_fraction.value_or(0.2); }
  StoredMasks masks_;
};

}  // namespace

std::unique_ptr<Gating> make_xdg(const GatingOptions& options, int tasks) {
  return std::make_unique<Xdg>(options, tasks);
}

}  // namespace engram
