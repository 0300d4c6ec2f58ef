#include "exps/bench.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "benchmarks/stream_table.h"
#include "exps/bench_data.h"
#include "exps/evaluator.h"
#include "learners/registry.h"
#include "models/registry.h"
#include "utils/error.h"
#include "utils/provenance.h"

namespace engram {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = Workload::Kind;

constexpr int kHiddenActive = 102;  // of every input row, as many as win above
constexpr int kHiddenSignals = 16;  // more than caches keep of the widest
constexpr double kWarmUp = 0.1;     // of the budget

// What all workloads share unless they say otherwise: one permutation, as in exps/permuted.cfg, and
// the optimiser of its networks. The clock ends the training, not the number of epochs.
constexpr std::string_view kCommon =
    "stream = permuted; tasks = 1; epochs = 1000000; dropout = 0.5; lr = 0.1; momentum = 0.9; "
    "nesterov = yes; weight_decay = 1e-4; batch_size = 128; boost_strength = 1; "
    "duty_cycle_period = 1000";

constexpr Workload kSuite[] = {
    {Kind::Train, "mlp1_sparse", "784-4000-10, 4 winners (experiment perm_mlp1_sparse)",
     "hidden_units = 4000; sparsify = yes; percent_on_fc = 0.001"},
    {Kind::Train, "mlp2_sparse", "784-4000-4000-10, 4 winners (experiment perm_mlp2_sparse)",
     "hidden_units = 4000; hidden_layers = 2; sparsify = yes; percent_on_fc = 0.001"},
    {Kind::Train, "mlp2_sparse_weights", "784-2048-2048-10, 5 % winners, 5 % of the weights",
     "hidden_units = 2048; hidden_layers = 2; sparsify = yes; percent_on_fc = 0.05; "
     "weight_sparsity_fc = 0.05"},
    {Kind::Train, "mlp2_dense", "784-2000-2000-10 relu, Adam, batch 256",
     "hidden_units = 2000; hidden_layers = 2; dropout = 0; optimizer = adam; lr = 1e-3; "
     "weight_decay = 0; batch_size = 256"},
    {Kind::Train, "online", "784-100-100-10 relu, batch 10",
     "hidden_units = 100; hidden_layers = 2; dropout = 0; batch_size = 10; momentum = 0; "
     "nesterov = no; weight_decay = 0"},
    {Kind::Train, "online_er", "784-512-10 relu, dropout, batch 10 and 10 replayed of 1000",
     "hidden_units = 512; dropout = 0.5; batch_size = 10; momentum = 0; nesterov = no; "
     "weight_decay = 0; strategies = er; er.memory = 1000; er.policy = class_balanced; "
     "er.batch = 10; er.every_epoch = yes"},
    {Kind::Train, "cnn_dense", "convolutions of 64 and 128 channels, 1024 hidden units, relu",
     "model = cnn; conv_channels = 64, 128; conv_kernel = 5; hidden_units = 1024; "
     "momentum = 0; nesterov = no; weight_decay = 0; lr = 0.01"},
    {Kind::Train, "cnn_sparse", "the same, 5 % winners",
     "model = cnn; conv_channels = 64, 128; conv_kernel = 5; hidden_units = 1024; "
     "momentum = 0; nesterov = no; weight_decay = 0; lr = 0.01; sparsify = yes; percent_on_conv = "
     "0.05; percent_on_fc = 0.05"},
    {Kind::Train, "krotov", "2000 competing units, batch 100, without labels",
     "hidden_units = 2000; dropout = 0; hidden_bias = no; init = uniform01; batch_size = 100; "
     "rule = krotov; hebbian.epochs = 999999; momentum = 0; nesterov = no; weight_decay = 0"},
    {Kind::Evaluate, "evaluate_dense", "the test set through 784-4000-10 relu",
     "hidden_units = 4000"},
    {Kind::Evaluate, "evaluate_sparse", "the test set through 784-4000-10, 4 winners",
     "hidden_units = 4000; sparsify = yes; percent_on_fc = 0.001"},
    {Kind::Hidden, "hidden_2048", "2048-2048-10: 102 inputs active, 102 winners, 102 synapses each",
     "hidden_units = 2048; sparsify = yes; percent_on_fc = 0.0498046875; "
     "weight_sparsity_fc = 0.0498046875; lr = 0.01"},
    {Kind::Hidden, "hidden_4096", "the same, twice as wide",
     "hidden_units = 4096; sparsify = yes; percent_on_fc = 0.02490234375; "
     "weight_sparsity_fc = 0.02490234375; lr = 0.01"},
};

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

/// Later values replace earlier ones.
void set_all(Config& config, std::string_view settings, std::string_view workload) {
  while (!settings.empty()) {
    const auto end = std::min(settings.find(';'), settings.size());
    const std::string_view line = trimmed(settings.substr(0, end));
    settings.remove_prefix(std::min(end + 1, settings.size()));
    const auto equals = line.find('=');
    config.set(std::string(trimmed(line.substr(0, equals))),
               std::string(trimmed(line.substr(equals + 1))), std::string(workload),
               /*inherited=*/true);
  }
}

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// Collects the times of steps, first for nothing while caches and memory settle.
class Stopwatch {
 public:
  explicit Stopwatch(const BenchBudget& budget) : budget_(budget) {}

