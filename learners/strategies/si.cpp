// Synaptic Intelligence (Zenke, Poole & Ganguli 2017, arXiv 1703.04200). While a task is learnt,
// every weight sums what its steps took off the loss; at the end
//   w_i -= g_i (step of theta_i)          g: the gradient without this penalty, the step as it was,
//   Omega_i += w_i / ((theta_i - theta*_i)^2 + xi),   then w <- 0, theta* <- theta,
// and later tasks learn under the loss + c sum_i Omega_i (theta_i - theta*_i)^2.
// Pitfalls that codes fall into, and this one does not: the gradient taken with the penalty, the
// step taken as -lr g (wrong under momentum and Adam), Omega cut off at some bound. The gradient is
// as it comes from the rule and the strategies before this one in the cfg.
#include <algorithm>
#include <limits>

#include "learners/strategies/importance.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class Si final : public Strategy {
 public:
  Si(const SiOptions& options, const StrategyContext& context)
      : o_(options),
        size_(context.net.params().values().size()),
        omega_(size_),
        anchor_(size_),
        path_(size_),
        gradient_(size_),
        before_(size_) {}

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return true; }

  void begin_experience(Training& t) override {
    if (begun_[0] != 0) return;
    std::ranges::copy(t.net.params().values(), anchor_.begin());
    begun_[0] = 1;
  }

  void shape_gradient(Training& t) override {
    const auto grads = t.net.params().grads();
    const auto values = t.net.params().values();
    const auto strength = static_cast<real>(2 * o_.c);
    for_blocks(size_, [&](std::size_t begin, std::size_t end) {
      real* const g = grads.data();
      const real* const theta = values.data();
      const real *const omega = omega_.data(), *const anchor = anchor_.data();
      real *const own = gradient_.data(), *const before = before_.data();
#pragma omp simd
      for (std::size_t i = begin; i < end; ++i) {
        own[i] = g[i], before[i] = theta[i];
        g[i] += strength * omega[i] * (theta[i] - anchor[i]);
      }
    });
  }
  void after_step(Training& t, const Batch&) override {
    const auto values = t.net.params().values();
    for_blocks(size_, [&](std::size_t begin, std::size_t end) {
      const real *const theta = values.data(), *const own = gradient_.data();
      const real* const before = before_.data();
      real* const path = path_.data();
#pragma omp simd
      for (std::size_t i = begin; i < end; ++i)
        path[i] -= own[i] * (theta[i] - before[i]);
    });
  }
  void end_experience(Training& t) override {
    const auto values = t.net.params().values();
    const auto xi = static_cast<real>(o_.xi);
    const real lowest = o_.clip_negative ? real{0} : std::numeric_limits<real>::lowest();
    for (std::size_t i = 0; i < size_; ++i) {
      const real moved = values[i] - anchor_[i];
      omega_[i] += std::max(lowest, path_[i] / (moved * moved + xi));
      path_[i] = 0, anchor_[i] = values[i];
    }
  }
  void renew(Training& t, std::span<const std::size_t> places) override {
    const auto values = t.net.params().values();
    for (const std::size_t i : places)
      omega_[i] = path_[i] = 0, anchor_[i] = values[i];
  }
  std::span<const real> importance() override {
    return omega_;
  }
  std::vector<std::span<real>> state() override {
    return {omega_, anchor_, path_, begun_};
  }

 private:
  SiOptions o_;
  std::size_t size_;
  std::vector<real> omega_, anchor_, path_;
  std::vector<real> gradient_, before_;  ///< of the step at hand
  std::vector<real> begun_ = {0};
};

}  // namespace

std::unique_ptr<Strategy> make_si(const SiOptions& options, const StrategyContext& context) {
  return std::make_unique<Si>(options, context);
}

}  // namespace engram
