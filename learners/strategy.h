// A strategy protects old knowledge: it may extend a batch, edit the error at the outputs or the
// gradient, watch the steps, and stand in for the network when it is tested. It never steps.
// Strategies compose in the order of the cfg.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/scenario.h"
#include "benchmarks/stream.h"
#include "learners/batch.h"
#include "learners/loss.h"
#include "learners/optimizer.h"
#include "learners/rule.h"
#include "models/network.h"
#include "utils/config.h"

namespace engram {

class Strategy;
using StrategyList = std::vector<std::unique_ptr<Strategy>>;

/// What strategies may see and use of the training.
struct Training {
  Network& net;
  Rule& rule;  ///< for gradients of other batches than the one at hand (learners/gradient_of.h)
  Optimizer& optimizer;
  const TaskStream* stream = nullptr;  ///< null for agents, as the next three
  const Targets* targets = nullptr;
  const Experience* experience = nullptr;
  int phase = 0;                         ///< number of the experience, 0-based
  int tasks_seen = 0;                    ///< by the end of it
  int tasks_before = 0;                  ///< by its beginning
  int epoch = 0, epochs = 1;             ///< of the experience, 0-based
  int unlabelled = 0;                    ///< epochs of them without labels, before all others
  int still = 0;                         ///< layers below this one stand still in the epoch
  std::int64_t step = 0;                 ///< of the whole run
  std::int64_t epoch_step = 0;           ///< of the epoch, 0-based
  std::int64_t epoch_steps = 0;          ///< in it
  bool stepped = true;                   ///< in after_step(): the optimiser has stepped
  int batch_size = 0;                    ///< of the stream's own examples
  Rng rng{0};                            ///< of the run: fork it by the strategy's own name
  std::span<const std::uint8_t> seen{};  ///< outputs that compete at test so far; empty: all
  StrategyList* strategies = nullptr;    ///< all of the run, in order

  // What is counted in steps of a task leaves out epochs without labels, in which nobody steps and
  // batches may be of another size. Known from the task's first batch on.
  /// The step at hand, 0-based; below 0 in those epochs.
  std::int64_t task_step() const { return (epoch - unlabelled) * epoch_steps + epoch_step; }
  std::int64_t task_steps() const { return (epochs - unlabelled) * epoch_steps; }
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  std::string name;  ///< as in the table

  // What it cannot do without. What it asks for in vain is an error before training.
  virtual Provides needs() const { return Provides::Nothing; }
  /// That somebody says when a task ends and the next one begins, or which one an example is of; a
  /// task-free stream does not.
  virtual bool needs_borders() const { return false; }
  /// A stream of examples, which agents do not have.
  virtual bool needs_examples() const { return false; }
  /// True: the rule learns nothing from the stream. The strategy does, by after_step().
  virtual bool learns_instead() const { return false; }
  /// True: all that it does serves steps of the optimiser that the rule's gradients lead to.
  virtual bool follows_steps() const { return false; }

  /// True: it adds examples of past tasks to batches, so heads of those tasks go on learning.
  virtual bool replays() const { return false; }

  virtual void begin_experience(Training&) {}
  /// Adds rows: BatchAppender for remembered examples, add_repeats() to ask other heads.
  virtual void extend_batch(Training&, Batch&) {}
  /// Distillation: edits the gradient of the loss with respect to the logits [rows, outputs].
  virtual void shape_error(Training&, const Batch&, CMat /*logits*/, Mat /*error*/) {}
  /// Edits net.params().grads(), which makes every gradient dense.
  virtual void shape_gradient(Training&) {}
  /// After every update of the rule, or once for a batch where a strategy learns instead of it. In
  /// epochs without labels nobody has stepped (Training::stepped), and the rule's records may be
  /// empty.
  virtual void after_step(Training&, const Batch&) {}
  virtual void end_experience(Training&) {}

  /// Before a task is tested: may change the network, and end_test() takes that back to the last
  /// bit. Strategies are asked in the order of the cfg, and backwards at the end. Not called before
  /// the first begin_experience().
  virtual void begin_test(Network&, int /*task*/) {}
  virtual void end_test(Network&) {}

  /// The weights at these places are new synapses, of which there is nothing to remember.
  virtual void renew(Training&, std::span<const std::size_t> /*places*/) {}
  /// Past tasks mind a change of these weights from what they are now: so much, in the units of
  /// importance().
  virtual void hold(Training&, std::span<const std::size_t> /*places*/,
                    std::span<const real> /*importance*/) {}
  /// How much every weight matters to what was learnt so far, [weights]; empty: it does not say.
  virtual std::span<const real> importance(const Training&) { return {}; }

  /// Everything that a resumed run needs; sized before the first begin_experience.
  virtual std::vector<std::span<real>> state() { return {}; }
};

/// What a strategy is made for.
struct StrategyContext {
  const Network& net;
  const TaskStream* stream = nullptr;  ///< null for agents, as the next
  const Targets* targets = nullptr;
  int batch_size = 0;
  LossOptions loss{};
  const Rule* rule = nullptr;  ///< prepared; null: one that teaches every layer

  /// Layers below this one learn nothing in task `from` (0-based) and after it.
  int still(int from) const { return rule ? rule->resting(from) : 0; }
  /// The lowest layer that learns when optimisers step.
  int lowest_stepped() const { return rule ? rule->lowest_stepped() : 0; }
};

/// What a training offers to strategies. Error(Config) that names the first one for which it is
/// not enough.
struct Offer {
  Provides provides = Provides::Nothing;
  bool borders = true, examples = true;
};
void check_served(const StrategyList&, const Offer&);

/// Strategies stand in for the network while this lives.
class TestScope {
 public:
  TestScope(StrategyList& strategies, Network& net, int task) : strategies_(strategies), net_(net) {
    for (auto& s : strategies_)
      s->begin_test(net_, task);
  }
  ~TestScope() {
    for (auto s = strategies_.rbegin(); s != strategies_.rend(); ++s)
      (*s)->end_test(net_);
  }
  TestScope(const TestScope&) = delete;
  TestScope& operator=(const TestScope&) = delete;

 private:
  StrategyList& strategies_;
  Network& net_;
};

/// The table of strategies.
struct StrategyEntry {
  std::string_view name, summary, paper;
  std::unique_ptr<Strategy> (*make)(Config&, const StrategyContext&);
  std::vector<OptionInfo> (*options)();
  void (*read)(Config&);         ///< checks the options and marks them as used
  std::string_view gating = {};  ///< the gating of units that it brings along; or none
  bool rewires = false;          ///< hidden layers must let it change which weights exist
};
std::span<const StrategyEntry> strategies();
/// Error(Config) when unknown, or when it does not fit the network.
std::unique_ptr<Strategy> make_strategy(const std::string& name, Config&, const StrategyContext&);
/// All of them, in this order.
StrategyList make_strategies(std::span<const std::string> names, Config, const StrategyContext&);

}  // namespace engram
