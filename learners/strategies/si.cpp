// Synaptic Intelligence (Zenke, Poole & Ganguli 2017, arXiv 1703.04200). While a task is learnt,
// every weight sums what its steps took off the loss; at the end
//   w_i -= g_i (step of theta_i)          g: the gradient without this penalty, the step as it was,
//   Omega_i += w_i / ((theta_i - theta*_i)^2 + xi),   then w <- 0, theta* <- theta,
// and later tasks learn under the loss + c sum_i Omega_i (theta_i - theta*_i)^2.
// Pitfalls that codes fall into, and this one does not: the gradient taken with the penalty, the
// step taken as -lr g (wrong under momentum and Adam), Omega cut off at some bound unless si.cut
// asks for it. The gradient is as it comes from the rule and the strategies before this one in the
// cfg.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "learners/strategies/importance.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class Si final : public Strategy {
 public:
  Si(const SiOptions& options, const StrategyContext& context) : o_(options) {
    find_parts(context.net.params());
    for (auto* all : {&omega_, &anchor_, &path_, &gradient_, &before_})
      all->resize(size_);
  }

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return true; }

  void begin_experience(Training& t) override {
    if (begun_[0] != 0) return;
    for (const Part& p : parts_)
      std::ranges::copy(t.net.params().value(p.id).all(), anchor_.data() + p.begin);
    begun_[0] = 1;
  }

  void shape_gradient(Training& t) override {
    const auto strength = static_cast<real>(2 * o_.c);
    for (const Part& p : parts_) {
      real* const g = t.net.params().grad(p.id).data;
      const real* const theta = t.net.params().value(p.id).data;
      const real *const omega = omega_.data() + p.begin, *const anchor = anchor_.data() + p.begin;
      real *const own = gradient_.data() + p.begin, *const before = before_.data() + p.begin;
      for_blocks(p.size, [&](std::size_t begin, std::size_t end) {
#pragma omp simd
        for (std::size_t i = begin; i < end; ++i) {
          own[i] = g[i], before[i] = theta[i];
          g[i] += strength * omega[i] * (theta[i] - anchor[i]);
        }
      });
    }
  }
  void after_step(Training& t, const Batch&) override {
    if (!t.stepped) return;
    for (const Part& p : parts_) {
      const real* const theta = t.net.params().value(p.id).data;
      const real *const own = gradient_.data() + p.begin, *const before = before_.data() + p.begin;
      real* const path = path_.data() + p.begin;
      for_blocks(p.size, [&](std::size_t begin, std::size_t end) {
#pragma omp simd
        for (std::size_t i = begin; i < end; ++i)
          path[i] -= own[i] * (theta[i] - before[i]);
      });
    }
  }
  void end_experience(Training& t) override {
    const auto xi = static_cast<real>(o_.xi);
    using Limits = std::numeric_limits<real>;
    const real lowest = o_.clip_negative ? real{0} : Limits::lowest();
    const real most = o_.cut > 0 ? static_cast<real>(o_.cut) : Limits::max();
    for (const Part& p : parts_) {
      const CMat values = t.net.params().value(p.id);
      for (std::size_t k = 0; k < p.size; ++k) {
        const std::size_t i = p.begin + k;
        const real moved = values.data[k] - anchor_[i];
        omega_[i] = std::min(most, omega_[i] + std::max(lowest, path_[i] / (moved * moved + xi)));
        path_[i] = 0, anchor_[i] = values.data[k];
      }
    }
  }
  void renew(Training& t, std::span<const std::size_t> places) override {
    for_places(t, places, [&](std::size_t i, std::size_t, real value) {
      omega_[i] = path_[i] = 0, anchor_[i] = value;
      gradient_[i] = 0, before_[i] = value;  // what it has become is no part of a step
    });
  }
  void hold(Training& t, std::span<const std::size_t> places,
            std::span<const real> importance) override {
    for_places(t, places, [&](std::size_t i, std::size_t which, real value) {
      omega_[i] = importance[which], anchor_[i] = value;
    });
  }
  std::span<const real> importance(const Training& t) override {
    if (o_.skip.empty()) return omega_;
    of_all_.assign(t.net.params().values().size(), 0);
    for (const Part& p : parts_)
      std::copy_n(omega_.data() + p.begin, p.size,
                  of_all_.data() + t.net.params().param(p.id).offset);
    return of_all_;
  }
  std::vector<std::span<real>> state() override {
    return {omega_, anchor_, path_, begun_};
  }

 private:
  /// A slice of the parameters, and where its weights lie among those that are held.
  struct Part {
    int id;
    std::size_t begin, size;
  };

  /// Calls visit(its place among those that are held, its number in `places`, its value) for every
  /// weight that is held.
  template <class Visit>
  void for_places(Training& t, std::span<const std::size_t> places, Visit visit) {
    for (const Part& p : parts_) {
      const std::size_t offset = t.net.params().param(p.id).offset;
      const CMat values = t.net.params().value(p.id);
      for (std::size_t which = 0; which < places.size(); ++which)
        if (const std::size_t place = places[which]; place >= offset && place < offset + p.size)
          visit(p.begin + place - offset, which, values.data[place - offset]);
    }
  }

  void find_parts(const ParamStore& params) {
    std::vector<bool> met(o_.skip.size());
    for (int id = 0; id < params.count(); ++id) {
      const Param& p = params.param(id);
      bool skipped = false;
      for (std::size_t i = 0; i < o_.skip.size(); ++i)
        if (p.name.starts_with(o_.skip[i])) skipped = met[i] = true;
      if (skipped) continue;
      parts_.push_back({id, size_, p.size()});
      size_ += p.size();
    }
    for (std::size_t i = 0; i < met.size(); ++i)
      if (!met[i])
        throw Error(Fault::Config,
                    fmt::format("si.skip = {}: no layer with weights is called so; `engram show` "
                                "names the layers",
                                o_.skip[i]));
  }

  SiOptions o_;
  std::vector<Part> parts_;
  std::size_t size_ = 0;
  std::vector<real> omega_, anchor_, path_;
  std::vector<real> gradient_, before_;  ///< of the step at hand
  std::vector<real> of_all_;             ///< Omega as importance() shows it, where layers are free
  std::vector<real> begun_ = {0};
};

}  // namespace

std::unique_ptr<Strategy> make_si(const SiOptions& options, const StrategyContext& context) {
  return std::make_unique<Si>(options, context);
}

}  // namespace engram
