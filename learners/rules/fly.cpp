// The fly's associative learning (Shen, Dasgupta & Navlakha 2023): only synapses between the most
// active features and the right output change, and they only grow. With h' the largest share of the
// features h, others 0, divided by the largest of them,
//   S_y += rate h',   output = tanh(S) h.
#include <algorithm>
#include <cmath>

#include "learners/rules/rules.h"
#include "learners/top_layer.h"

namespace engram {
namespace {

class Fly final : public TopLayerRule {
 public:
  explicit Fly(const FlyOptions& options) : o_(options) {}

 protected:
  std::string_view name() const override { return "fly"; }
  void take(const real* h, int label, Mat memory) override {
    const auto count = static_cast<std::size_t>(memory.cols);
    const auto kept = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::lround(o_.share * static_cast<double>(count))));
    order_.assign(h, h + count);
    std::ranges::nth_element(order_, order_.begin() + static_cast<std::ptrdiff_t>(kept - 1),
                             std::greater<>());
    const real least = order_[kept - 1], most = *std::max_element(h, h + count);
    if (!(most > 0)) return;
    const auto step = static_cast<real>(o_.rate) / most;
    for (std::size_t i = 0; i < count; ++i)
      if (h[i] >= least && h[i] > 0) memory.row(label)[i] += step * h[i];
  }
  void weights_of(const real* memory, std::vector<real>& weights) const override {
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = std::tanh(memory[i]);
  }

 private:
  FlyOptions o_;
  std::vector<real> order_;
};

}  // namespace

std::unique_ptr<Rule> make_fly(const FlyOptions& options, const RuleContext&) {
  return std::make_unique<Fly>(options);
}

}  // namespace engram
