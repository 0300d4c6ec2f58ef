// Runs of agents: settings, rows, learning curves, checkpoints, and the file they leave.
#include "exps/agent_run.h"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exps/agent_evaluator.h"
#include "exps/agent_settings.h"
#include "exps/analysis/comparison.h"
#include "exps/analysis/results_json.h"
#include "exps/checkpoint.h"
#include "exps/results_file.h"
#include "exps/show_results.h"
#include "models/sparse_synapses.h"
#include "tests/exps/sample_run.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"
#include "utils/h5.h"

namespace engram {
namespace {

using ::testing::HasSubstr;

const Keys kFlock{{"benchmark", "flock"},
                  {"regimes", "mixed, separation"},
                  {"bodies", "6"},
                  {"steps_per_regime", "1800"},
                  {"evaluate_every", "600"},
                  {"test_episodes", "6"},
                  {"film_frames", "3"},
                  {"hidden_units", "8"},
                  {"dropout", "0"},
                  {"optimizer", "adam"},
                  {"decoupled_decay", "yes"},
                  {"lr", "0.002"}};
const Keys kDqn = with(kFlock, {{"agent", "dqn"},
                                {"dqn.memory", "500"},
                                {"dqn.starts", "100"},
                                {"dqn.batch", "16"},
                                {"dqn.train_every", "6"},
                                {"dqn.copy_every", "20"},
                                {"regime_input", "yes"}});
const Keys kImitation =
    with(kFlock, {{"agent", "imitation"}, {"imitation.batch", "16"}, {"imitation.memory", "900"}});

Settings settings(const Keys& keys) {
  Config c;
  for (const auto& [key, value] : keys)
    c.set(key, value, "x.cfg:1");
  return read_settings("tiny", std::move(c));
}
std::string failure(const Keys& keys) {
  try {
    settings(keys);
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Config);
    return e.what();
  }
  return "";
}
RunRecord run(const Keys& keys, const RunFiles& files) {
  const Settings s = settings(keys);
  EXPECT_EQ(execute_run(s, Dataset{}, {.seed = files.seed, .files = files}), RunOutcome::Finished);
  return load_results(files.results());
}

TEST(AgentSettings, RefuseWhatMakesNoSenseWithASimulation) {
  const auto wrong = [&](const char* key, const char* value) {
    return failure(with(kDqn, {{key, value}}));
  };
  EXPECT_THAT(wrong("epochs", "3"), HasSubstr("use steps_per_regime"));
  EXPECT_THAT(wrong("batch_size", "3"), HasSubstr("dqn.batch"));
  EXPECT_THAT(wrong("tasks", "3"), HasSubstr("use regimes"));
  EXPECT_THAT(wrong("dendrites.segments", "2"), HasSubstr("agents do not have"));
  EXPECT_THAT(wrong("scenario", "task"), HasSubstr("benchmark = flock is a simulation"));
  EXPECT_THAT(wrong("loss", "mse"), HasSubstr("a loss of its own"));
  EXPECT_THAT(wrong("probe_every", "3"), HasSubstr("evaluate_every"));
  EXPECT_THAT(wrong("gating", "xdg"), HasSubstr("regime_input"));
  EXPECT_THAT(wrong("rule", "hebb"), HasSubstr("is not for agents"));
  EXPECT_THAT(wrong("imitation.batch", "3"), HasSubstr("no effect"));
  EXPECT_THAT(wrong("dqn.gama", "0.5"), HasSubstr("dqn.gamma"));
  EXPECT_THAT(wrong("dqn.gamma", "1"), HasSubstr("out of range"));
  EXPECT_THAT(failure(with(kFlock, {{"agent", "dqqn"}})), HasSubstr("'dqn'"));
  EXPECT_THAT(failure({{"benchmark", "flock"}, {"regimes", "mixd"}}), HasSubstr("'mixed'"));
  EXPECT_THAT(failure({{"benchmark", "flock"}, {"regimes", "mixed, mixed"}}), HasSubstr("twice"));
  EXPECT_THAT(failure({{"benchmark", "flock"}, {"agent", "expert"}, {"lr", "0.1"}}),
              HasSubstr("no effect"));
}

TEST(AgentSettings, KnowEveryKeyOfASchedule) {
  for (const OptionInfo& option : list_options<ScheduleOptions>())
    EXPECT_EQ(failure(with(kDqn, {{option.key, option.value}})), "") << option.key;
  const ScheduleOptions falls = settings(with(kDqn, {{"schedule", "cosine_restarts"},
                                                     {"restart_epochs", "2"},
                                                     {"restart_factor", "3"}}))
                                    .learner.schedule;
  EXPECT_EQ(falls.restart_epochs, 2);
  EXPECT_EQ(falls.restart_factor, 3);
  const Keys root{{"schedule", "inverse_sqrt"}, {"sqrt_of", "run"}};
  EXPECT_EQ(settings(with(kDqn, root)).learner.schedule.sqrt_of, StepsOf::Run);
}

TEST(AgentSettings, AreRefusedForADataSet) {
  for (const auto& [key, value] : Keys{{"agent", "dqn"},
                                       {"regimes", "mixed"},
                                       {"dqn.gamma", "0.5"},
                                       {"steps_per_regime", "10"}})
    EXPECT_THAT(failure({{"benchmark", "synthetic"}, {key, value}}),
                HasSubstr("synthetic is a data set"));
}

void expect_same_returns(const RunRecord& a, const RunRecord& b) {
  ASSERT_TRUE(a.returns && b.returns);
  const auto same = [](const auto& x, const auto& y) {
    ASSERT_EQ(x.size(), y.size());
    for (auto i = x.begin(), j = y.begin(); i != x.end(); ++i, ++j)
      EXPECT_PRED2(same_number, *i, *j);
  };
  same(a.returns->returns, b.returns->returns);
  same(a.returns->random, b.returns->random);
  same(a.returns->expert, b.returns->expert);
  same(a.returns->random_measures, b.returns->random_measures);
  same(a.returns->expert_measures, b.returns->expert_measures);
  EXPECT_EQ(a.returns->measure_names, b.returns->measure_names);
  EXPECT_EQ(a.returns->agent, b.returns->agent);
  EXPECT_EQ(a.returns->simulation, b.returns->simulation);
  ASSERT_EQ(a.returns->measures.size(), b.returns->measures.size());
  for (std::size_t m = 0; m < a.returns->measures.size(); ++m)
    same(a.returns->measures[m], b.returns->measures[m]);
  ASSERT_EQ(a.returns->curve.size(), b.returns->curve.size());
  for (std::size_t i = 0; i < a.returns->curve.size(); ++i) {
    const LearningPoint &x = a.returns->curve[i], &y = b.returns->curve[i];
    EXPECT_EQ(x.experience, y.experience);
    EXPECT_EQ(x.interactions, y.interactions);
    EXPECT_PRED2(same_number, x.train_return, y.train_return) << i;
    EXPECT_PRED2(same_number, x.test_return, y.test_return) << i;
    EXPECT_PRED2(same_number, x.score, y.score) << i;
    same(x.measures, y.measures);
  }
}

TEST(AgentRun, IsJudgedByTheSameWorldsHoweverManyLearn) {
  const TempFolder folder;
  const auto levels = [&](const char* bodies) {
    const RunRecord r = run({{"benchmark", "flock"},
                             {"regimes", "mixed"},
                             {"agent", "random"},
                             {"film_frames", "0"},
                             {"bodies", bodies}},
                            {folder.path() / bodies, 1});
    EXPECT_EQ(r.test_sizes, std::vector<int>{80});
    return std::pair(r.returns->random, r.returns->random_measures);
  };
  EXPECT_EQ(levels("3"), levels("7"));
}

TEST(AgentRun, FillsEveryRowAndTheLearningCurves) {
  const TempFolder folder;
  const RunRecord r = run(with(kImitation, {{"bodies", "30"}}), {folder.path(), 1});  // who meet
  EXPECT_TRUE(r.complete);
  ASSERT_TRUE(r.is_score());
  EXPECT_EQ(r.task_names, (std::vector<std::string>{"mixed", "separation"}));
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 2; ++j) {
      EXPECT_TRUE(std::isfinite(r.accuracy(i, j)));
      EXPECT_NEAR(r.accuracy(i, j),
                  (r.returns->returns(i, j) - r.returns->random[j]) /
                      (r.returns->expert[j] - r.returns->random[j]),
                  1e-12);
      EXPECT_TRUE(std::isfinite(r.returns->measures[0](i, j)));
    }
  // The teacher itself is never wrong, and better than chance.
  EXPECT_NEAR(r.returns->expert[0], 0, 1e-3);
  EXPECT_LT(r.returns->random[0], -1);
  // Where a regime begins and after each 600 interactions.
  std::vector<std::int64_t> places;
  for (const LearningPoint& p : r.returns->curve)
    places.push_back(p.interactions);
  EXPECT_EQ(places, (std::vector<std::int64_t>{0, 600, 1200, 1800, 1800, 2400, 3000, 3600}));
  EXPECT_EQ(r.returns->curve[3].test_return, r.returns->returns(1, 0));
  EXPECT_EQ(r.returns->curve[4].test_return, r.returns->returns(1, 1));
  EXPECT_EQ(r.epochs.size(), 6u);
  EXPECT_GT(r.accuracy(1, 0), 0.5);
  EXPECT_GT(r.accuracy(2, 1), r.accuracy(0, 1));
  EXPECT_GT(r.optimizer_steps, 3000);
  EXPECT_GT(r.train_macs.dense, 0);
  EXPECT_GT(r.test_macs.dense, 0);
  ASSERT_EQ(r.pictures.size(), 1u);
  const PictureRecord& film = r.pictures[0];
  EXPECT_EQ(film.name, kFilm);
  EXPECT_EQ(film.moments, (std::vector<std::string>{"mixed, before training", "after mixed",
                                                    "after separation"}));
  EXPECT_EQ(film.count, 3u);
  // Boids have moved between the first frame and the last.
  const std::size_t frame = film.height * film.width * film.channels;
  EXPECT_FALSE(std::equal(film.pixels.begin(), film.pixels.begin() + static_cast<long>(frame),
                          film.pixels.begin() + static_cast<long>(2 * frame)));
  EXPECT_FALSE(std::filesystem::exists(RunFiles{folder.path(), 1}.checkpoint()));
}

