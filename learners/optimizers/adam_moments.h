// What Adam and its lazy variant share: the moments, and the update of a run of weights.
#pragma once

#include <cmath>

#include "learners/optimizer.h"

namespace engram {

class AdamMoments : public Optimizer {
 public:
  AdamMoments(const OptimizerOptions& o, ParamStore& params)
      : params_(params),
        o_(o),
        weights_(params.raw_values().data()),
        first_(params.raw_values().size()),
        second_(params.raw_values().size()) {}

  void reset() override {
    std::fill(first_.begin(), first_.end(), real{0});
    std::fill(second_.begin(), second_.end(), real{0});
    steps_ = 0;
  }
  void forget(std::span<const std::size_t> places) override {
    for (const std::size_t i : places)
      first_[i] = second_[i] = 0;
  }
  std::vector<std::span<real>> state() override { return {first_, second_}; }
  std::int64_t steps() const override { return steps_; }
  void set_steps(std::int64_t steps) override { steps_ = steps; }

 protected:
  /// The numbers of one step, and the step itself over `count` weights from `begin`; `g` null:
  /// zero.
  struct AdamStep {
    real rate, root, b1, b2, epsilon, decay, kept;
    void operator()(AdamMoments& a, std::size_t begin, std::size_t count, const real* g) const {
      real* w = a.weights_ + begin;
      real* m = a.first_.data() + begin;
      real* v = a.second_.data() + begin;
      const auto [rate_, root_, b1_, b2_, epsilon_, decay_, kept_] = *this;
      const auto update = [=](real& w_i, real& m_i, real& v_i, real g_i) {
        m_i = b1_ * m_i + (1 - b1_) * g_i;
        v_i = b2_ * v_i + (1 - b2_) * g_i * g_i;
        w_i = kept_ * w_i - rate_ * m_i / (std::sqrt(v_i) * root_ + epsilon_);
      };
      if (g) {
#pragma omp simd
        for (std::size_t i = 0; i < count; ++i)
          update(w[i], m[i], v[i], g[i] + decay_ * w[i]);
      } else {
#pragma omp simd
        for (std::size_t i = 0; i < count; ++i)
          update(w[i], m[i], v[i], decay_ * w[i]);
      }
    }
  };
  void count_step() {
    ++steps_;
  }
  /// Of a slice in the step that was counted last.
  AdamStep step_of(const Param& p, double lr) const {
    const double t = static_cast<double>(steps_);
    const double root = std::sqrt(1 - std::pow(o_.beta2, t));  // corrects the second moment's
    const bool keras = o_.epsilon_at == EpsilonAt::Moment;
    const double decay = o_.weight_decay * p.decay;
    return {static_cast<real>(p.rate * lr / (1 - std::pow(o_.beta1, t)) * (keras ? root : 1)),
            static_cast<real>(keras ? 1 : 1 / root),
            static_cast<real>(o_.beta1),
            static_cast<real>(o_.beta2),
            static_cast<real>(o_.epsilon),
            static_cast<real>(o_.decoupled_decay ? 0 : decay),
            static_cast<real>(o_.decoupled_decay ? 1 - lr * p.rate * decay : 1)};
  }

  ParamStore& params_;
  OptimizerOptions o_;
  real* weights_;  ///< of params_, which is told of what they are changed
  Buffer<real> first_, second_;
  std::int64_t steps_ = 0;
};

}  // namespace engram
