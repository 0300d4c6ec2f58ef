// Runs of forward-forward and predictive forward-forward: stopped or killed and resumed, on one
// thread and on two, and the settings that they refuse.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "exps/run.h"
#include "models/registry.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using Extra = std::vector<std::pair<std::string, std::string>>;

Settings settings(const Extra& extra) {
  Config c;
  for (const auto& [key, value] : Extra{{"benchmark", "synthetic"},
                                        {"stream", "split"},
                                        {"tasks", "5"},
                                        {"scenario", "class"},
                                        {"head", "masked"},
                                        {"train_limit", "300"},
                                        {"test_limit", "100"},
                                        {"epochs", "2"},
                                        {"batch_size", "20"},
                                        {"probe_every", "5"},
                                        {"probe_size", "20"}})
    c.set(key, value, "test");
  for (const auto& [key, value] : extra)
    c.set(key, value, "test");
  return read_settings("forward", std::move(c));
}
Extra pff() {
  return {{"rule", "pff"},          {"model", "pff"},      {"hidden_units", "60"},
          {"pff.steps", "4"},       {"optimizer", "adam"}, {"lr", "0.003"},
          {"epsilon", "1e-7"},      {"clip", "1"},         {"epsilon_at", "moment"},
          {"pff.train_probe", "8"}, {"pff.noise", "0.05"}};
}
Extra ff() {
  return {{"rule", "ff"},           {"model", "ff"},           {"hidden", "60, 40"},
          {"ff.iterations", "2"},   {"lr", "0.003"},           {"momentum", "0.9"},
          {"weight_decay", "1e-3"}, {"decoupled_decay", "yes"}};
}
Extra with(Extra keys, const Extra& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}
Extra with_replay() {
  return with(pff(), {{"strategies", "generative_replay"},
                      {"generative_replay.images", "50"},
                      {"generative_replay.components", "2"}});
}
const Dataset& data() {
  static const Dataset d = load_dataset("synthetic", {});
  return d;
}

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}
void expect_same(const RunRecord& a, const RunRecord& b) {
  EXPECT_TRUE(a.complete && b.complete);
  ASSERT_EQ(a.accuracy.shape(), b.accuracy.shape());
  for (std::size_t i = 0; i < a.accuracy.size(); ++i)
    EXPECT_PRED2(same, a.accuracy.data()[i], b.accuracy.data()[i]) << i;
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t i = 0; i < a.epochs.size(); ++i) {
    EXPECT_EQ(a.epochs[i].loss, b.epochs[i].loss) << "epoch " << i;
    EXPECT_EQ(a.epochs[i].train_accuracy, b.epochs[i].train_accuracy) << "epoch " << i;
    EXPECT_FALSE(a.epochs[i].measures.empty());
    EXPECT_EQ(a.epochs[i].measures, b.epochs[i].measures) << "epoch " << i;
  }
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i)
    for (std::size_t t = 0; t < a.steps[i].probe_accuracy.size(); ++t)
      EXPECT_PRED2(same, a.steps[i].probe_accuracy[t], b.steps[i].probe_accuracy[t]);
  EXPECT_EQ(a.train_macs.executed, b.train_macs.executed);
  EXPECT_EQ(a.test_macs.executed, b.test_macs.executed);
}

class ForwardForwardRun : public ::testing::TestWithParam<const char*> {
 protected:
  Settings settings_of(const Extra& more = {}) const {
    const std::string name = GetParam();
    return settings(with(name == "ff" ? ff() : name == "pff" ? pff() : with_replay(), more));
  }
  RunRecord run(const char* name, const Settings& s) const {
    const RunFiles files{folder.path() / name, 1};
    EXPECT_EQ(execute_run(s, data(), {.seed = 1, .files = files}), RunOutcome::Finished);
    return load_results(files.results());
  }
  TempFolder folder;
};

TEST_P(ForwardForwardRun, LearnsSomething) {
  const RunRecord r =
      run("whole", settings_of({{"protocol", "joint"}, {"epochs", "10"}, {"train_limit", "1000"}}));
  double mean = 0;
  for (std::size_t t = 0; t < 5; ++t)
    mean += r.accuracy(5, t) / 5;
  EXPECT_GT(mean, 0.4);  // of ten classes
  EXPECT_LT(r.epochs.back().loss, r.epochs.front().loss);
}