TEST(AgentRun, SeedsDifferAndLevelsDoNot) {
  const TempFolder folder;
  const RunRecord a = run(kDqn, {folder.path(), 1}), b = run(kDqn, {folder.path(), 2});
  EXPECT_EQ(a.returns->random, b.returns->random);
  EXPECT_EQ(a.returns->expert, b.returns->expert);
  EXPECT_NE(a.accuracy, b.accuracy);
}

TEST(AgentRun, StoppedAnywhereItReachesTheSameBits) {
  const TempFolder folder;
  for (const Keys& keys : {kDqn, kImitation}) {
    const std::string name = keys == kDqn ? "dqn" : "imitation";
    const RunRecord whole = run(keys, {folder / (name + " whole"), 3});
    for (const int steps : {1, 250, 420}) {
      const RunFiles files{folder / (name + std::to_string(steps)), 3};
      const Settings s = settings(keys);
      std::atomic<bool> stop = false;
      int seen = 0;
      RunRequest request{.seed = 3, .files = files};
      request.stop = &stop;
      request.progress = [&](const Progress& p) {
        EXPECT_TRUE(p.acts);
        stop = !p.evaluating && ++seen >= steps;
      };
      ASSERT_EQ(execute_run(s, Dataset{}, request), RunOutcome::Interrupted);
      EXPECT_EQ(run_state(files, s), RunState::Resumable);
      ASSERT_EQ(execute_run(s, Dataset{}, {.seed = 3, .files = files}), RunOutcome::Finished);
      const RunRecord two = load_results(files.results());
      expect_same_numbers(whole, two);
      expect_same_returns(whole, two);
      expect_same_pictures(whole, two);
    }
  }
}

