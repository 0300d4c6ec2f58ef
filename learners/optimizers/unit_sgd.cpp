// Normalised gradient descent: every slice of the parameters moves by lr along its gradient,
// however long that is (Hazan, Levy & Shalev-Shwartz 2015): D <- D / (|D| + 1e-8), w <- w - lr D.
// With a linear layer under a softmax it is the "Hebbian" rule of D2BL, the delta rule at unit
// length, whose own rate cancels.
#include "learners/optimizer.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr double kFloor = 1e-8;

class UnitSgd final : public Optimizer {
 public:
  explicit UnitSgd(ParamStore& params) : params_(params) {}

  void move(double lr) override {
    real* const values = params_.raw_values().data();
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      if (!p.trainable || p.form == GradientForm::Zero) continue;
      const auto rate = static_cast<real>(lr * p.rate / (params_.gradient_norm(id) + kFloor));
      for_each_run(params_, id, [=](std::size_t begin, std::size_t count, const real* g) {
        if (!g) return;
        real* const w = values + begin;
#pragma omp simd
        for (std::size_t i = 0; i < count; ++i)
          w[i] -= rate * g[i];
      });
    }
  }
  void reset() override {}
  void forget(std::span<const std::size_t>) override {}
  std::vector<std::span<real>> state() override {
    return {};
  }

 private:
  ParamStore& params_;
};

}  // namespace

std::unique_ptr<Optimizer> make_unit_sgd(const OptimizerOptions& options, ParamStore& params) {
  if (options.momentum > 0 || options.weight_decay > 0)
    throw Error(Fault::Config,
                "optimizer = unit_sgd has neither momentum nor weight_decay: leave both at 0, or "
                "use sgd");
  return std::make_unique<UnitSgd>(params);
}

}  // namespace engram
