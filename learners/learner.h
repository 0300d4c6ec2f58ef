// The training loop. There is one.
#pragma once

#include <memory>
#include <vector>

#include "benchmarks/scenario.h"
#include "benchmarks/stream.h"
#include "learners/optimizer.h"
#include "learners/progress.h"
#include "learners/rule.h"
#include "learners/schedule.h"
#include "learners/strategy.h"

namespace engram {

enum class Shuffle { EachEpoch, OnceSeed0 };
template <>
struct Choices<Shuffle> {
  static constexpr std::array<std::string_view, 2> names{"each_epoch", "once_seed0"};
};
enum class TrainPad { None, Prepend };
template <>
struct Choices<TrainPad> {
  static constexpr std::array<std::string_view, 2> names{"none", "prepend"};
};
enum class Rezero { Step, TrainForward, Never };
template <>
struct Choices<Rezero> {
  static constexpr std::array<std::string_view, 3> names{"step", "train_forward", "never"};
};

enum class JointTasks { Mixed, Random, Together };
template <>
struct Choices<JointTasks> {
  static constexpr std::array<std::string_view, 3> names{"mixed", "random", "together"};
};

struct LearnerOptions {
  int batch_size = 128, epochs = 1;
  std::optional<int> later_epochs;
  Shuffle shuffle = Shuffle::EachEpoch;
  TrainPad train_pad = TrainPad::None;
  JointTasks joint_tasks = JointTasks::Mixed;
  Rezero rezero = Rezero::Step;
  bool boost_decay = true;
  bool record_stats = true;
  ScheduleOptions schedule;

  template <class V>
  void describe(V&& v) {
    v("batch_size|mb_size", batch_size, Range::at_least(1), "examples per mini-batch");
    v("epochs|train_ep", epochs, Range::at_least(1), "passes over the first task");
    v("later_epochs|train_ep_inc", later_epochs, Range::at_least(1),
      "passes over every later task; auto: as epochs");
    v("shuffle", shuffle,
      "order of the examples; once_seed0: one numpy order for all epochs, as the reference; "
      "streams "
      "with an order of their own (boundaries = linear) keep it");
    v("train_pad", train_pad,
      "prepend: fill the last batch by repeating the first examples, as the reference");
    v("joint_tasks", joint_tasks,
      "phases of several tasks over the same images: every image with every task in an epoch, in "
      "any order; with one task drawn at every visit; or batches of batch_size images with all "
      "their tasks");
    v("rezero", rezero,
      "when absent synapses are set to 0: after each step, before each training pass (2019), or "
      "only at the start");
    v("boost_decay", boost_decay,
      "apply boost_strength_factor every epoch; the reference never did");
    v("record_stats", record_stats,
      "record which units are active; results are written in any case");
    schedule.describe(v);
  }
};

/// What the loop tells the outside. Everything may be left out.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Before the first experience: row 0.
  virtual void before_training() {}
  /// Before each step: `batch` is about to be learnt. For continual evaluation.
  virtual void before_step(const Cursor&) {}
  virtual void after_step(const Cursor&, const BatchStats&, int /*rows*/,
                          std::int64_t /*steps in epoch*/, int /*epochs*/) {}
  virtual void after_epoch(const EpochRow&) {}
  virtual void after_experience(const Experience&) {}
  /// Asked at moments when everything can be saved; saves when it is time to.
  virtual void may_save(const Cursor&) {}
  /// True: the loop saves and returns.
  virtual bool stop_requested() { return false; }
};

class Learner {
 public:
  /// `rng` is the run's root; the learner forks "order" and "pass" from it.
  /// Throws Error(Config) when a strategy needs what the rule does not provide.
  Learner(const LearnerOptions&, Network&, Rule&, Optimizer&, const OptimizerOptions&,
          StrategyList& strategies, const Targets&, Rng rng);

  /// Trains from `cursor` to the end of the stream. False when the observer asked to stop: the
  /// cursor then says where to go on. Throws Error(Numerical) when the loss stops being finite.
  bool run(const TaskStream& stream, Cursor& cursor, Observer& observer);

  int epochs_of(int experience) const;

 private:
  bool train_epoch(Training&, Cursor&, Observer&);
  void train_step(Training&, Cursor&, BatchStats&);
  void update(Training&, int count, Cursor&, BatchStats&);
  void spend_gradient(Training&, Cursor&);
  void check_joint_tasks(const TaskStream&) const;
  std::vector<std::uint32_t> epoch_order(const ExampleSet&, const Cursor&) const;
  void add_measures(int rows, Cursor&) const;
  void count_active(int rows, Cursor&) const;
  void end_epoch(Training&, std::span<const std::uint32_t> last_batch, Cursor&, Observer&);
  Pass pass_of(std::int64_t step) const;  ///< of the gathered batch, in a step of the whole run

  LearnerOptions o_;
  OptimizerOptions optimizer_options_;
  Network& net_;
  Rule& rule_;
  Optimizer& optimizer_;
  StrategyList& strategies_;
  const Targets& targets_;
  Rng rng_;
  Batch batch_;
  std::int64_t steps_in_epoch_ = 0;
  bool ordered_ = false;     ///< the stream's own order of examples stays
  EpochKind kind_;           ///< of the epoch
  std::vector<int> hidden_;  ///< layers whose active units are counted
  bool rule_learns_ = true;  ///< not a strategy instead of it
};

/// Hidden layers whose units are counted: activations not directly followed by another one.
std::vector<int> hidden_activations(const Network& net);
/// Fraction of the units of a record that are active: in its active set, or not zero.
double active_fraction(const Record& record);

}  // namespace engram
