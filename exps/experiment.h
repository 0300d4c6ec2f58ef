// A resolved configuration becomes a benchmark, a model, a rule and an evaluation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/catalog.h"
#include "benchmarks/own/own_data.h"
#include "benchmarks/scenario.h"
#include "benchmarks/simulations/simulations.h"
#include "benchmarks/stream_options.h"
#include "exps/metrics.h"
#include "exps/sweep/sweep_settings.h"
#include "learners/agents/agents.h"
#include "learners/fine_tuning.h"
#include "learners/learner.h"
#include "learners/loss.h"
#include "learners/optimizer.h"
#include "learners/rule.h"
#include "models/model_options.h"
#include "models/registry.h"
#include "utils/config.h"

namespace engram {

enum class EvalPad { None, V1, Nov2019 };
template <>
struct Choices<EvalPad> {
  static constexpr std::array<std::string_view, 3> names{"none", "v1", "nov2019"};
};
enum class MaskRule { Exclude, Multiply };
template <>
struct Choices<MaskRule> {
  static constexpr std::array<std::string_view, 2> names{"exclude", "multiply"};
};
enum class UnseenHeads { Skip, Newest };
template <>
struct Choices<UnseenHeads> {
  static constexpr std::array<std::string_view, 2> names{"skip", "newest"};
};

enum class EvaluateTasks { All, Seen, Current, Last };
template <>
struct Choices<EvaluateTasks> {
  static constexpr std::array<std::string_view, 4> names{"all", "seen", "current", "last"};
};

struct EvaluationOptions {
  EvalPad eval_pad = EvalPad::None;
  MaskRule mask_rule = MaskRule::Exclude;
  UnseenHeads unseen_heads = UnseenHeads::Skip;
  bool evaluate_validation = false;
  EvaluateTasks evaluate_tasks = EvaluateTasks::All;
  int probe_every = 0, probe_size = 256;
  int pictures = 100, mixture_components = 10, mixture_codes = 5000, embedding_points = 1000;
  int receptive_fields = 0, representation_examples = 0;
  int plasticity_examples = 0;
  int attributions = 0, occlusion_patch = 4, occlusion_stride = 2;
  bool keep_weights = false;
  ForgettingDefinition forgetting_definition = ForgettingDefinition::Chaudhry;

  template <class V>
  void describe(V&& v) {
    v("eval_pad", eval_pad,
      "none: every test example once; v1, nov2019: the reference's padded test sets (nov2019 "
      "exceeds 100 %)");
    v("mask_rule", mask_rule,
      "outputs outside the mask: excluded, or multiplied by 0 as the reference did");
    v("unseen_heads", unseen_heads,
      "tasks without a head yet: not evaluated, or read by the newest head");
    v("evaluate_validation", evaluate_validation,
      "fill the matrix from the validation parts instead of the test sets");
    v("evaluate_tasks", evaluate_tasks,
      "tasks that are tested after a task: all; seen, those learnt so far; current, that task "
      "alone; last, none. After the last task all are. For streams of hundreds of tasks; what a "
      "metric lacks makes it undefined");
    v("probe_every", probe_every, Range::at_least(0),
      "evaluate a probe of every task seen so far each so many steps; 0: never");
    v("probe_size", probe_size, Range::at_least(1), "test examples per task in the probe");
    v("pictures", pictures, Range::at_least(0).at_most(1000),
      "models that generate: images painted and rebuilt at every row of the matrix; 0: none");
    v("mixture_components", mixture_components, Range::at_least(1),
      "Gaussians of the mixture over codes from which pictures are painted");
    v("mixture_codes", mixture_codes, Range::at_least(1),
      "training images whose codes it is fitted to, at most");
    v("embedding_points", embedding_points, Range::at_least(0).at_most(100000),
      "test images whose codes are shown in the plane at the end");
    v("receptive_fields", receptive_fields, Range::at_least(0).at_most(1000),
      "units of the first layer whose incoming weights are shown as images at every row, drawn "
      "evenly; 0: none");
    v("representation_examples", representation_examples, Range::at_least(0).at_most(4000),
      "test examples per task from which linear probe accuracy, drift and overlap of every hidden "
      "layer are measured at every row (500 will do); 0: none");
    v("plasticity_examples", plasticity_examples, Range::at_least(0).at_most(10000),
      "training examples of a task on which dead and dormant units and ranks of every hidden layer "
      "are measured before and after it is learnt, beside the norms of weights (2000 will do); 0: "
      "none");
    v("attributions", attributions, Range::at_least(0).at_most(300),
      "test images of the first task for which maps of what their right output rests on are made "
      "after every task; 0: none");
    v("occlusion_patch", occlusion_patch, Range::at_least(1),
      "pixels a side of the patch that attributions hide");
    v("occlusion_stride", occlusion_stride, Range::at_least(1),
      "pixels between two such patches, no more than occlusion_patch");
    v("keep_weights", keep_weights,
      "leave the final weights beside the results, every matrix by its name: seed-N.weights.h5");
    v("forgetting_definition", forgetting_definition, "whose definition of forgetting is printed");
  }
};

struct RuleOptions {
  std::string rule = "backprop";
  LossOptions loss;
  std::vector<std::string> strategies;
  std::optional<int> init_seed, data_seed;

  template <class V>
  void describe(V&& v) {
    v("rule", rule, "learning rule of `engram list rules`");
    loss.describe(v);
    v("strategies", strategies, "strategies of `engram list strategies`, applied in this order");
    v("init_seed", init_seed, Range::at_least(0),
      "seed of the initial weights; auto: the run's seed");
    v("data_seed", data_seed, Range::at_least(0),
      "seed of example order and dropout; auto: the run's seed");
  }
};

/// Everything a cfg says, read and checked.
struct Settings {
  std::string experiment;
  StreamOptions stream;
  ScenarioOptions scenario;
  ModelOptions model;
  OptimizerOptions optimizer;
  LearnerOptions learner;
  EvaluationOptions evaluation;
  RuleOptions rule;
  FineTuningOptions fine_tuning;
  SimulationOptions simulation;  ///< read, as the next, where the benchmark is a simulation
  AgentOptions agent;
  SweepSettings sweep;  ///< what varies it, of which a run knows nothing
  Config config;        ///< after everything was read: what the results file records

  /// sha256 of the settings that are not at their defaults. It names folders and tells points of a
  /// grid apart; new options do not change it.
  std::string digest() const;
  /// Whether agents learn in a simulation, instead of a network from a data set.
  bool acts() const { return is_simulation(stream.benchmark); }
};

/// The rule that the settings ask for.
std::unique_ptr<Rule> make_rule(const Settings&);
/// The classifier that the targets need. Error(Config) when tasks are to be told apart that are not
/// known at test.
HeadShape head_shape(const Settings&, const Targets&);

/// Reads all options of an experiment. Error(Config) for what Config refuses, for unknown names and
/// for keys that nobody reads.
Settings read_settings(std::string experiment, Config config);

/// All options that any part of Engram knows, in groups for help: ("stream", its options), ...
struct OptionGroup {
  std::string name;
  std::vector<OptionInfo> options;
};
std::vector<OptionGroup> option_groups();
/// The group of the keys that only `engram sweep` reads.
inline constexpr std::string_view kSweepGroup = "sweep";

}  // namespace engram
