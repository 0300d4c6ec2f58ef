// Adam (Kingma & Ba 2015) with the L2 penalty added to the gradient, as PyTorch's Adam:
//   m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
//   w <- w - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
// Exact for untouched rows too: their moments decay and their weights still move.
#include <cmath>

#include "learners/optimizer.h"

namespace engram {
namespace {

class Adam final : public Optimizer {
 public:
  Adam(const OptimizerOptions& o, std::size_t parameters)
      : o_(o), first_(parameters, 0), second_(parameters, 0) {}

  void step(ParamStore& params, double lr) override {
    ++steps_;
    const double t = static_cast<double>(steps_);
    const real rate = static_cast<real>(lr / (1 - std::pow(o_.beta1, t)));
    const real root = static_cast<real>(1 / std::sqrt(1 - std::pow(o_.beta2, t)));
    const real b1 = static_cast<real>(o_.beta1), b2 = static_cast<real>(o_.beta2);
    const real epsilon = static_cast<real>(o_.epsilon), decay = static_cast<real>(o_.weight_decay);
    real* values = params.values().data();
    real* first = first_.data();
    real* second = second_.data();
    const real* grads = params.grads().data();
    const auto update = [=](std::size_t i, real g) {
      first[i] = b1 * first[i] + (1 - b1) * g;
      second[i] = b2 * second[i] + (1 - b2) * g * g;
      values[i] -= rate * first[i] / (std::sqrt(second[i]) * root + epsilon);
    };
    for_each_run(
        params,
        [=](std::size_t begin, std::size_t count) {
#pragma omp simd
          for (std::size_t i = begin; i < begin + count; ++i)
            update(i, grads[i] + decay * values[i]);
        },
        [=](std::size_t begin, std::size_t count) {
#pragma omp simd
          for (std::size_t i = begin; i < begin + count; ++i)
            update(i, decay * values[i]);
        });
  }

  void reset() override {
    std::fill(first_.begin(), first_.end(), real{0});
    std::fill(second_.begin(), second_.end(), real{0});
    steps_ = 0;
  }
  std::vector<std::span<real>> state() override {
    return {first_, second_};
  }
  std::int64_t steps() const override {
    return steps_;
  }
  void set_steps(std::int64_t steps) override {
    steps_ = steps;
  }

 private:
  OptimizerOptions o_;
  std::vector<real> first_, second_;
  std::int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, std::size_t parameters) {
  return std::make_unique<Adam>(options, parameters);
}

}  // namespace engram
