// Learning without forgetting against its equation: what the old network said of every image goes
// on being said, as hard as the options have it.
#include <string>

#include "tests/learners/replay_bench.h"

namespace engram::testing {
namespace {

/// softmax(z / 2) over the first `outputs`, at y.
double softened(const Numbers& z, std::size_t outputs, std::size_t y) {
  double sum = 0;
  for (std::size_t o = 0; o < outputs; ++o)
    sum += std::exp(z[o] / 2);
  return y < outputs ? std::exp(z[y] / 2) / sum : 0;
}
std::vector<Numbers> logit_rows(CMat m) {
  std::vector<Numbers> all;
  for (int b = 0; b < m.rows; ++b)
    all.emplace_back(m.row(b), m.row(b) + m.cols);
  return all;
}

/// What the rows of a batch say before and after the network moves away, and the error that lwf
/// makes of `fill` then.
struct Pulled {
  std::vector<Numbers> then, now;
  Signal error;
  Pulled(StrategyBench& s, Strategy& lwf, Training& t, Batch& batch, real fill) {
    Tape tape;
    then = logit_rows(logits_of(s, batch, tape));
    for (real& v : s.net->params().values())
      v *= real{-1.5};
    const CMat logits = logits_of(s, batch, tape);
    now = logit_rows(logits);
    const Mat e = error.resize(batch.rows(), logits.cols);
    std::ranges::fill(e.all(), fill);
    lwf.shape_error(t, batch, logits, e);
  }
  double at(std::size_t row, std::size_t y) const {
    return static_cast<double>(std::as_const(error).value().row(static_cast<int>(row))[y]);
  }
};

/// New classes left out of the softmax, or with the target 0 in it; the loss of the present whole,
/// or the tasks weighed alike.
struct LwfCase {
  const char *outputs, *weigh_by_tasks;
};
class LwfOutputsOf : public ::testing::TestWithParam<LwfCase> {};
INSTANTIATE_TEST_SUITE_P(All, LwfOutputsOf,
                         ::testing::Values(LwfCase{"old", "no"}, LwfCase{"all", "no"},
                                           LwfCase{"old", "yes"}, LwfCase{"all", "yes"}),
                         [](const auto& param) {
                           return std::string(param.param.outputs) +
                                  (param.param.weigh_by_tasks[0] == 'y' ? "_weighed" : "");
                         });

TEST_P(LwfOutputsOf, PullsTowardsWhatTheOldNetworkSaid) {
  const auto [outputs, weigh] = GetParam();
  auto s = three_tasks(Head::Masked);
  Strategy& lwf = s.add("lwf", {{"lwf.lambda", "3"},
                                {"lwf.temperature", "2"},
                                {"lwf.outputs", outputs},
                                {"lwf.weigh_by_tasks", weigh}});
  const bool weighed = std::string(weigh) == "yes";
  for (const int task : {1, 2}) {
    auto t = s.training(task);
    Batch batch = s.batch(task);
    lwf.begin_experience(t);
    lwf.extend_batch(t, batch);
    const Pulled pulled(s, lwf, t, batch, 1);
    const auto &then = pulled.then, &now = pulled.now;
    const std::size_t known = 2 * static_cast<std::size_t>(task);
    const std::size_t competing = std::string(outputs) == "all" ? known + 2 : known;
    const double present = weighed ? 1. / (task + 1) : 1, past = weighed ? 1 - present : 1;
    for (std::size_t b = 0; b < now.size(); ++b)
      for (std::size_t y = 0; y < 6; ++y)
        EXPECT_NEAR(pulled.at(b, y),
                    present + past * 3 / batch.rows() / 2 *
                                  (softened(now[b], competing, y) - softened(then[b], known, y)),
                    1e-5)
            << task << " " << b << " " << y;
  }
}

TEST(Lwf, TakesTheWeightOfEachTaskAndTheLastOneFromThereOn) {
  auto s = three_tasks(Head::Masked);
  Strategy& lwf = s.add("lwf", {{"lwf.lambda", "0, 0.5"}, {"lwf.temperature", "2"}});
  for (const int task : {1, 2}) {
    auto t = s.training(task);
    Batch batch = s.batch(task);
    lwf.begin_experience(t);
    const Pulled pulled(s, lwf, t, batch, 0);
    const std::size_t known = 2 * static_cast<std::size_t>(task);
    for (std::size_t b = 0; b < pulled.now.size(); ++b)
      for (std::size_t y = 0; y < known; ++y)
        EXPECT_NEAR(pulled.at(b, y),
                    0.5 / batch.rows() / 2 *
                        (softened(pulled.now[b], known, y) - softened(pulled.then[b], known, y)),
                    1e-6)
            << task << " " << b << " " << y;
  }
}

TEST(Lwf, RefusesAnEmptyListOfWeights) {
  auto s = three_tasks(Head::Masked);
  EXPECT_THROW(s.add("lwf", {{"lwf.lambda", ""}}), Error);
}

TEST(Lwf, AsksEveryOldHeadAboutEveryImage) {
  BenchPlan plan;
  plan.classes = 6, plan.tasks = 3;
  plan.scenario = {.scenario = Scenario::Task, .head = Head::PerTask};
  StrategyBench s(plan, stack(linear(5), relu()));
  Strategy& lwf = s.add("lwf", {{"lwf.lambda", "3"}, {"lwf.temperature", "2"}});
  auto t = s.training(2);
  lwf.begin_experience(t);
  Batch batch = s.batch(2);
  const int own = batch.rows();
  lwf.extend_batch(t, batch);
  ASSERT_EQ(batch.rows(), 3 * own);
  EXPECT_EQ(batch.own_rows(), own);
  EXPECT_EQ(batch.distinct_rows(), own);
  const Pulled pulled(s, lwf, t, batch, 0);
  for (int b = 0; b < batch.rows(); ++b)
    for (std::size_t y = 0; y < 2; ++y) {
      const auto row = static_cast<std::size_t>(b);
      EXPECT_EQ(batch.task[row], b < own ? 2 : b / own - 1);
      const double pull = softened(pulled.now[row], 2, y) - softened(pulled.then[row], 2, y);
      // A mean over two old heads.
      EXPECT_NEAR(pulled.at(row, y), b < own ? 0 : 3. / own / 2 / 2 * pull, 1e-5);
    }
}

TEST(Lwf, SaysNothingOfRepeatsInTheNextBatch) {
  BenchPlan plan;
  plan.classes = 4, plan.tasks = 2;
  plan.scenario = {.scenario = Scenario::Task, .head = Head::PerTask};
  StrategyBench s(plan, stack(linear(5), relu()));
  Strategy& lwf = s.add("lwf");
  auto t = s.training(1);
  lwf.begin_experience(t);
  Batch batch = s.batch(1);
  lwf.extend_batch(t, batch);
  std::vector<std::uint32_t> places(batch.place);
  places.insert(places.end(), batch.place.begin(), batch.place.end());  // as many rows
  gather_batch(t.experience->train, places, *s.targets, 2, batch);
  EXPECT_EQ(batch.distinct_rows(), batch.rows());
}

/// The gates of every old head's own task decide what it is asked about.
TEST(Lwf, AsksOldHeadsThroughTheirOwnGates) {
  BenchPlan plan;
  plan.classes = 6, plan.tasks = 3;
  plan.scenario = {.scenario = Scenario::Task, .head = Head::PerTask};
  GatingOptions gates;
  gates.gating = "xdg";
  StrategyBench s(plan, stack(linear(20), relu()), 1, make_gating(gates, 3));
  Strategy& lwf = s.add("lwf", {{"lwf.lambda", "3"}, {"lwf.temperature", "2"}});
  auto t = s.training(2);
  lwf.begin_experience(t);
  Batch batch = s.batch(2);
  lwf.extend_batch(t, batch);
  const Pulled pulled(s, lwf, t, batch, 0);
  for (int b = batch.own_rows(); b < batch.rows(); ++b)
    for (std::size_t y = 0; y < 2; ++y) {
      const auto row = static_cast<std::size_t>(b);
      const double pull = softened(pulled.now[row], 2, y) - softened(pulled.then[row], 2, y);
      EXPECT_NEAR(pulled.at(row, y), 3. / batch.own_rows() / 2 / 2 * pull, 1e-5);
    }
}

}  // namespace
}  // namespace engram::testing