TEST(AgentRun, ThatBeginsAnewRemovesTheWeightsOfBefore) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  const Keys keys = with(kDqn, {{"keep_weights", "yes"}, {"regimes", "mixed"}});
  run(keys, files);
  bool was_there = false, begun = false;
  RunRequest request{.seed = 0, .files = files, .resume = false};
  request.progress = [&](const Progress& p) {
    begun = begun || !p.evaluating;
    const bool there = std::filesystem::exists(files.weights());
    if (begun)
      was_there = was_there || there;
    else
      EXPECT_TRUE(there && peek_results(files.results())->complete);
  };
  EXPECT_EQ(execute_run(settings(keys), Dataset{}, request), RunOutcome::Finished);
  EXPECT_FALSE(was_there);
  EXPECT_TRUE(std::filesystem::exists(files.weights()));
}

TEST(AgentRun, LevelsAreZeroAndOne) {
  const TempFolder folder;
  const Keys base{{"benchmark", "flock"},      {"bodies", "6"},
                  {"test_episodes", "6"},      {"film_frames", "0"},
                  {"regimes", "mixed, align"}, {"steps_per_regime", "600"}};
  const RunRecord random = run(with(base, {{"agent", "random"}}), {folder / "random", 1});
  const RunRecord expert = run(with(base, {{"agent", "expert"}}), {folder / "expert", 1});
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 2; ++j) {
      EXPECT_NEAR(random.accuracy(i, j), 0, 1e-12);
      EXPECT_NEAR(expert.accuracy(i, j), 1, 1e-12);
    }
  EXPECT_EQ(random.returns->curve.size(), 4u);
  EXPECT_EQ(random.model_text, "no network\n");
}