  void start() { begin_ = Clock::now(); }
  void stop(int examples, const Macs& macs) {
    const double ms = milliseconds_since(begin_);
    if (warming_) {
      warming_ = milliseconds_since(opened_) < 1000 * kWarmUp * budget_.seconds;
      if (!warming_) opened_ = Clock::now();
      return;
    }
    batch_ = examples;
    macs_ += macs;
    times_.push_back(ms);
  }
  bool done() const {
    if (budget_.stop && budget_.stop->load()) return true;
    return !warming_ && times_.size() >= static_cast<std::size_t>(budget_.least_steps) &&
           milliseconds_since(opened_) >= 1000 * budget_.seconds;
  }

  Measurement result() {
    Measurement m;
    if (times_.empty()) return m;
    std::sort(times_.begin(), times_.end());
    m.step_ms = quantile(times_, 0.5), m.step_ms_best = times_.front();
    m.step_ms_iqr = quantile(times_, 0.75) - quantile(times_, 0.25);
    m.steps = static_cast<int>(times_.size()), m.batch = batch_;
    m.executed_macs = macs_.executed / m.steps, m.dense_macs = macs_.dense / m.steps;
    return m;
  }

 private:
  const BenchBudget& budget_;
  Clock::time_point begin_, opened_ = Clock::now();
  bool warming_ = true;
  std::vector<double> times_;
  int batch_ = 0;
  Macs macs_;
};

/// Times whole batches; the last one of an epoch may be smaller.
class StepTimer final : public Observer {
 public:
  StepTimer(Stopwatch& watch, int batch) : watch_(watch), batch_(batch) {}
  void before_step(const Cursor&) override { watch_.start(); }
  void after_step(const Cursor&, const BatchStats& stats, int rows, std::int64_t, int) override {
    if (rows == batch_) watch_.stop(rows, stats.macs);
  }
  bool stop_requested() override { return watch_.done(); }

 private:
  Stopwatch& watch_;
  int batch_;
};

/// Replaces the gathered rows by winners with their active set; only what follows is timed.
class WinnersAsInputs final : public Strategy {
 public:
  WinnersAsInputs(Stopwatch& watch, int batch, int units)
      : watch_(watch), signals_(winner_signals(kHiddenSignals, batch, units, kHiddenActive)) {}
  void extend_batch(Training& training, Batch& batch) override {
    batch.x = signals_[static_cast<std::size_t>(training.step) % signals_.size()];
    watch_.start();
  }

 private:
  Stopwatch& watch_;
  std::vector<Signal> signals_;
};

void train(const Workload& workload, const Settings& s, const TaskStream& stream,
           const Targets& targets, Network& net, Stopwatch& watch) {
  const auto rule = make_rule(s);
  const auto optimizer = make_optimizer(s.optimizer, net.params());
  const int batch = s.learner.batch_size;
  rule->prepare(net, Rng(0).fork("rule"));
  StrategyList strategies = make_strategies(
      s.rule.strategies, s.config, {net, &stream, &targets, batch, s.rule.loss, rule.get()});
  if (workload.kind == Kind::Hidden)
    strategies.insert(strategies.begin(),
                      std::make_unique<WinnersAsInputs>(watch, batch, net.in().size()));
  StepTimer timer(watch, batch);
  Cursor cursor;
  Learner(s.learner, net, *rule, *optimizer, s.optimizer, strategies, targets, Rng(0))
      .run(stream, cursor, timer);
}

void evaluate(const Settings& s, const TaskStream& stream, const Targets& targets,
              const Network& net, Stopwatch& watch) {
  Evaluator evaluator(net, targets, s.evaluation, s.learner.batch_size);
  const ExampleSet examples = stream.test(0);
  Macs before;
  while (!watch.done()) {
    watch.start();
    evaluator.accuracy(examples, 0, 1);
    const Macs all = evaluator.macs();
    watch.stop(static_cast<int>(examples.size()),
               {all.executed - before.executed, all.dense - before.dense});
    before = all;
  }
}

}  // namespace

std::span<const Workload> workloads() {
  return kSuite;
}

const Workload& find_workload(const std::string& name) {
  std::vector<std::string> known;
  for (const Workload& workload : kSuite) {
    if (workload.name == name) return workload;
    known.emplace_back(workload.name);
  }
  throw Error(Fault::Usage, "bench: there is no workload '" + name + "'" + suggestion(name, known));
}

Settings workload_settings(const Workload& workload) {
  Config config;
  set_all(config, kCommon, workload.name);
  set_all(config, workload.settings, workload.name);
  return read_settings(std::string(workload.name), std::move(config));
}

double quantile(std::span<const double> sorted, double p) {
  if (sorted.empty()) return 0;
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

Measurement measure_workload(const Workload& workload, const Dataset& data,
                             const BenchBudget& budget) {
  const Settings s = workload_settings(workload);
  const Dataset used =
      workload.kind == Kind::Hidden
          ? blank_examples(s.model.hidden_units, kHiddenSignals * s.learner.batch_size)
          : data;
  ENGRAM_INVARIANT(used.train->size() >= static_cast<std::size_t>(s.learner.batch_size));
  const auto stream = make_stream(s.stream, used, 0);
  const Targets targets(*stream, s.scenario);
  const auto net = build_model(
      s.model, stream->shape(), head_shape(s, targets), Rng(0).fork("init"),
      workload.kind == Kind::Hidden ? static_cast<double>(kHiddenActive) / s.model.hidden_units : 1,
      make_rule(s)->feedback());
  Stopwatch watch(budget);
  if (workload.kind == Kind::Evaluate)
    evaluate(s, *stream, targets, *net, watch);
  else
    train(workload, s, *stream, targets, *net, watch);
  Measurement m = watch.result();
  m.parameters = static_cast<double>(net->params().values().size());
  m.peak_rss_bytes = static_cast<double>(peak_rss_bytes());
  return m;
}

}  // namespace engram
