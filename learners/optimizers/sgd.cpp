// Stochastic gradient descent as PyTorch defines it:
//   g <- gradient + decay w;  v <- momentum v + g;  w <- w - lr (g + momentum v)  with Nesterov,
//   w <- w - lr v without. The first v is g, which v = 0 before the first step gives.
// Decoupled (Loshchilov & Hutter 2019): g <- gradient; w <- (1 - lr decay) w - lr (...).
// Rows of lazy slices are stepped when they are next read (owed_rows.h); outputs that have not won
// for long rest (resting_columns.h).
#include "learners/optimizer.h"
#include "learners/owed_rows.h"
#include "learners/resting_columns.h"
#include "utils/error.h"

namespace engram {
namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& o, ParamStore& params)
      : params_(params),
        momentum_(o.momentum),
        decay_(o.weight_decay),
        decoupled_(o.decoupled_decay),
        nesterov_(o.nesterov),
        velocity_(o.momentum > 0 ? params.raw_values().size() : 0),
        owed_(params, velocity_.data()) {
    for (int id = 0; id < params.count(); ++id) {
      const Param& p = params.param(id);
      ENGRAM_INVARIANT((p.rate == 1 && p.decay == 1) || !(p.lazy || p.scalable));
      if (p.scalable && !velocity_.empty())
        resting_.emplace_back(
            id, std::make_unique<RestingColumns>(params, id, velocity_.data() + p.offset));
    }
  }

  void move(double lr) override {
    const LinearStep linear = linear_step(lr);
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      if (!p.trainable) {
        if (p.lazy) owed_.settle_all(id);  // it stands still from here on
        continue;
      }
      if (p.lazy && owed_.enter(id, linear)) continue;
      if (RestingColumns* const columns = resting(id); columns && columns->step(linear)) continue;
      if (velocity_.empty())
        plain(id, lr);
      else
        with_momentum(id, lr);
    }
    owed_.end_step(linear);
  }

  void reset() override {
    params_.values();  // what is owed is owed with momentum
    for (const auto& [id, columns] : resting_)
      columns->forget();
    std::fill(velocity_.begin(), velocity_.end(), real{0});
  }
  void forget(std::span<const std::size_t> places) override {
    if (velocity_.empty() || places.empty()) return;
    params_.values();  // what is owed is owed with momentum
    for (const auto& [id, columns] : resting_)
      columns->wake_all();
    for (const std::size_t i : places)
      velocity_[i] = 0;
  }
  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all{velocity_};
    for (const auto& part : owed_.state())
      all.push_back(part);
    for (const auto& [id, columns] : resting_)
      for (const auto& part : columns->state())
        all.push_back(part);
    return all;
  }

 private:
  /// A step as a matrix: v' = mu v + (decay w + g), w' = w - lr (of_g (decay w + g) + of_v v').
  LinearStep linear_step(double lr) const {
    const double of_g = momentum_ == 0 || nesterov_ ? 1 : 0;
    const double of_v = momentum_ == 0 ? 0 : (nesterov_ ? momentum_ : 1);
    if (decoupled_)
      return {{1 - lr * decay_, -lr * of_v * momentum_, 0, momentum_}, {-lr * (of_g + of_v), 1}};
    return {{1 - lr * (of_g + of_v) * decay_, -lr * of_v * momentum_, decay_, momentum_},
            {-lr * (of_g + of_v), 1}};
  }

  RestingColumns* resting(int id) const {
    for (const auto& [slice, columns] : resting_)
      if (slice == id) return columns.get();
    return nullptr;
  }

  void plain(int id, double lr) {
    real* values = params_.raw_values().data();
    const Param& p = params_.param(id);
    const real rate = static_cast<real>(lr * p.rate), decay = static_cast<real>(decay_ * p.decay);
    for_each_run(params_, id, [=](std::size_t begin, std::size_t count, const real* g) {
      real* w = values + begin;
      if (g) {
#pragma omp simd
        for (std::size_t i = 0; i < count; ++i)
          w[i] -= rate * (g[i] + decay * w[i]);
      } else if (decay > 0) {
#pragma omp simd
        for (std::size_t i = 0; i < count; ++i)
          w[i] -= rate * (decay * w[i]);
      }
    });
  }

  void with_momentum(int id, double lr) {
    real* values = params_.raw_values().data();
    real* velocity = velocity_.data();
    const Param& p = params_.param(id);
    const double all_decay = decay_ * p.decay;
    const real mu = static_cast<real>(momentum_), rate = static_cast<real>(lr * p.rate);
    const real decay = static_cast<real>(decoupled_ ? 0 : all_decay);
    const real kept = static_cast<real>(decoupled_ ? 1 - lr * p.rate * all_decay : 1);
    // Nesterov looks ahead: g + mu v. Plain momentum: v alone.
    const real of_g = nesterov_ ? real{1} : real{0}, of_v = nesterov_ ? mu : real{1};
    const auto update = [=](real& w, real& v, real g) {
      v = mu * v + g;
      w = kept * w - rate * (of_g * g + of_v * v);
    };
    for_each_run(params_, id, [=](std::size_t begin, std::size_t count, const real* g) {
      real* w = values + begin;
      real* v = velocity + begin;
      if (g) {
#pragma omp simd
        for (std::size_t i = 0; i < count; ++i)
          update(w[i], v[i], g[i] + decay * w[i]);
      } else {
#pragma omp simd
        for (std::size_t i = 0; i < count; ++i)
          update(w[i], v[i], decay * w[i]);
      }
    });
  }

  ParamStore& params_;
  double momentum_, decay_;
  bool decoupled_, nesterov_;
  Buffer<real> velocity_;
  OwedRows owed_;
  std::vector<std::pair<int, std::unique_ptr<RestingColumns>>> resting_;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, ParamStore& params) {
  return std::make_unique<Sgd>(options, params);
}

}  // namespace engram
