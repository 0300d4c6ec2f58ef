// /returns of a results file, written and read: how agents did in a simulation.
#include <limits>

#include <fmt/format.h>

#include "exps/results_parts.h"
#include "utils/error.h"

namespace engram::results {
namespace {

constexpr std::size_t kMostMeasures = 1000;

void put_measures(const h5::Group& group, const ReturnRecord& r, std::size_t tasks) {
  std::vector<double> values;
  for (const Table& measure : r.measures)
    values.insert(values.end(), measure.begin(), measure.end());
  put<double>(group, "measures", values, {r.measures.size(), tasks + 1, tasks},
              {"1", "[measure, T + 1, T]: means over the same episodes as returns"});
  put_table(group, "random_measures", r.random_measures,
            {"1", "[measure, T]: of the random agent"});
  put_table(group, "expert_measures", r.expert_measures, {"1", "[measure, T]: of the expert"});
}

void put_curve(const h5::Group& group, const ReturnRecord& r) {
  const h5::Group curve = group.create("curve");
  std::vector<std::int64_t> experience, interactions;
  std::vector<double> train, test, score;
  for (const LearningPoint& p : r.curve) {
    experience.push_back(p.experience), interactions.push_back(p.interactions);
    train.push_back(p.train_return), test.push_back(p.test_return), score.push_back(p.score);
  }
  put(curve, "experience", experience, {"index", "regime that is learnt and tested, from 0"});
  put(curve, "interactions", interactions,
      {"interactions", "of the whole run so far; every step of every body is one"});
  put(curve, "train_return", train,
      {"reward", "mean over the episodes of training since the last point, exploration included"});
  put(curve, "test_return", test, {"reward", "mean over test episodes of the agent at its best"});
  put(curve, "score", score, {"1", "the score of test_return"});
  put_rows(curve, "measures", r.curve, &LearningPoint::measures, r.measure_names.size(),
           {"1", "[point, measure]: means over the same episodes as test_return"});
}

std::vector<LearningPoint> load_curve(const h5::Group& root, Budget& budget, std::size_t tasks,
                                      std::size_t measures) {
  const Reader curve(root, "returns/curve");
  const std::size_t n = curve.length("experience");
  budget.take(curve.path(), {n, 5 + measures}, sizeof(double));
  const auto experience = curve.integers("experience", {n}, static_cast<std::int64_t>(tasks) - 1);
  const auto interactions =
      curve.integers("interactions", {n}, std::numeric_limits<std::int64_t>::max());
  const auto numbers = [&](const char* name) {
    return curve.numbers(name, {n}, -kMostScore, kMostScore);
  };
  const auto train = numbers("train_return"), test = numbers("test_return"),
             score = numbers("score");
  const auto of_measures = curve.numbers("measures", {n, measures}, -kMostScore, kMostScore);
  std::vector<LearningPoint> points;
  for (std::size_t i = 0; i < n; ++i)
    points.push_back({static_cast<int>(experience[i]), interactions[i], train[i], test[i], score[i],
                      row_of(of_measures, i, measures)});
  return points;
}

}  // namespace

void save_returns(const h5::Group& root, const RunRecord& run) {
  if (!run.returns) return;
  const ReturnRecord& r = *run.returns;
  const std::size_t tasks = run.task_names.size(), measures = r.measure_names.size();
  ENGRAM_INVARIANT(r.returns.shape(0) == tasks + 1 && r.returns.shape(1) == tasks);
  ENGRAM_INVARIANT(r.random.size() == tasks && r.expert.size() == tasks);
  ENGRAM_INVARIANT(r.measures.size() == measures && r.random_measures.shape(0) == measures &&
                   r.expert_measures.shape(0) == measures);
  const h5::Group group = root.create("returns");
  group.attribute("simulation", r.simulation);
  group.attribute("agent", r.agent);
  put_table(group, "returns", r.returns,
            {"reward",
             "[T + 1, T]: mean return of a test episode in regime j after experience i; row 0 "
             "before training; NaN where not evaluated"});
  put(group, "random", r.random, {"reward", "per regime: return that scores 0, of random choices"});
  put(group, "expert", r.expert, {"reward", "per regime: return that scores 1, of the expert"});
  put_texts(group, "measure_names", r.measure_names, "what the simulation measures of an episode");
  put_measures(group, r, tasks);
  put_curve(group, r);
}

void load_returns(const h5::Group& root, Budget& budget, RunRecord& run) {
  if (!root.has("returns")) return;
  const Reader group(root, "returns");
  const std::size_t tasks = run.task_names.size(), measures = group.length("measure_names");
  if (measures > kMostMeasures)
    refuse(fmt::format("'returns/measure_names' has {} names; at most {} are read", measures,
                       kMostMeasures));
  budget.take("returns/measures", {measures + 2, tasks + 1, tasks + 1}, sizeof(double));
  ReturnRecord r{
      .simulation = group.group().text_attribute("simulation"),
      .agent = group.group().text_attribute("agent"),
      .returns = group.table("returns", {tasks + 1, tasks}, -kMostScore, kMostScore),
      .random = group.numbers("random", {tasks}, -kMostScore, kMostScore),
      .expert = group.numbers("expert", {tasks}, -kMostScore, kMostScore),
      .measure_names = group.texts("measure_names", measures),
      .measures = {},
      .random_measures = group.table("random_measures", {measures, tasks}, -kMostScore, kMostScore),
      .expert_measures = group.table("expert_measures", {measures, tasks}, -kMostScore, kMostScore),
      .curve = {}};
  const auto values =
      group.numbers("measures", {measures, tasks + 1, tasks}, -kMostScore, kMostScore);
  for (std::size_t m = 0; m < measures; ++m) {
    Table table({tasks + 1, tasks});
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(m * table.size()), table.size(),
                table.begin());
    r.measures.push_back(std::move(table));
  }
  r.curve = load_curve(root, budget, tasks, measures);
  run.returns = std::move(r);
}

}  // namespace engram::results
