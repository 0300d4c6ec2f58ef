// PackNet (Mallya & Lazebnik 2018, arXiv 1711.05769): a task trains the weights that no task before
// it keeps; then the smallest of them, a share in every layer, become 0 and free again, the others
// learn on by themselves and are never touched after that. Tested with the weights of the tasks up
// to the one at hand. Biases and norms learn the first task alone; heads of one task each are left
// to themselves.
// Pitfalls: momentum and weight decay move weights without a gradient, so what is frozen is put
// back after every step; statistics of batch norm and duty cycles of boosted k-winners would drift,
// and tests would turn to contexts of dendrites that later tasks brought, so such networks are
// refused.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "learners/strategies/isolation.h"
#include "learners/strategy_checks.h"
#include "models/synaptic.h"
#include "utils/error.h"

namespace engram {
namespace {

class Packnet final : public Strategy {
 public:
  Packnet(const PacknetOptions& options, const StrategyContext& context)
      : o_(options),
        size_(context.net.params().values().size()),
        owner_(size_),
        kept_(size_),
        order_(context.stream ? static_cast<std::size_t>(context.stream->tasks()) : 1),
        phases_(context.stream ? context.stream->experiences() : 1) {
    const auto refuse = [](const std::string& why) {
      throw Error(Fault::Config, "strategies: packnet " + why);
    };
    if (context.targets && context.targets->scenario() != Scenario::Task)
      refuse(
          fmt::format("uses the weights of a task that is known at test, but scenario = {}; set "
                      "scenario = task",
                      name_of(context.targets->scenario())));
    if (context.stream && context.stream->experiences() > context.stream->tasks())
      refuse("learns a task once, and here tasks come back; use repeats = 1");
    const Network& net = context.net;
    refuse_moving_statistics(context, "packnet");
    for (int l = 0; l < net.depth(); ++l) {
      if (net.layer(l).existing_synapses())
        refuse("prunes dense weights, not those stored sparse; use weight_storage = dense");
      classify(net, l);
    }
    if (pruned_.empty()) refuse("finds no layer that tasks share and whose weights it could prune");
  }

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }

  void begin_experience(Training& t) override {
    task_[0] += 1;
    order_[static_cast<std::size_t>(t.experience->index)] = task_[0];
    phase_[0] = kTraining;
    keep(t.net);
  }
  void shape_gradient(Training& t) override {
    const auto grads = t.net.params().grads();
    const auto& open = learning(t.net.params());
    for (std::size_t i = 0; i < size_; ++i)
      if (open[i] == 0) grads[i] = 0;
  }
  void after_step(Training& t, const Batch&) override {
    const auto values = t.net.params().values();
    const auto& open = learning(t.net.params());
    for (std::size_t i = 0; i < size_; ++i)
      if (open[i] == 0) values[i] = kept_[i];
    if (!t.stepped || phase_[0] != kTraining || o_.retrain_share <= 0) return;
    const auto steps = static_cast<double>(t.task_steps());
    const auto done = static_cast<double>(t.task_step() + 1);
    if (done >= (1 - o_.retrain_share) * steps) prune(t);
  }
  void end_experience(Training& t) override {
    if (phase_[0] == kTraining) prune(t);
    phase_[0] = kResting;
    keep(t.net);
  }

  void begin_test(Network& net, int task) override {
    const auto values = net.params().values();
    aside_.assign(values.begin(), values.end());
    const auto current = static_cast<int>(task_[0]);
    // A task that was not learnt yet is tested with all that there is.
    const auto own = static_cast<int>(order_[static_cast<std::size_t>(task)]);
    const int wanted = own > 0 ? own : current;
    for (const int id : pruned_)
      for_each(net.params().param(id), [&](std::size_t i) {
        // What the task at hand has not settled yet is its own.
        const int owner =
            owner_[i] == 0 && phase_[0] == kTraining ? current : static_cast<int>(owner_[i]);
        if (owner == 0 || owner > wanted) values[i] = 0;
      });
  }
  void end_test(Network& net) override { std::ranges::copy(aside_, net.params().values().begin()); }

  std::vector<std::span<real>> state() override { return {owner_, kept_, order_, task_, phase_}; }

 private:
  static constexpr real kResting = 0, kTraining = 1, kRetraining = 2;

  /// What becomes of the slices of a layer.
  void classify(const Network& net, int l) {
    const auto matrices = net.layer(l).synapses();
    const bool of_one_task = matrices.size() > 1;
    for (int id = net.first_slice(l); id < net.last_slice(l); ++id) {
      const bool weight =
          std::ranges::any_of(matrices, [&](const auto* m) { return m->weight_id() == id; });
      if (!of_one_task) (weight ? pruned_ : others_).push_back(id);
    }
  }
  template <class Body>
  static void for_each(const Param& p, Body body) {
    for (std::size_t i = 0; i < p.size(); ++i)
      if (p.mask.empty() || p.mask[i] != 0) body(p.offset + i);
  }

  void keep(Network& net) {
    std::ranges::copy(net.params().values(), kept_.begin());
    open_.clear();
  }

  /// [weights]: 1 where the task at hand may learn.
  const std::vector<std::uint8_t>& learning(const ParamStore& params) {
    if (!open_.empty() && open_for_ == phase_[0]) return open_;
    open_.assign(size_, 1);
    for (const int id : pruned_)
      for_each(params.param(id), [&](std::size_t i) {
        open_[i] = phase_[0] == kTraining ? owner_[i] == 0 : owner_[i] == task_[0];
      });
    if (task_[0] > 1)
      for (const int id : others_)
        for_each(params.param(id), [&](std::size_t i) { open_[i] = 0; });
    open_for_ = phase_[0];
    return open_;
  }

  /// Share of the free weights that stay free, for tasks to come.
  double pruned_share() const {
    const double left = phases_ - static_cast<double>(task_[0]);
    return o_.prune.value_or(left / (left + 1));
  }

  void prune(Training& t) {
    ParamStore& params = t.net.params();
    const auto values = params.values();
    std::vector<std::size_t> unowned;
    for (const int id : pruned_) {
      unowned.clear();
      for_each(params.param(id), [&](std::size_t i) {
        if (owner_[i] == 0) unowned.push_back(i);
      });
      const auto count = static_cast<std::size_t>(
          std::llround(pruned_share() * static_cast<double>(unowned.size())));
      std::ranges::stable_sort(unowned, [&](std::size_t a, std::size_t b) {
        return std::abs(values[a]) < std::abs(values[b]);
      });
      for (std::size_t k = 0; k < unowned.size(); ++k) {
        if (k < count)
          values[unowned[k]] = 0;
        else
          owner_[unowned[k]] = task_[0];
      }
    }
    phase_[0] = kRetraining;
    keep(t.net);
  }

  PacknetOptions o_;
  std::size_t size_;
  std::vector<real> owner_;  ///< [weights]: the task, in the order of learning, that keeps it; 0:
                             ///< free
  std::vector<real> kept_;   ///< values of what does not learn
  std::vector<real> order_;  ///< [tasks]: when each was learnt, from 1; 0: not yet
  int phases_;
  std::vector<real> task_ = {0}, phase_ = {kResting};
  std::vector<int> pruned_, others_;  ///< slices
  std::vector<std::uint8_t> open_;
  real open_for_ = 0;
  std::vector<real> aside_;
};

}  // namespace

std::unique_ptr<Strategy> make_packnet(const PacknetOptions& options,
                                       const StrategyContext& context) {
  return std::make_unique<Packnet>(options, context);
}

}  // namespace engram
