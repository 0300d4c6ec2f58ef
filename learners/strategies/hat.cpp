// Hard attention to the task (Serra et al. 2018, arXiv 1801.01423) over gating = hat, which it
// brings along. For a task t, with a = sigmoid(s e_t) and c the largest a of earlier tasks, per
// unit:
//   s runs from 1/smax to smax in every epoch; smax when tested;
//   the step of a weight from unit i to unit j is multiplied by 1 - min(c_i, c_j), that of a bias
//   by 1 - c_j; c is 1 for pixels, and for outputs that a task before has used too;
//   the loss grows by lambda sum a (1 - c) / sum (1 - c), which keeps attention to new units low;
//   the gradient of e is multiplied by smax / s (cosh(s e) + 1) / (cosh(e) + 1), |s e| cut to 50,
//   which undoes what annealing does to it; e is cut to [-6, 6] after the step.
// Multiplying steps instead of gradients is the same for plain SGD. With momentum, weight decay or
// Adam it is what keeps units of earlier tasks still, into which the authors' way leaks.
// The gradient of a gate is read off the gradient of the weights w_ik that lead away from its unit:
//   a_i dL/da_i = sum_k w_ik dL/dw_ik,   for L depends on a_i only through a_i h_i;
// so examples of other tasks in the batch count as if they were of this one: do not replay.
#include "models/gatings/hat.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "learners/hidden_units.h"
#include "learners/strategies/isolation.h"
#include "utils/error.h"

namespace engram {
namespace {

class Hat final : public Strategy {
 public:
  Hat(const HatOptions& options, const StrategyContext& context)
      : o_(options), gating_(dynamic_cast<HatGating*>(context.net.gating())) {
    const auto refuse = [](const std::string& why) {
      throw Error(Fault::Config, "strategies: hat " + why);
    };
    if (!gating_) refuse("opens units by gating = hat, which this network has not");
    if (context.targets && context.targets->scenario() != Scenario::Task)
      refuse("must be told the task at test; set scenario = task");
    units_ = hidden_units(context.net, "hat");
    bool fits = units_.size() == gating_->layers().size();
    for (std::size_t l = 0; fits && l < units_.size(); ++l)
      fits = units_[l].layer == gating_->layers()[l].layer &&
             (l == 0 || units_[l - 1].out.front() == units_[l].in);
    std::size_t covered = 0;
    for (const HiddenUnits& level : units_)
      covered += level.in->bias_part().present() ? 2 : 1;
    for (const SynapticMatrix* matrix : units_.back().out)
      covered += matrix->bias_part().present() ? 2 : 1;
    if (!fits ||
        covered != static_cast<std::size_t>(context.net.last_slice(context.net.depth() - 1)))
      refuse("protects fully connected layers with a relu on each and nothing else that learns");
    gating_->set_scale(o_.smax);
    for (const HiddenUnits& level : units_)
      past_.emplace_back(static_cast<std::size_t>(level.count), real{0});
  }

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }

  void begin_experience(Training&) override { share_.clear(); }

  void extend_batch(Training& t, Batch&) override {
    const double low = 1 / o_.smax;
    const auto last = static_cast<double>(std::max<std::int64_t>(1, t.epoch_steps - 1));
    training_scale_ = t.epoch_steps < 2
                          ? o_.smax
                          : low + (o_.smax - low) * static_cast<double>(t.epoch_step) / last;
    gating_->set_scale(training_scale_);
  }

  void shape_gradient(Training& t) override {
    ParamStore& params = t.net.params();
    const auto grads = params.grads();
    attend(t, grads);
    before_.assign(params.values().begin(), params.values().end());
  }

  void after_step(Training& t, const Batch&) override {
    if (!t.stepped) return;
    ParamStore& params = t.net.params();
    const auto values = params.values();
    if (share_.empty()) find_shares(params);
    for (std::size_t i = 0; i < share_.size(); ++i)
      values[i] = before_[i] + share_[i] * (values[i] - before_[i]);
    constexpr auto kLargest = static_cast<real>(HatGating::kLargest);
    for (std::size_t level = 0; level < units_.size(); ++level) {
      const Mat e = params.value(gating_->embedding(level));
      const auto offset = params.param(gating_->embedding(level)).offset;
      for (int task = 0; task < e.rows; ++task)
        for (int i = 0; i < e.cols; ++i) {
          real& now = e.row(task)[i];
          now = task == t.experience->index
                    ? std::clamp(now, -kLargest, kLargest)
                    : before_[offset + static_cast<std::size_t>(task * e.cols + i)];
        }
    }
  }