TEST(AgentRun, SynapsesMoveByTheLossOfTheAgent) {
  const Keys sparse = with(kDqn, {{"regimes", "mixed"},
                                  {"steps_per_regime", "1200"},
                                  {"film_frames", "0"},
                                  {"sparsify", "yes"},
                                  {"percent_on_fc", "0.5"},
                                  {"weight_sparsity_fc", "0.4"},
                                  {"weight_storage", "sparse"},
                                  {"keep_weights", "yes"}});
  const std::vector<Keys> kinds{{{"strategies", "rigl"}, {"rigl.every", "20"}},
                                {{"strategies", "dynamic_synapses"},
                                 {"dynamic_synapses.every", "20"},
                                 {"dynamic_synapses.claims", "no"}}};  // there is no stream to ask
  for (const Keys& kind : kinds) {
    SCOPED_TRACE(kind[0].second);
    const TempFolder folder;
    const RunFiles files{folder.path(), 1};
    const Keys keys = with(sparse, kind);
    EXPECT_TRUE(run(keys, files).complete);
    // Where the synapses of the hidden layer lead to, by the file; and where they began.
    std::vector<float> after;
    h5::load(files.weights(), [&](const h5::Group& root) {
      after = root.open("states").read_floats("linear1.inputs");
    });
    const Settings s = settings(keys);
    const Minds minds = make_minds(s, regimes_of(s), files.seed);
    ASSERT_NE(minds.net->layer(0).existing_synapses(), nullptr);
    const SparseSynapses& synapses = *minds.net->layer(0).existing_synapses();
    ASSERT_EQ(after.size(), synapses.entries());
    int moved = 0;
    for (std::size_t slot = 0; slot < after.size(); ++slot)
      moved += static_cast<int>(after[slot]) != synapses.edge(slot).input;
    EXPECT_GT(moved, 0);
  }
}

TEST(AgentRun, GoesOnFromNoStateThatTrainingCannotLeave) {
  const Settings s = settings(with(kDqn, {{"batch_norm", "yes"}}));
  const Minds minds = make_minds(s, regimes_of(s), 1);
  StrategyList strategies;
  Cursor cursor;
  RunRecord record = sample_run("agents", 3, 4);
  const RunParts parts{*minds.net, *minds.optimizer, *minds.rule, strategies, cursor, record};
  const TempFolder folder;
  save_checkpoint(folder / "good.h5", parts);
  load_checkpoint(folder / "good.h5", parts);
  minds.net->params().states().back() = -1;
  save_checkpoint(folder / "bad.h5", parts);
  EXPECT_THAT(error_of([&] { load_checkpoint(folder / "bad.h5", parts); }, Fault::Data),
              HasSubstr("batch_norm1.variance holds -1"));
}

TEST(AgentRun, GoesOnFromACheckpointWithoutCountsOfMeasures) {
  const Settings s = settings(kDqn);
  const Minds minds = make_minds(s, regimes_of(s), 1);
  StrategyList strategies;
  Cursor cursor;
  cursor.examples = 7, cursor.measures = {3, 4};  // as versions wrote it that counted none
  RunRecord record = sample_run("agents", 3, 4);
  const RunParts parts{*minds.net, *minds.optimizer, *minds.rule, strategies, cursor, record};
  const TempFolder folder;
  save_checkpoint(folder / "old.h5", parts);
  load_checkpoint(folder / "old.h5", parts);
  EXPECT_EQ(cursor.measured, (std::vector<std::int64_t>{7, 7})) << "all examples counted then";
  EXPECT_EQ(minds.optimizer->taken(), record.optimizer_steps);
  cursor.measured = {5, 0};
  save_checkpoint(folder / "new.h5", parts);
  cursor.measured.clear();
  load_checkpoint(folder / "new.h5", parts);
  EXPECT_EQ(cursor.measured, (std::vector<std::int64_t>{5, 0}));
  cursor.measured = {5};
  save_checkpoint(folder / "bad.h5", parts);
  EXPECT_THAT(error_of([&] { load_checkpoint(folder / "bad.h5", parts); }, Fault::Data),
              HasSubstr("differ in number"));
}

TEST(AgentRun, RunsOfOneProtocolAreCompared) {
  const TempFolder folder;
  const RunRecord dqn = run(kDqn, {folder / "a", 1});
  const RunRecord imitation = run(with(kImitation, {{"regime_input", "yes"}}), {folder / "b", 1});
  EXPECT_TRUE(protocol_differences(dqn, imitation).empty());
  const RunRecord untold = run(kImitation, {folder / "c", 1});
  EXPECT_FALSE(protocol_differences(dqn, untold).empty());
}