TEST(PffRun, WithoutAProbeOfBatchesTheirAccuracyIsUnknown) {
  const TempFolder folder;
  const Settings s = settings(with(pff(), {{"pff.train_probe", "0"}}));
  const RunFiles files{folder.path(), 1};
  RunRequest request{.seed = 1, .files = files};
  std::atomic<bool> stop = false;
  request.stop = &stop;
  request.progress = [&](const Progress& p) {
    stop = !p.evaluating;
    EXPECT_TRUE(p.evaluating || (std::isnan(p.accuracy) && std::isfinite(p.loss)));
  };
  ASSERT_EQ(execute_run(s, data(), request), RunOutcome::Interrupted);
  ASSERT_EQ(execute_run(s, data(), {.seed = 1, .files = files}), RunOutcome::Finished);
  const RunRecord r = load_results(files.results());
  for (const EpochRow& row : r.epochs)
    EXPECT_TRUE(std::isnan(row.train_accuracy) && std::isfinite(row.loss)) << row.epoch;
  ASSERT_GT(r.steps.size(), 1u);
  for (const StepRow& row : r.steps) {
    EXPECT_TRUE(std::isnan(row.prequential_accuracy)) << row.step;
    EXPECT_TRUE(std::isfinite(row.probe_accuracy[0])) << row.step;
  }
}

TEST_P(ForwardForwardRun, RecordsGoodnessOfClassesThatWereTried) {
  const RunRecord r = run("whole", settings_of());
  ASSERT_FALSE(r.goodness.empty());
  for (const GoodnessRecord& level : r.goodness)
    for (std::size_t row = 1; row <= 5; ++row)
      for (std::size_t c = 0; c < 10; ++c) {
        const bool met = c < 2 * row;  // two classes a task
        EXPECT_EQ(std::isfinite(level.with_label(row, c)), met) << row << " " << c;
        EXPECT_EQ(std::isfinite(level.with_others(row, c)), met) << row << " " << c;
      }
}

TEST_P(ForwardForwardRun, LeavesPicturesIfItPaints) {
  const RunRecord r = run("whole", settings_of({{"pictures", "20"}}));
  if (GetParam() == std::string("ff")) {
    EXPECT_TRUE(r.pictures.empty() && r.embeddings.empty());
    return;
  }
  ASSERT_EQ(r.pictures.size(), 2u);
  const PictureRecord &samples = r.pictures[0], &rebuilt = r.pictures[1];
  EXPECT_EQ(samples.moments.size(), 6u);  // before training and after each task
  EXPECT_EQ(rebuilt.moments.size(), 7u);  // the test images themselves first
  EXPECT_EQ(samples.count, 20u);
  const auto after_first = std::span(samples.labels).subspan(20, 20);
  for (const int label : after_first)
    EXPECT_LT(label, 2) << "a class that was not met";
  EXPECT_TRUE(std::ranges::is_sorted(std::span(samples.components).first(20)));
  ASSERT_EQ(r.embeddings.size(), 1u);
  EXPECT_EQ(r.embeddings[0].points.shape(0), r.embeddings[0].labels.size());
}

TEST(GenerativeReplay, LearnsFromMoreThanTheTask) {
  TempFolder folder;
  const auto macs = [&](const char* name, const Extra& keys) {
    const RunFiles files{folder.path() / name, 1};
    execute_run(settings(keys), data(), {.seed = 1, .files = files});
    const RunRecord r = load_results(files.results());
    double first = 0, later = 0;
    for (const EpochRow& row : r.epochs)
      (row.experience == 0 ? first : later) += row.macs.executed;
    return std::pair(first, later);
  };
  const auto [first, later] = macs("replay", with_replay());
  const auto [alone_first, alone_later] = macs("alone", pff());
  EXPECT_EQ(first, alone_first);
  EXPECT_GT(later, 1.7 * alone_later);  // every batch is twice as long
}

TEST(GenerativeReplay, NeedsANetworkThatPaints) {
  TempFolder folder;
  const RunFiles files{folder.path() / "ff", 1};
  const Settings s = settings(with(ff(), {{"strategies", "generative_replay"}}));
  EXPECT_THAT(error_of([&] { execute_run(s, data(), {.seed = 1, .files = files}); }),
              ::testing::HasSubstr("model = pff"));
}

