// The border between layers that learn from their own activity and the head: who learns when.
#include <gtest/gtest.h>

#include "learners/registry.h"
#include "tests/learners/examples.h"
#include "tests/learners/strategy_bench.h"

namespace engram {
namespace {

using testing::Keys;
using testing::random_batch;
using testing::Ruled;
using testing::stack;
using testing::StrategyBench;

constexpr int kInputs = 8, kRows = 20;

Ruled three_layers(const char* rule, Keys keys) {
  return {rule, keys, {1, 1, kInputs}, stack(linear(6), relu(), linear(6), relu(), linear(4))};
}
std::vector<real> copy_of(Ruled& ruled, const char* name) {
  const CMat m = ruled.net->params().value(ruled.net->params().find(name));
  return {m.data, m.data + m.size()};
}
double largest_step(const std::vector<real>& before, const std::vector<real>& after) {
  double most = 0;
  for (std::size_t i = 0; i < after.size(); ++i)
    most = std::max(most, static_cast<double>(std::abs(after[i] - before[i])));
  return most;
}
bool has_gradient(Ruled& ruled, const char* name) {
  const ParamStore& params = ruled.net->params();
  return params.param(params.find(name)).form != GradientForm::Zero;
}
void expect_config_error(const std::function<void()>& act, const char* part) {
  try {
    act();
    FAIL() << "not refused";
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Config);
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

TEST(HebbianRule, OneLayerLearnsBelowAHeadOfTwo) {
  Ruled ruled = three_layers("krotov", {{"hebbian.head", "backprop"}});
  ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
  const auto before = copy_of(ruled, "linear1.weight");
  ruled.learn(random_batch(kRows, kInputs, 4));
  EXPECT_NE(copy_of(ruled, "linear1.weight"), before);
  EXPECT_FALSE(has_gradient(ruled, "linear1.weight"));
  EXPECT_TRUE(has_gradient(ruled, "linear2.weight"));
  EXPECT_TRUE(has_gradient(ruled, "linear3.weight"));
  EXPECT_FALSE(ruled.net->params().param(ruled.net->params().find("linear1.weight")).trainable);
}

TEST(HebbianRule, TheHeadLearnsAsIfTheLayersBelowWereItsInput) {
  for (const char* head : {"backprop", "feedback_alignment", "direct_feedback", "usf", "brsf",
                           "frsf", "counter_hebb", "kolen_pollack"}) {
    SCOPED_TRACE(head);
    Ruled below = three_layers("frozen", {{"hebbian.head", head}});
    Ruled whole = three_layers(head, {});
    below.rule->begin_epoch(*below.net, {.epochs = 1});
    whole.rule->begin_epoch(*whole.net, {.epochs = 1});
    // The same weights in both; biases below the border are 0.
    const auto from = whole.net->params().values();
    std::ranges::fill(whole.net->params().value(whole.net->params().find("linear1.bias")).all(),
                      real{0});
    std::ranges::copy(from, below.net->params().values().begin());
    const Batch batch = random_batch(kRows, kInputs, 4);
    below.learn(batch), whole.learn(batch);
    for (const char* name : {"linear2.weight", "linear2.bias", "linear3.weight"})
      EXPECT_EQ(below.gradient(name), whole.gradient(name)) << name;
  }
}

TEST(HebbianRule, EpochsWithoutLabelsComeFirst) {
  Ruled ruled = three_layers("krotov", {{"hebbian.epochs", "2"}, {"hebbian.batch_size", "7"}});
  const auto kind = [&](int epoch) {
    return ruled.rule->begin_epoch(*ruled.net, {.epoch = epoch, .epochs = 5});
  };
  EXPECT_FALSE(kind(0).labelled);
  EXPECT_EQ(kind(1).batch_size, 7);
  EXPECT_EQ(kind(1).still, 0);
  EXPECT_FALSE(kind(1).labelled);
  const Batch batch = random_batch(kRows, kInputs, 4);
  const auto head = copy_of(ruled, "linear3.weight");
  ruled.learn(batch);
  EXPECT_FALSE(has_gradient(ruled, "linear3.weight"));
  const EpochKind later = kind(2);
  EXPECT_TRUE(later.labelled);
  EXPECT_EQ(later.batch_size, 0);
  EXPECT_EQ(later.unlabelled, 2);
  EXPECT_EQ(later.still, 2) << "linear1 and its relu";
  const auto features = copy_of(ruled, "linear1.weight");
  ruled.learn(batch);
  EXPECT_EQ(copy_of(ruled, "linear1.weight"), features);
  EXPECT_TRUE(has_gradient(ruled, "linear3.weight"));
}

TEST(HebbianRule, TheRateFallsOverTheEpochs) {
  const Batch batch = random_batch(kRows, kInputs, 4);
  const auto step_in = [&](int epoch, const Keys& keys) {
    Ruled ruled = three_layers("krotov", keys);
    ruled.rule->begin_epoch(*ruled.net, {.epoch = epoch, .epochs = 4});
    const auto before = copy_of(ruled, "linear1.weight");
    ruled.learn(batch);
    return largest_step(before, copy_of(ruled, "linear1.weight"));
  };
  // The largest step of a weight is the rate.
  EXPECT_NEAR(step_in(0, {}), 0.02, 1e-6);
  EXPECT_NEAR(step_in(3, {}), 0.005, 1e-6);
  EXPECT_NEAR(step_in(3, {{"hebbian.anneal", "none"}}), 0.02, 1e-6);
  EXPECT_NEAR(step_in(0, {{"hebbian.lr", "0.3"}}), 0.3, 1e-5);
}

TEST(HebbianRule, ALayerWithoutARateStandsStill) {
  for (const char* rule : {"gupta", "hebb", "oja", "krotov", "winner_take_all", "softhebb"}) {
    SCOPED_TRACE(rule);
    Ruled ruled = three_layers(
        rule,
        {{"hebbian.layers", "2"}, {"hebbian.lr", "0.001, 0"}, {"gupta.unscaled_mean", "yes"}});
    ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
    const auto lower = copy_of(ruled, "linear1.weight"), upper = copy_of(ruled, "linear2.weight");
    for (const std::uint64_t seed : {1u, 2u, 3u})
      ruled.learn(random_batch(kRows, kInputs, 4, 1, seed));
    EXPECT_EQ(copy_of(ruled, "linear2.weight"), upper);
    EXPECT_NE(copy_of(ruled, "linear1.weight"), lower);
    for (const real w : copy_of(ruled, "linear1.weight"))
      EXPECT_TRUE(std::isfinite(w));
  }
}

TEST(HebbianRule, LaterTasksMayFreezeOrSlowTheFeatures) {
  const Batch batch = random_batch(kRows, kInputs, 4);
  for (const char* later : {"0", "0.1", "1"}) {
    Ruled ruled =
        three_layers("krotov", {{"hebbian.later_rate", later}, {"hebbian.anneal", "none"}});
    ruled.rule->begin_epoch(*ruled.net, {.experience = 1, .experiences = 2, .epochs = 1});
    const auto before = copy_of(ruled, "linear1.weight");
    ruled.learn(batch);
    EXPECT_NEAR(largest_step(before, copy_of(ruled, "linear1.weight")), 0.02 * std::atof(later),
                1e-6)
        << later;
  }
}

TEST(HebbianRule, LayersThatDoNotLearnStandStill) {
  const auto still = [](const char* rule, const Keys& keys, int experience) {
    Ruled ruled = three_layers(rule, keys);
    return ruled.rule
        ->begin_epoch(*ruled.net, {.experience = experience, .experiences = 2, .epochs = 1})
        .still;
  };
  EXPECT_EQ(still("krotov", {{"hebbian.later_rate", "0"}}, 0), 0);
  EXPECT_EQ(still("krotov", {{"hebbian.later_rate", "0"}}, 1), 2);
  EXPECT_EQ(still("krotov", {}, 1), 0);
  EXPECT_EQ(still("frozen", {}, 0), 2);
}

TEST(HebbianRule, FeaturesThatStandStillAreBoostedAlikeInAllEpochs) {
  const auto strength_after = [](const char* rule) {
    testing::BenchPlan plan;
    plan.rule = rule, plan.learner.epochs = 3;
    StrategyBench s(
        plan,
        stack(linear(6),
              k_winners({.percent_on = 0.5, .boost_strength = 2, .boost_strength_factor = 0.5})));
    Observer nobody;
    Cursor cursor;
    EXPECT_TRUE(s.run(nobody, cursor));
    ParamStore& params = s.net->params();
    for (int id = 0; id < params.state_count(); ++id)
      if (params.state_param(id).name.ends_with("boost_strength")) return params.state(id).data[0];
    return real{-1};
  };
  EXPECT_FLOAT_EQ(static_cast<float>(strength_after("backprop")), 2.F / 64);  // 2 tasks of 3 epochs
  EXPECT_FLOAT_EQ(static_cast<float>(strength_after("frozen")), 2);
}

TEST(HebbianRule, ATaskMayHaveUnitsOfItsOwn) {
  for (const char* rule :
       {"krotov", "softhebb", "oja", "sanger", "hebb", "gupta", "winner_take_all"}) {
    SCOPED_TRACE(rule);
    Ruled ruled = three_layers(rule, {{"hebbian.blocks", "yes"}});
    const auto drawn = copy_of(ruled, "linear1.weight");
    const auto own = [](std::size_t weight, int task) {
      return static_cast<int>(weight % 6) / 2 == task;
    };
    std::vector<real> before;
    for (int task = 0; task < 3; ++task) {
      ruled.rule->begin_epoch(*ruled.net, {.experience = task, .experiences = 3, .epochs = 1});
      const auto awake = copy_of(ruled, "linear1.weight");
      for (std::size_t i = 0; i < awake.size(); ++i) {
        if (own(i, task)) {
          EXPECT_EQ(awake[i], drawn[i]);
        } else {
          EXPECT_EQ(awake[i], before.empty() ? real{0} : before[i]);
        }
      }
      ruled.learn(random_batch(kRows, kInputs, 4));
      before = copy_of(ruled, "linear1.weight");
      bool moved = false;
      for (std::size_t i = 0; i < before.size(); ++i) {
        moved |= own(i, task) && before[i] != awake[i];
        if (!own(i, task)) {
          EXPECT_EQ(before[i], awake[i]);
        }
      }
      EXPECT_TRUE(moved);
      // Nor do silent units count as ones that moved: two of six learn.
      const std::string name = rule;
      const double share = ruled.rule->measures()[0];
      EXPECT_LE(share, 2. / 6 + 1e-9);
      if (name == "hebb" || name == "oja") {
        EXPECT_NEAR(share, 2. / 6, 1e-9);
      }
      // Going on within the epoch wakes nobody again.
      ruled.rule->begin_epoch(*ruled.net,
                              {.experience = task, .experiences = 3, .epochs = 1, .step = 1});
      EXPECT_EQ(copy_of(ruled, "linear1.weight"), before);
    }
  }
}

TEST(HebbianRule, UnitsOfATaskKnowNothingOfEarlierOnes) {
  for (const auto storage : {WeightStorage::Dense, WeightStorage::Sparse}) {
    const auto second_task = [&](bool first_one_too) {
      Ruled ruled("gupta", {{"hebbian.blocks", "yes"}, {"hebbian.lr", "0.1"}}, {1, 1, kInputs},
                  stack(linear(6, {.density = 0.5, .storage = storage}), relu(), linear(4)));
      const auto learn = [&](int task, std::initializer_list<std::uint64_t> batches) {
        ruled.rule->begin_epoch(*ruled.net, {.experience = task, .experiences = 3, .epochs = 1});
        const auto before = copy_of(ruled, "linear1.weight");
        for (const std::uint64_t seed : batches)
          ruled.learn(random_batch(kRows, kInputs, 4, 1, seed));
        return std::pair(before, copy_of(ruled, "linear1.weight"));
      };
      if (first_one_too)
        learn(0, {1, 2, 3});
      else
        learn(0, {});
      return learn(1, {4, 5, 6});
    };
    const auto [before, after] = second_task(true);
    const auto [fresh, alone] = second_task(false);
    std::size_t moved = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (after[i] == before[i]) continue;
      ++moved;
      EXPECT_NEAR(after[i], alone[i], 1e-6);
    }
    EXPECT_GT(moved, 0u);
    EXPECT_LE(moved, after.size() / 3);
  }
}

TEST(HebbianRule, ItsLayersMayStartByALawOfTheirOwn) {
  for (const auto storage : {WeightStorage::Dense, WeightStorage::Sparse}) {
    Ruled ruled("krotov", {{"hebbian.init", "uniform01"}, {"hebbian.init_scale", "3"}},
                {1, 1, kInputs},
                stack(linear(40, {.density = 0.5, .storage = storage}), relu(), linear(6), relu(),
                      linear(4)));
    double sum = 0, most = 0;
    int count = 0;
    for (const real w : copy_of(ruled, "linear1.weight")) {
      EXPECT_GE(w, 0);
      count += w > 0, sum += static_cast<double>(w), most = std::max(most, static_cast<double>(w));
    }
    EXPECT_EQ(count, 40 * kInputs / 2);  // missing ones stay away
    EXPECT_NEAR(sum / count, 1.5, 0.3);
    EXPECT_GT(most, 2.5);
    EXPECT_LT(most, 3);
    const auto above = copy_of(ruled, "linear2.weight");
    EXPECT_LT(std::ranges::min(above), 0);
    EXPECT_LT(std::ranges::max(above), 0.2);
  }
}

TEST(HebbianRule, UnitsMayBeKeptAtANorm) {
  for (const auto storage : {WeightStorage::Dense, WeightStorage::Sparse}) {
    Ruled ruled("hebb", {{"hebbian.norm", "0.7"}}, {1, 1, kInputs},
                stack(linear(5, {.density = 0.5, .storage = storage}), relu(), linear(4)));
    ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
    ruled.learn(random_batch(kRows, kInputs, 4));
    EXPECT_NEAR(ruled.rule->measures()[1], 0.7, 1e-6);
    double squares = 0;
    for (const real w : copy_of(ruled, "linear1.weight"))
      squares += static_cast<double>(w) * static_cast<double>(w);
    EXPECT_NEAR(squares, 5 * 0.49, 1e-5);
  }
}

TEST(HebbianRule, ACompetitionMayReadImagesBeforeTheirUnitNorm) {
  const auto moved = [](const char* raw, bool norm) {
    Ruled ruled("krotov", {{"hebbian.raw_input", raw}}, {1, 1, kInputs},
                norm ? stack(unit_norm(), linear(6), relu(), linear(4))
                     : stack(linear(6), relu(), linear(4)));
    const Mat w = ruled.net->params().value(ruled.net->params().find("linear1.weight"));
    for (int i = 0; i < w.rows; ++i)
      for (int u = 0; u < w.cols; ++u)
        w.row(i)[u] = static_cast<real>(((i * 5 + u * 3) % 7) - 3) / 4;
    ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
    ruled.learn(random_batch(kRows, kInputs, 4));
    return copy_of(ruled, "linear1.weight");
  };
  const auto raw = moved("yes", true), without = moved("yes", false), normed = moved("no", true);
  for (std::size_t i = 0; i < raw.size(); ++i)
    EXPECT_NEAR(raw[i], without[i], 1e-5);
  EXPECT_NE(raw, normed);
}

TEST(HebbianRule, PrototypesAreTheFirstExamples) {
  Ruled ruled("prototypes", {}, {1, 1, kInputs}, stack(linear(25), relu(), linear(4)));
  ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
  const Batch first = random_batch(kRows, kInputs, 4, 1, 1);
  const Batch second = random_batch(kRows, kInputs, 4, 1, 2);
  for (const Batch* batch : {&first, &second, &first})
    ruled.learn(*batch);
  const CMat w = ruled.net->params().value(ruled.net->params().find("linear1.weight"));
  for (int u = 0; u < 25; ++u)
    for (int i = 0; i < kInputs; ++i) {
      const Batch& from = u < kRows ? first : second;
      EXPECT_NEAR(w.row(i)[u], from.x.value().row(u % kRows)[i], 1e-6);
    }
}

TEST(HebbianRule, MeasuresWhatMoved) {
  Ruled ruled = three_layers("krotov", {{"krotov.delta", "0"}});
  ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
  Batch one = random_batch(1, kInputs, 4);
  ruled.learn(one);
  EXPECT_EQ(ruled.rule->measure_names(),
            (std::vector<std::string>{"moved_units/linear1", "norm/linear1"}));
  EXPECT_NEAR(ruled.rule->measures()[0], 1. / 6, 1e-9);
  EXPECT_GT(ruled.rule->measures()[1], 0);
}

TEST(HebbianRule, MeasuresNoNormWhereNothingMoved) {
  Ruled ruled = three_layers("prototypes", {});
  ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
  const Batch batch = random_batch(kRows, kInputs, 4);
  ruled.learn(batch);
  EXPECT_EQ(ruled.rule->measures()[0], 1);
  EXPECT_GT(ruled.rule->measures()[1], 0);
  ruled.learn(batch);  // every unit has its example
  EXPECT_EQ(ruled.rule->measures()[0], 0);
  EXPECT_TRUE(std::isnan(ruled.rule->measures()[1]));
}

TEST(HebbianRule, SynapsesThatDoNotExistHaveNoSign) {
  // With krotov.p = 1 a unit's drive is the sum of what comes over its synapses, if all are 1.
  Ruled ruled(
      "krotov", {{"krotov.p", "1"}, {"krotov.delta", "0"}}, {1, 1, kInputs},
      stack(linear(6, {.density = 0.5, .storage = WeightStorage::Dense}), relu(), linear(4)));
  ParamStore& params = ruled.net->params();
  const int id = params.find("linear1.weight");
  const std::vector<std::uint8_t> mask = params.param(id).mask;
  const auto inputs_of = [&](std::size_t unit) {
    std::vector<std::uint8_t> own;
    for (std::size_t i = 0; i < kInputs; ++i)
      own.push_back(mask[i * 6 + unit]);
    return own;
  };
  std::size_t winner =
      0;  // the first with other inputs than unit 0, which wins where all are equal
  while (winner < 6 && inputs_of(winner) == inputs_of(0))
    ++winner;
  ASSERT_LT(winner, 6u);
  const Mat w = params.value(id);
  Batch batch = random_batch(1, kInputs, 4);
  for (std::size_t i = 0; i < w.size(); ++i)
    w.data[i] = mask[i];
  for (std::size_t i = 0; i < kInputs; ++i)
    batch.x.value().data[i] = inputs_of(winner)[i];
  ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
  ruled.learn(batch);
  for (std::size_t i = 0; i < w.size(); ++i)
    EXPECT_EQ(w.data[i] != mask[i], i % 6 == winner && mask[i] != 0) << i;
}

TEST(HebbianRule, RefusesWhatMakesNoSense) {
  const auto grouped = [] { return stack(grouped_conv2d(4, 2, 1, 0, 2), relu(), linear(3)); };
  expect_config_error([&] { Ruled("sanger", {}, {4, 4, 2}, grouped()); }, "grouped_conv1");
  Ruled("krotov", {}, {4, 4, 2}, grouped());
  expect_config_error([] { three_layers("krotov", {{"hebbian.layers", "3"}}); }, "no layer");
  expect_config_error(
      [] {
        three_layers("krotov", {{"hebbian.head", "softhebb"}});
      },
      "hebbian.head");
  expect_config_error([] { three_layers("krotov", {{"hebbian.head", "pff"}}); }, "hebbian.head");
  expect_config_error(
      [] {
        three_layers("softhebb", {{"softhebb.inverse_temperature", ""}});
      },
      "softhebb.inverse_temperature is empty");
  expect_config_error(
      [] {
        const Ruled ruled = three_layers("krotov", {{"hebbian.epochs", "5"}});
        ruled.rule->check_epochs(0, 6);
        ruled.rule->check_epochs(1, 5);
      },
      "none of the 5 epochs of task 2");
  for (const char* rule : {"krotov", "winner_take_all", "softhebb", "oja"})
    expect_config_error(
        [&] {
          const Ruled ruled = three_layers(rule, {{"hebbian.blocks", "yes"}});
          ruled.rule->begin_epoch(*ruled.net, {.experiences = 6, .epochs = 1});
          ruled.rule->begin_epoch(*ruled.net, {.experiences = 7, .epochs = 1});
        },
        "linear1 has 6 units, which are too few for 7 tasks");
  three_layers("krotov", {{"hebbian.epochs", "5"}, {"hebbian.later_rate", "0"}})
      .rule->check_epochs(1, 5);
}

}  // namespace
}  // namespace engram
