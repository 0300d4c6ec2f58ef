// Stochastic gradient descent as PyTorch defines it:
//   g <- gradient + decay w;  v <- momentum v + g;  w <- w - lr (g + momentum v)  with Nesterov,
//   w <- w - lr v without. The first v is g, which v = 0 before the first step gives.
#include "learners/optimizer.h"

namespace engram {
namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& o, std::size_t parameters)
      : momentum_(static_cast<real>(o.momentum)),
        decay_(static_cast<real>(o.weight_decay)),
        nesterov_(o.nesterov),
        velocity_(o.momentum > 0 ? parameters : 0, 0) {}

  void step(ParamStore& params, double lr) override {
    const real rate = static_cast<real>(lr), mu = momentum_, decay = decay_;
    // Nesterov looks ahead: g + mu v. Plain momentum: v alone.
    const real of_g = nesterov_ ? real{1} : real{0}, of_v = nesterov_ ? mu : real{1};
    const auto update = [=](real& w, real& v, real g) {
      v = mu * v + g;
      w -= rate * (of_g * g + of_v * v);
    };
    real* values = params.values().data();
    real* velocity = velocity_.data();
    const real* grads = params.grads().data();
    if (velocity_.empty()) {
      for_each_run(
          params,
          [=](std::size_t begin, std::size_t count) {
            for (std::size_t i = begin; i < begin + count; ++i)
              values[i] -= rate * (grads[i] + decay * values[i]);
          },
          [=](std::size_t begin, std::size_t count) {
            if (decay > 0)
              for (std::size_t i = begin; i < begin + count; ++i)
                values[i] -= rate * (decay * values[i]);
          });
      return;
    }
    for_each_run(
        params,
        [=](std::size_t begin, std::size_t count) {
#pragma omp simd
          for (std::size_t i = begin; i < begin + count; ++i)
            update(values[i], velocity[i], grads[i] + decay * values[i]);
        },
        [=](std::size_t begin, std::size_t count) {
#pragma omp simd
          for (std::size_t i = begin; i < begin + count; ++i)
            update(values[i], velocity[i], decay * values[i]);
        });
  }

  void reset() override {
    std::fill(velocity_.begin(), velocity_.end(), real{0});
  }
  std::vector<std::span<real>> state() override {
    return {velocity_};
  }

 private:
  real momentum_, decay_;
  bool nesterov_;
  std::vector<real> velocity_;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, std::size_t parameters) {
  return std::make_unique<Sgd>(options, parameters);
}

}  // namespace engram