TEST_P(ForwardForwardRun, GoesOnToTheSameBitsWhenItWasStopped) {
  const Settings s = settings_of();
  const RunRecord whole = run("whole", s);
  for (const int steps : {1, 13, 22}) {
    const RunFiles cut{folder.path() / "cut", 1};
    std::atomic<bool> stop = false;
    int seen = 0;
    RunRequest request{.seed = 1, .files = cut};
    request.stop = &stop;
    request.progress = [&](const Progress& p) { stop = !p.evaluating && ++seen >= steps; };
    ASSERT_EQ(execute_run(s, data(), request), RunOutcome::Interrupted);
    ASSERT_EQ(run_state(cut, s), RunState::Resumable);
    expect_same(whole, run("cut", s));
    std::filesystem::remove_all(cut.folder);
  }
}

struct Killed {};

TEST_P(ForwardForwardRun, GoesOnToTheSameBitsWhenItWasKilled) {
  const Settings s = settings_of();
  const RunRecord whole = run("whole", s);
  const RunFiles cut{folder.path() / "cut", 1};
  // Twice, with a checkpoint after every step: nothing is tidied up on the way out.
  for (int time = 0; time < 2; ++time) {
    int seen = 0;
    RunRequest request{.seed = 1, .files = cut, .checkpoint_seconds = 0};
    request.progress = [&](const Progress& p) {
      if (!p.evaluating && ++seen >= 11) throw Killed();
    };
    EXPECT_THROW(execute_run(s, data(), request), Killed);
    ASSERT_EQ(run_state(cut, s), RunState::Resumable);
  }
  expect_same(whole, run("cut", s));
}

TEST_P(ForwardForwardRun, HasTheSameBitsOnTwoThreads) {
  // Wide enough for products that are shared among threads.
  const Settings s = settings_of(GetParam() == std::string("pff") ? Extra{{"hidden_units", "300"}}
                                                                  : Extra{{"hidden", "300, 300"}});
  const RunRecord alone = run("alone", s);
  set_threads(2);
  const RunRecord together = run("together", s);
  set_threads(1);
  expect_same(alone, together);
}

INSTANTIATE_TEST_SUITE_P(Rules, ForwardForwardRun, ::testing::Values("pff", "ff", "pff_replay"),
                         [](const auto& param) { return std::string(param.param); });

/// What the program says of settings when it reads or builds them.
std::string refusal(const Extra& extra) {
  return error_of([&] {
    const TempFolder folder;
    execute_run(settings(extra), data(), {.files = {folder.path(), 0}});
  });
}

TEST(ForwardForwardSettings, TieRulesAndModelsToEachOther) {
  EXPECT_SAYS(refusal({{"rule", "pff"}, {"model", "mlp"}}), "rule = pff teaches model = pff alone");
  EXPECT_SAYS(refusal({{"rule", "ff"}, {"model", "pff"}}), "rule = ff teaches model = ff alone");
  EXPECT_SAYS(refusal({{"rule", "pff"}}), "not mlp");
  EXPECT_SAYS(refusal({{"rule", "backprop"}, {"model", "ff"}}), "learns by rule = ff alone");
  EXPECT_SAYS(refusal({{"model", "pff"}}), "learns by rule = pff alone, not by backprop");
}

TEST(ForwardForwardSettings, NeedOneSetOfLabels) {
  for (const Extra& keys : {pff(), ff()}) {
    EXPECT_SAYS(refusal(with(keys, {{"scenario", "task"}, {"head", "per_task"}})),
                "has one set of labels");
  }
}

TEST(ForwardForwardSettings, NeedWholeGroups) {
  EXPECT_SAYS(refusal(with(pff(), {{"hidden_units", "64"}})), "hidden_units = 64 does not divide");
  EXPECT_SAYS(refusal(with(pff(), {{"pff.group", "7"}})), "pff.group = 7");
}

TEST(ForwardForwardSettings, NeedRoomForLabels) {
  ModelOptions o = default_options("ff");
  o.model = "ff", o.hidden = {5};
  const auto build = [&](int labels) { build_model(o, {1, 1, 3}, {1, labels}, Rng(1), 1, {}); };
  EXPECT_NO_THROW(build(3));
  EXPECT_SAYS(error_of([&] { build(4); }), "4 labels do not fit over 3 pixels");
  o.ff.label = LabelPlace::Append;
  EXPECT_NO_THROW(build(4));
  o.ff.label = LabelPlace::Overlay;
  EXPECT_SAYS(error_of([&] { build(1); }), "needs two at least");
  o.hidden.clear(), o.hidden_layers = 0;
  EXPECT_SAYS(error_of([&] { build(3); }), "needs a hidden layer");
}

}  // namespace
}  // namespace engram
