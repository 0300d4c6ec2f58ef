// Regenerative regularisation, L2 Init (Kumar, Marklund & Van Roy 2023, arXiv 2308.11958): weights
// are pulled towards those that training began with instead of towards 0,
//   loss + lambda sum_i (w_i - w0_i)^2,
// so that weights that the loss does not need stay as able to learn as at the start.
#include <algorithm>

#include "learners/strategies/plasticity.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class L2Init final : public Strategy {
 public:
  L2Init(const L2InitOptions& options, const StrategyContext& context)
      : strength_(static_cast<real>(2 * options.lambda)),
        initial_(context.net.params().values().size()) {}

  Provides needs() const override { return Provides::Gradient; }

  void begin_experience(Training& t) override {
    if (begun_[0] != 0) return;
    std::ranges::copy(t.net.params().values(), initial_.begin());
    begun_[0] = 1;
  }
  void shape_gradient(Training& t) override {
    const auto grads = t.net.params().grads();
    const auto values = t.net.params().values();
    for_blocks(initial_.size(), [&](std::size_t begin, std::size_t end) {
      real* const g = grads.data();
      const real *const w = values.data(), *const initial = initial_.data();
#pragma omp simd
      for (std::size_t i = begin; i < end; ++i)
        g[i] += strength_ * (w[i] - initial[i]);
    });
  }
  /// What begins anew is pulled to where that was.
  void renew(Training& t, std::span<const std::size_t> places) override {
    const auto values = t.net.params().values();
    for (const std::size_t i : places)
      initial_[i] = values[i];
  }
  std::vector<std::span<real>> state() override {
    return {initial_, begun_};
  }

 private:
  real strength_;
  std::vector<real> initial_;
  std::vector<real> begun_ = {0};
};

}  // namespace

std::unique_ptr<Strategy> make_l2_init(const L2InitOptions& options,
                                       const StrategyContext& context) {
  return std::make_unique<L2Init>(options, context);
}

}  // namespace engram
