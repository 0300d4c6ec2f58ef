// L2 anchor: after each task the weights are remembered, and later ones pulled back to them,
//   loss += lambda / 2 * sum (w - w*)^2.
// The simplest regularisation baseline (L2 in Hsu et al. 2018): every weight matters alike.
#include <algorithm>

#include "learners/strategies/strategies.h"
#include "utils/tensor.h"

namespace engram {
namespace {

class L2 final : public Strategy {
 public:
  L2(const L2Options& options, const StrategyContext& context)
      : lambda_(static_cast<real>(options.lambda)),
        anchor_(context.net.params().values().size(), 0) {}

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return true; }

  void shape_gradient(Training& t) override {
    if (active_[0] == 0) return;  // nothing learnt yet
    ParamStore& params = t.net.params();
    auto gradient = expr(params.grads());
    xt::noalias(gradient) += lambda_ * (expr(params.values()) - expr(std::span<real>(anchor_)));
  }
  void end_experience(Training& t) override {
    const auto values = t.net.params().values();
    std::copy(values.begin(), values.end(), anchor_.begin());
    active_[0] = 1;
  }
  void renew(Training& t, std::span<const std::size_t> places) override {
    const auto values = t.net.params().values();
    for (const std::size_t i : places)
      anchor_[i] = values[i];
  }
  std::vector<std::span<real>> state() override { return {anchor_, active_}; }

 private:
  real lambda_;
  std::vector<real> anchor_;
  std::vector<real> active_ = {0};
};

}  // namespace

std::unique_ptr<Strategy> make_l2(const L2Options& options, const StrategyContext& context) {
  return std::make_unique<L2>(options, context);
}

}  // namespace engram
