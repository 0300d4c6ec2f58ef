// Adagrad (Duchi, Hazan & Singer 2011) with the L2 penalty added to the gradient, as PyTorch's:
//   s <- s + g^2;  w <- w - lr g / (sqrt(s) + eps).
// Decoupled: g is the gradient alone, and w shrinks by 1 - lr decay before that step. Weights
// without a gradient stand still, unless they decay: so rows that nothing touched are left out.
#include <cmath>

#include "learners/optimizer.h"

namespace engram {
namespace {

class Adagrad final : public Optimizer {
 public:
  Adagrad(const OptimizerOptions& o, ParamStore& params)
      : params_(params),
        o_(o),
        weights_(params.raw_values().data()),
        squares_(params.raw_values().size()) {}

  void move(double lr) override {
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      const double all_decay = o_.weight_decay * p.decay;
      if (!p.trainable || (p.form == GradientForm::Zero && all_decay == 0)) continue;
      const auto rate = static_cast<real>(lr * p.rate), epsilon = static_cast<real>(o_.epsilon);
      const auto decay = static_cast<real>(o_.decoupled_decay ? 0 : all_decay);
      const auto kept = static_cast<real>(o_.decoupled_decay ? 1 - lr * p.rate * all_decay : 1);
      const auto update = [=](real& w, real& s, real g) {
        s += g * g;
        w = kept * w - rate * g / (std::sqrt(s) + epsilon);
      };
      if (all_decay == 0 && p.form == GradientForm::Block && !p.block.all_rows)
        params_.note_changes(id, p.block.rows);
      else
        params_.note_changes(id);
      for_each_run(params_, id, [&](std::size_t begin, std::size_t count, const real* g) {
        real* const w = weights_ + begin;
        real* const s = squares_.data() + begin;
        if (g) {
#pragma omp simd
          for (std::size_t i = 0; i < count; ++i)
            update(w[i], s[i], g[i] + decay * w[i]);
        } else if (all_decay != 0) {
#pragma omp simd
          for (std::size_t i = 0; i < count; ++i)
            update(w[i], s[i], decay * w[i]);
        }
      });
    }
  }
  void reset() override {
    std::fill(squares_.begin(), squares_.end(), real{0});
  }
  void forget(std::span<const std::size_t> places) override {
    for (const std::size_t i : places)
      squares_[i] = 0;
  }
  std::vector<std::span<real>> state() override {
    return {squares_};
  }

 private:
  ParamStore& params_;
  OptimizerOptions o_;
  real* weights_;  ///< of params_, which is told of what they are changed
  Buffer<real> squares_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adagrad(const OptimizerOptions& options, ParamStore& params) {
  return std::make_unique<Adagrad>(options, params);
}

}  // namespace engram