  void end_experience(Training& t) override {
    gating_->set_scale(o_.smax);
    gating_->refresh(t.net);
    for (std::size_t level = 0; level < units_.size(); ++level) {
      const real* const now = gating_->mask(level).data() +
                              static_cast<std::size_t>(t.experience->index) * past_[level].size();
      for (std::size_t i = 0; i < past_[level].size(); ++i)
        past_[level][i] = std::max(past_[level][i], now[i]);
    }
    learnt_[0] += 1;
  }

  void begin_test(Network&, int) override { gating_->set_scale(o_.smax); }
  void end_test(Network&) override { gating_->set_scale(training_scale_); }

  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all{learnt_};
    for (auto& level : past_)
      all.emplace_back(level);
    return all;
  }

 private:
  /// Writes the gradient of the task's embeddings.
  void attend(const Training& t, std::span<real> grads) const {
    const ParamStore& params = t.net.params();
    const double s = gating_->scale();
    double left = 0;  // room that earlier tasks have not taken
    for (const auto& level : past_)
      for (const real c : level)
        left += 1 - static_cast<double>(c);
    for (std::size_t level = 0; level < units_.size(); ++level) {
      const Param& p = params.param(gating_->embedding(level));
      const auto row =
          static_cast<std::size_t>(t.experience->index) * static_cast<std::size_t>(p.cols);
      for (int i = 0; i < p.cols; ++i) {
        const std::size_t place = p.offset + row + static_cast<std::size_t>(i);
        const auto e = static_cast<double>(params.values()[place]);
        const double c = static_cast<double>(past_[level][static_cast<std::size_t>(i)]);
        const double a = 1 / (1 + std::exp(-s * e));
        double slope = a > 0 ? gate_slope(params, grads, units_[level], i) / a : 0;
        if (left > 0) slope += o_.lambda * (1 - c) / left;
        const double by_embedding = s * a * (1 - a);
        const double steep = std::cosh(std::clamp(s * e, -50.0, 50.0)) + 1;
        grads[place] =
            static_cast<real>(slope * by_embedding * o_.smax / s * steep / (std::cosh(e) + 1));
      }
    }
  }
  /// a_i dL/da_i.
  static double gate_slope(const ParamStore& params, std::span<const real> grads,
                           const HiddenUnits& units, int unit) {
    double sum = 0;
    for (const SynapticMatrix* matrix : units.out) {
      const Param& p = params.param(matrix->weight_id());
      const std::size_t first =
          p.offset + static_cast<std::size_t>(unit) * static_cast<std::size_t>(p.cols);
      const real* const w = matrix->weight().row(unit);
      for (int k = 0; k < p.cols; ++k)
        sum += static_cast<double>(w[k]) *
               static_cast<double>(grads[first + static_cast<std::size_t>(k)]);
    }
    return sum;
  }

  /// [weights]: 1 - min(c_i, c_j).
  void find_shares(const ParamStore& params) {
    share_.assign(params.values().size(), 1);
    const auto protect = [&](const SynapticMatrix& matrix, const std::vector<real>* below,
                             const std::vector<real>* above) {
      const Param& p = params.param(matrix.weight_id());
      const real used = learnt_[0] > 0 ? real{1} : real{0};
      const auto of = [&](const std::vector<real>* c, int i, real otherwise) {
        return c ? (*c)[static_cast<std::size_t>(i)] : otherwise;
      };
      for (int i = 0; i < p.rows; ++i)
        for (int j = 0; j < p.cols; ++j)
          share_[p.offset + static_cast<std::size_t>(i * p.cols + j)] =
              1 - std::min(of(below, i, 1), of(above, j, used));
      if (const int bias = matrix.bias_part().id(); bias >= 0)
        for (int j = 0; j < p.cols; ++j)
          share_[params.param(bias).offset + static_cast<std::size_t>(j)] = 1 - of(above, j, used);
    };
    for (std::size_t level = 0; level < units_.size(); ++level)
      protect(*units_[level].in, level > 0 ? &past_[level - 1] : nullptr, &past_[level]);
    if (units_.back().out.size() == 1)  // else every task has a head of its own
      protect(*units_.back().out.front(), &past_.back(), nullptr);
  }

  HatOptions o_;
  HatGating* gating_;
  std::vector<HiddenUnits> units_;
  std::vector<std::vector<real>> past_;  ///< per level [units]: c
  std::vector<real> learnt_ = {0};       ///< [1]: tasks
  double training_scale_ = 1;
  std::vector<real> share_, before_;
};

}  // namespace

std::unique_ptr<Strategy> make_hat(const HatOptions& options, const StrategyContext& context) {
  return std::make_unique<Hat>(options, context);
}

}  // namespace engram
