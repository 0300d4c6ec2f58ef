// A training step allocates nothing once buffers have met their batches. All allocations of this
// program pass through the operators below, which count while told to.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "benchmarks/catalog.h"
#include "benchmarks/stream_table.h"
#include "learners/agent_learner.h"
#include "learners/learner.h"
#include "learners/registry.h"
#include "learners/rules/rules.h"
#include "models/registry.h"
#include "tests/learners/small_worlds.h"
#include "utils/find_entry.h"
#include "utils/parallel.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  if (counting) ++allocations;
  void* const p =
      alignment > alignof(std::max_align_t)
          ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
          : std::malloc(size == 0 ? 1 : size);
  if (!p) throw std::bad_alloc();
  return p;
}

}  // namespace

// gcc 12 at -O1 takes the free() of an inlined delete for one that does not belong to these.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

void* operator new(std::size_t size) {
  return counted(size, 0);
}
void* operator new[](std::size_t size) {
  return counted(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (counting) ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  if (counting) ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

namespace engram {
namespace {

/// Counts what happens in the last two of eight epochs. Before, layers begin lists as their units
/// fall silent.
class Counter final : public Observer {
 public:
  void before_step(const Cursor& c) override {
    counting = c.epoch >= 6;
    if (c.epoch == 6 && c.step == 0) allocations = 0;
  }
  void after_step(const Cursor&, const BatchStats&, int, std::int64_t, int) override {
    counting = false;
    ++steps;
    total = allocations;
  }
  std::size_t total = 0;
  int steps = 0;
};

ModelOptions model_of(const std::string& name) {
  ModelOptions m;
  if (name == "pff" || name == "ff") {  // each with the rule of its name
    m = default_options(name);
    m.model = name, m.hidden_units = 60, m.pff.steps = 3;
    return m;
  }
  m.hidden_units = 300, m.hidden_layers = 2;
  if (name == "dense") return m;
  if (name == "residual") {
    m = default_options("tiny_resnet");
    m.model = "tiny_resnet", m.conv_channels = {3, 4, 4}, m.batch_norm = true;
    return m;
  }
  m.sparsify = true, m.winners.boost_strength = 1;
  if (name == "winners") m.percent_on_fc = 0.01;
  if (name == "few_winners") m.hidden_units = 1000, m.percent_on_fc = 0.002;
  if (name == "sparse_weights") m.percent_on_fc = 0.05, m.weight_sparsity_fc = 0.05;
  if (name == "cnn" || name == "sparse_cnn") {
    m.model = "cnn", m.conv_channels = {4, 6}, m.conv_kernel = 3, m.hidden_units = 60;
    m.sparsify = name == "sparse_cnn", m.percent_on_conv = 0.5;
  }
  return m;
}

/// Allocations of the last two of eight epochs of 10 steps.
std::size_t allocations_of_training(const std::string& model, const char* optimizer_name,
                                    const std::string& rule_name = "backprop") {
  StreamOptions so;
  so.benchmark = "synthetic", so.stream = StreamKind::Permuted, so.tasks = 1;
  so.train_limit = 320;
  const auto stream = make_stream(so, load_dataset("synthetic", {}), 1);
  const Targets targets(*stream, ScenarioOptions{});
  Config config;
  config.set("hebbian.lr", "1e-4", "test");  // all are stable here
  const auto rule = make_rule(rule_name, config, {.loss = {}, .weight_decay = 1e-4});
  const auto net = build_model(model_of(model), stream->shape(), {1, targets.width()}, Rng(1), 1,
                               rule->feedback());
  rule->prepare(*net, Rng(3));
  OptimizerOptions oo;
  oo.optimizer = optimizer_name, oo.lr = 0.01, oo.momentum = 0.9, oo.weight_decay = 1e-4;
  const auto optimizer = make_optimizer(oo, net->params());
  LearnerOptions lo;
  lo.batch_size = 32, lo.epochs = 8;
  StrategyList none;
  Learner learner(lo, *net, *rule, *optimizer, oo, none, targets, Rng(2));
  Cursor cursor;
  Counter counter;
  learner.run(*stream, cursor, counter);
  counting = false;
  EXPECT_EQ(counter.steps, 80);
  return counter.total;
}

class Allocation : public ::testing::TestWithParam<const char*> {};

TEST_P(Allocation, StopsOnceEveryThreadHasWorked) {
  for (const int threads : {1, 2}) {
    set_threads(threads);
    for (const char* optimizer : {"sgd", "adam"}) {
      // A thread takes scratch when a product of a kind first falls to it. With two, which one runs
      // a tile is chance, so some trainings may pass before both have met all kinds.
      std::size_t found = 1;
      for (int training = 0; found > 0 && training < (threads == 1 ? 2 : 20); ++training)
        found = allocations_of_training(GetParam(), optimizer);
      EXPECT_EQ(found, 0u) << optimizer << ", " << threads << " threads";
    }
  }
  set_threads(1);
}

TEST(RuleAllocation, StopsForEveryRuleAndKindOfModel) {
  set_threads(1);
  for (const RuleEntry& rule : rules()) {
    std::vector<std::string> models = {"dense", "winners", "cnn", "residual"};
    if (!rule.model.empty()) models = {std::string(rule.model)};
    if (rule.name == "hebb_deep") models.pop_back();  // it wants two linear layers on top
    for (const std::string& model : models) {
      allocations_of_training(model, "sgd", std::string(rule.name));
      EXPECT_EQ(allocations_of_training(model, "sgd", std::string(rule.name)), 0u)
          << rule.name << ", " << model;
    }
  }
}

/// Counts what happens in the last quarter of a regime.
class AgentCounter final : public AgentObserver {
 public:
  void after_step(const Cursor& c, double) override {
    counting = c.step >= 1500 && c.step < 1900;  // no epoch ends there
    if (c.step == 1500) allocations = 0;
    if (c.step < 1900) total = allocations;
  }
  std::size_t total = 0;
};

TEST(AgentAllocation, StopsOnceTheBuffersHaveMetABatch) {
  set_threads(1);
  const Regimes regimes{{"chain"}, [](int, Role) { return std::make_unique<ChainWorld>(5, 4); }};
  for (const char* name : {"dqn", "imitation"}) {
    const AgentEntry& entry = find_entry(agents(), std::string(name), "agent");
    const auto world = regimes.make(0, Role::Train);
    Config config;
    const auto rule = make_rule("backprop", config, {.loss = entry.loss, .weight_decay = 0});
    const auto build = [&] {
      ModelOptions m;
      m.hidden_units = 20, m.dropout = 0;
      return build_model(m, {1, 1, 5}, {1, entry.outputs(*world), 1}, Rng(1), 1, rule->feedback());
    };
    const auto net = build();
    const auto agent =
        entry.make(config, {.world = *world, .inputs = 5, .net = net.get(), .twin = build});
    OptimizerOptions oo;
    oo.optimizer = "adam";
    const auto optimizer = make_optimizer(oo, net->params());
    StrategyList none;
    AgentOptions options;
    options.steps_per_regime = 2000, options.evaluate_every = 2000;
    AgentLearner learner(options, {}, oo, {*agent, *net, *rule, *optimizer, none}, regimes, Rng(2));
    Cursor cursor;
    AgentCounter counter;
    learner.run(cursor, counter);
    counting = false;
    EXPECT_GT(cursor.total_steps, 300);
    EXPECT_EQ(counter.total, 0u) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Allocation,
                         ::testing::Values("dense", "winners", "few_winners", "sparse_weights",
                                           "cnn", "sparse_cnn"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace engram