// ---- The file ----

RunRecord sample() {
  RunRecord r = sample_run("agents", 3, 4);
  add_sample_returns(r);
  return r;
}

TEST(ReturnsFile, ComesBackAsItWas) {
  const TempFolder folder;
  const RunRecord before = sample();
  save_results(folder / "x.h5", before, ForgettingDefinition::Chaudhry);
  const RunRecord after = load_results(folder / "x.h5");
  EXPECT_EQ(before.accuracy, after.accuracy);
  EXPECT_LT(after.accuracy(0, 2), 0);
  EXPECT_GT(after.accuracy(3, 0), 1);
  expect_same_returns(before, after);
  h5::load(folder / "x.h5", [](const h5::Group& root) {
    EXPECT_EQ(root.open("returns").text_attribute("agent"), "dqn");
  });
}

/// A copy of a good file in which a data set of /returns is another one.
void expect_refusal(const std::function<void(ReturnRecord&)>& spoil, const std::string& part) {
  const TempFolder folder;
  RunRecord r = sample();
  spoil(*r.returns);
  save_results(folder / "x.h5", r, ForgettingDefinition::Chaudhry);
  try {
    load_results(folder / "x.h5");
    ADD_FAILURE() << "was read; should have complained about " << part;
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Data);
    EXPECT_THAT(e.what(), HasSubstr(part));
  }
}

TEST(ReturnsFile, RefusesWhatCannotBe) {
  constexpr double kHuge = 1e30;
  expect_refusal([](ReturnRecord& r) { r.returns(1, 1) = kHuge; }, "returns/returns");
  expect_refusal([](ReturnRecord& r) { r.random[0] = -kHuge; }, "returns/random");
  expect_refusal([](ReturnRecord& r) { r.expert[0] = kHuge; }, "returns/expert");
  expect_refusal([](ReturnRecord& r) { r.measures[1](0, 0) = kHuge; }, "returns/measures");
  expect_refusal([](ReturnRecord& r) { r.random_measures(0, 0) = kHuge; }, "random_measures");
  expect_refusal([](ReturnRecord& r) { r.expert_measures(0, 0) = kHuge; }, "expert_measures");
  expect_refusal([](ReturnRecord& r) { r.curve[0].experience = 3; }, "returns/curve/experience");
  expect_refusal([](ReturnRecord& r) { r.curve[0].experience = -1; }, "returns/curve/experience");
  expect_refusal([](ReturnRecord& r) { r.curve[0].interactions = -1; }, "curve/interactions");
  expect_refusal([](ReturnRecord& r) { r.curve[1].test_return = kHuge; }, "curve/test_return");
  expect_refusal([](ReturnRecord& r) { r.curve[1].score = kHuge; }, "curve/score");
  expect_refusal([](ReturnRecord& r) { r.curve[1].measures[0] = kHuge; }, "curve/measures");
  expect_refusal([](ReturnRecord& r) { r.curve[1].measures.push_back(1); }, "curve/measures");
}

TEST(ReturnsFile, ScoresAreRefusedWhereNoAgentActs) {
  const TempFolder folder;
  RunRecord r = sample();
  r.returns.reset();
  save_results(folder / "x.h5", r, ForgettingDefinition::Chaudhry);
  EXPECT_THROW(load_results(folder / "x.h5"), Error);
}

TEST(ReturnsShown, NameScoresAndStandBesideChanceAndExpert) {
  const std::string text = show_experiment({sample()}, ForgettingDefinition::Chaudhry, false, 120);
  EXPECT_THAT(text, HasSubstr("score, %"));
  EXPECT_THAT(text, HasSubstr("random"));
  EXPECT_THAT(text, HasSubstr("expert"));
  EXPECT_THAT(text, HasSubstr("arrived"));
  EXPECT_EQ(text.find("accuracy, %"), std::string::npos);
}

TEST(ReturnsShown, AreInTheJson) {
  ExperimentRuns e{"agents", "results/agents", {}, {}, ForgettingDefinition::Chaudhry};
  e.runs.push_back(sample()), e.files.emplace_back("seed-4.h5");
  const auto json = results_json({{e}, {}}, {});
  const auto& returns = json["experiments"][0]["runs"][0]["returns"];
  EXPECT_EQ(returns["agent"], "dqn");
  EXPECT_EQ(returns["curve"].size(), 6u);
  EXPECT_TRUE(returns["curve"][0]["train_return"].is_null());
  EXPECT_EQ(returns["measures"].size(), 2u);
}

}  // namespace
}  // namespace engram
