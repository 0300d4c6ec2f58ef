#include "exps/analysis/comparison.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/exps/sample_run.h"
#include "tests/utils/error_of.h"

namespace engram {
namespace {

using Values = std::vector<double>;

/// One run per accuracy, with seeds 0, 1, ...; all tasks end at that accuracy.
ExperimentRuns experiment(const std::string& label, const Values& accuracies,
                          std::uint64_t first_seed = 0) {
  ExperimentRuns out{.label = label, .folder = "results/" + label};
  for (std::size_t i = 0; i < accuracies.size(); ++i) {
    RunRecord run = sample_run(label, 3, first_seed + i);
    for (std::size_t j = 0; j < 3; ++j)
      run.accuracy(3, j) = accuracies[i];
    out.runs.push_back(std::move(run));
    out.files.push_back(out.folder / ("seed-" + std::to_string(first_seed + i) + ".h5"));
  }
  return out;
}

/// The only pair of a comparison of two.
PairComparison compared(const ExperimentRuns& a, const ExperimentRuns& b,
                        const ComparisonOptions& options = {}) {
  return compare_experiments({a, b}, options).at(0);
}

const ExperimentRuns kDense = experiment("dense", {0.70, 0.72, 0.69, 0.71, 0.73});
const ExperimentRuns kSparse = experiment("sparse", {0.76, 0.77, 0.76, 0.77, 0.79});

TEST(Comparison, TestsTheDifferencesOfRunsWithTheSameSeed) {
  const PairComparison pair = compared(kDense, kSparse);
  const Values by_hand{0.06, 0.05, 0.07, 0.06, 0.06};
  EXPECT_EQ(pair.a, "dense");
  EXPECT_EQ(pair.b, "sparse");
  EXPECT_EQ(pair.seeds, (std::vector<std::uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(pair.left_out.empty());
  ASSERT_EQ(pair.differences, by_hand) << "equal but for rounding is equal";
  EXPECT_NEAR(pair.of_a.mean, 0.71, 1e-12);
  EXPECT_NEAR(pair.of_b.mean, 0.77, 1e-12);
  EXPECT_DOUBLE_EQ(pair.difference, 0.06);
  EXPECT_DOUBLE_EQ(pair.spread, stats::sd(by_hand));
  EXPECT_DOUBLE_EQ(pair.t.low, stats::t_interval(by_hand, 0.95).low);
  EXPECT_DOUBLE_EQ(pair.t_test.p, stats::paired_t(by_hand).p);
  EXPECT_DOUBLE_EQ(pair.t_holm, pair.t_test.p) << "one pair needs no correction";
  EXPECT_DOUBLE_EQ(pair.wilcoxon.p, 0.0625);
  EXPECT_DOUBLE_EQ(pair.effect, stats::hedges_gz(by_hand));
  EXPECT_EQ(pair.seeds_needed, stats::pairs_needed(pair.spread, 0.01));
  EXPECT_LE(0.05, pair.bca.low);
  EXPECT_LE(pair.bca.high, 0.07);
}

TEST(Comparison, SaysPlainlyThatADifferenceIsReal) {
  const PairComparison pair = compared(kDense, kSparse);
  EXPECT_EQ(pair.verdict, Verdict::Better);
  EXPECT_SAYS(pair.sentence,
              "sparse keeps 6.0 points more accuracy than dense (95 % BCa interval ");
  EXPECT_SAYS(pair.sentence, ", n = 5, p < 0.0001): the difference is real");
}

TEST(Comparison, TurnsWithTheOrder) {
  const PairComparison there = compared(kDense, kSparse), back = compared(kSparse, kDense);
  EXPECT_EQ(back.verdict, Verdict::Worse);
  EXPECT_EQ(back.sentence, there.sentence) << "the better one is named first";
  EXPECT_DOUBLE_EQ(back.difference, -there.difference);
  EXPECT_NEAR(back.bca.low, -there.bca.high, 1e-12);
  EXPECT_DOUBLE_EQ(back.t_test.p, there.t_test.p);
}

TEST(Comparison, LessForgettingIsBetter) {
  const PairComparison pair = compared(kDense, kSparse, {.metric = "forgetting"});
  EXPECT_LT(pair.difference, 0);
  EXPECT_EQ(pair.verdict, Verdict::Better);
  EXPECT_SAYS(pair.sentence, "sparse forgets 6.0 points less than dense");
  EXPECT_EQ(direction_of("stability_gap"), -1);
  EXPECT_EQ(direction_of("bwt"), 1);
  EXPECT_SAYS(compared(kDense, kSparse, {.metric = "bwt"}).sentence,
              "sparse has 6.0 points more backward transfer than dense");
}

TEST(Comparison, SaysThatTheDataCannotTellAndHowManySeedsWould) {
  const PairComparison pair = compared(kDense, experiment("other", {0.72, 0.70, 0.70, 0.70, 0.74}));
  EXPECT_EQ(pair.verdict, Verdict::CannotTell);
  EXPECT_TRUE(pair.sentence.starts_with("the data cannot tell: other keeps 0.20 points more"))
      << pair.sentence;
  EXPECT_GT(pair.seeds_needed, 5);
  EXPECT_SAYS(pair.sentence,
              "about " + std::to_string(pair.seeds_needed) + " seeds would show one point");
}

TEST(Comparison, SaysHowManySeedsWouldShowADifferenceAsLargeAsThis) {
  const PairComparison pair = compared(kDense, experiment("other", {0.85, 0.74, 0.7, 0.93, 0.71}));
  EXPECT_EQ(pair.verdict, Verdict::CannotTell);
  const int as_large = stats::pairs_needed(pair.spread, pair.difference);
  EXPECT_GT(as_large, 5);
  EXPECT_LT(as_large, pair.seeds_needed);
  EXPECT_SAYS(pair.sentence, std::to_string(pair.seeds_needed) +
                                 " seeds would show one point, about " + std::to_string(as_large) +
                                 " a difference as large as this");
}

TEST(Comparison, SaysWhenTheSeedsAreEnoughForOnePoint) {
  const PairComparison pair =
      compared(kDense, experiment("other", {0.701, 0.719, 0.691, 0.709, 0.731}));
  EXPECT_EQ(pair.verdict, Verdict::CannotTell);
  EXPECT_SAYS(pair.sentence, "; 5 seeds are about enough to see one point, so it is probably less");
}

TEST(Comparison, GivesNoVerdictOnOneOrTwoSeeds) {
  const PairComparison two = compared(experiment("a", {0.1, 0.1}), experiment("b", {0.9, 0.90001}));
  EXPECT_LT(two.t_test.p, 1e-4) << "though the t test is sure";
  EXPECT_EQ(two.verdict, Verdict::CannotTell);
  EXPECT_SAYS(two.sentence, "2 seeds are too few for a verdict");
  const PairComparison one = compared(experiment("a", {0.1}), experiment("b", {0.9}));
  EXPECT_EQ(one.verdict, Verdict::CannotTell);
  EXPECT_TRUE(std::isnan(one.t_test.p) && std::isnan(one.spread) && std::isnan(one.bca.low));
  EXPECT_EQ(one.seeds_needed, 0);
  EXPECT_SAYS(one.sentence, "with the one seed that both have; at least 3 seeds are needed");
}

TEST(Comparison, KnowsWhatIsEqualAndWhatHasNoSpread) {
  ExperimentRuns twin = kDense;
  twin.label = "twin";
  const PairComparison same = compared(kDense, twin);
  EXPECT_EQ(same.verdict, Verdict::CannotTell);
  EXPECT_EQ(same.sentence,
            "dense and twin do not differ: the same average_accuracy with each of 5 seeds");
  const PairComparison parallel =
      compared(kDense, experiment("shifted", {0.75, 0.77, 0.74, 0.76, 0.78}));
  EXPECT_EQ(parallel.verdict, Verdict::CannotTell);
  EXPECT_TRUE(std::isnan(parallel.t_test.p));
  EXPECT_SAYS(parallel.sentence, "shifted keeps 5.0 points more accuracy than dense, by the same");
  EXPECT_EQ(parallel.sentence.find("nan"), std::string::npos) << parallel.sentence;
}

TEST(Comparison, CorrectsForAllPairsEachTestByItself) {
  const ExperimentRuns third = experiment("third", {0.75, 0.78, 0.75, 0.78, 0.78});
  const auto pairs = compare_experiments({kDense, kSparse, third}, {});
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].a + pairs[0].b, "densesparse");
  EXPECT_EQ(pairs[1].a + pairs[1].b, "densethird");
  EXPECT_EQ(pairs[2].a + pairs[2].b, "sparsethird");
  const Values t = stats::holm(Values{pairs[0].t_test.p, pairs[1].t_test.p, pairs[2].t_test.p});
  const Values w =
      stats::holm(Values{pairs[0].wilcoxon.p, pairs[1].wilcoxon.p, pairs[2].wilcoxon.p});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(pairs[i].t_holm, t[i]);
    EXPECT_EQ(pairs[i].wilcoxon_holm, w[i]);
  }
  EXPECT_DOUBLE_EQ(pairs[0].t_holm, 3 * pairs[0].t_test.p);
  EXPECT_SAYS(pairs[0].sentence, "after Holm");
  EXPECT_EQ(pairs[0].bca.low, compared(kDense, kSparse).bca.low)
      << "what else is compared changes no interval";
}

TEST(Comparison, HolmCanTakeAVerdictAway) {
  // A difference that a test of its own would call real, among many that are none.
  const ExperimentRuns base = experiment("base", {0.5, 0.5, 0.5, 0.5, 0.5, 0.5});
  const ExperimentRuns odd = experiment("odd", {0.51, 0.53, 0.5, 0.52, 0.51, 0.54});
  EXPECT_EQ(compared(base, odd).verdict, Verdict::Better);
  std::vector<ExperimentRuns> many{base, odd};
  for (int i = 0; i < 4; ++i) {
    const double d = 0.001 * i;
    many.push_back(
        experiment("x" + std::to_string(i), {0.53 + d, 0.48, 0.52, 0.5 - d, 0.47, 0.53}));
  }
  const auto pairs = compare_experiments(many, {});
  ASSERT_EQ(pairs.size(), 15u);
  EXPECT_LT(pairs[0].t_test.p, 0.05);
  EXPECT_EQ(pairs[0].verdict, Verdict::CannotTell);
}

TEST(Comparison, LeavesOutSeedsThatOnlyOneHas) {
  ExperimentRuns later = experiment("later", {0.76, 0.75, 0.79, 0.8}, 2);  // seeds 2 to 5
  later.runs[1].accuracy(3, 0) = kNotEvaluated;                            // seed 3
  const PairComparison pair = compared(kDense, later);
  EXPECT_EQ(pair.seeds, (std::vector<std::uint64_t>{2, 4}));
  EXPECT_EQ(pair.left_out, (std::vector<std::uint64_t>{0, 1, 3, 5}));
  EXPECT_NEAR(pair.of_a.mean, 0.71, 1e-12) << "of the shared seeds only";
}

TEST(Comparison, RefusesPairsWithoutACommonSeedOrMetric) {
  const auto compare = [](const ExperimentRuns& a, const ExperimentRuns& b,
                          const std::string& metric) {
    return [=] { compare_experiments({a, b}, {.metric = metric}); };
  };
  EXPECT_SAYS(error_of(compare(kDense, experiment("far", {0.5}, 9), "bwt"), Fault::Data),
              "dense and far have no seed in common");
  ExperimentRuns plain = kSparse;
  for (RunRecord& run : plain.runs)
    run.steps.clear();
  EXPECT_SAYS(
      error_of(compare(kDense, plain, "stability_gap"), Fault::Data),
      "stability_gap is not known for sparse: it needs continual evaluation (run with --set "
      "probe_every=N)");
}

TEST(Comparison, RefusesWhatCannotBeAsked) {
  const auto with = [](const ComparisonOptions& options) {
    return [=] { compare_experiments({kDense, kSparse}, options); };
  };
  EXPECT_SAYS(error_of(with({.metric = "forgeting"}), Fault::Usage), "did you mean 'forgetting'?");
  for (const double level : {0.0, 1.0, -1.0, std::nan("")})
    EXPECT_SAYS(error_of(with({.level = level}), Fault::Usage), "level");
  EXPECT_SAYS(error_of(with({.resamples = 0}), Fault::Usage), "resamples 0");
  EXPECT_SAYS(error_of([] { compare_experiments({kDense}, {}); }, Fault::Usage), "'dense'");
  EXPECT_SAYS(error_of([] { compare_experiments({}, {}); }, Fault::Usage), "nothing to compare");
}

TEST(Comparison, IsJsonWithNullForWhatIsUnknown) {
  const auto json = nlohmann::json::parse(to_json(compared(kDense, kSparse)).dump());
  EXPECT_EQ(json.at("verdict"), "better");
  EXPECT_EQ(json.at("differences").size(), 5u);
  EXPECT_DOUBLE_EQ(json.at("difference").get<double>(), 0.06);
  EXPECT_DOUBLE_EQ(json.at("wilcoxon").at("p").get<double>(), 0.0625);
  const auto one = to_json(compared(experiment("a", {0.1}), experiment("b", {0.9})));
  EXPECT_TRUE(one.at("paired_t").at("p").is_null());
  EXPECT_TRUE(one.at("bca_interval").at("low").is_null());
  EXPECT_TRUE(one.at("seeds_needed").is_null());
}

TEST(Comparison, WritesPValuesShort) {
  EXPECT_EQ(p_text(0.00213), "0.0021");
  EXPECT_EQ(p_text(0.5), "0.50");
  EXPECT_EQ(p_text(1), "1.00");
  EXPECT_EQ(p_text(0.04991), "0.0499") << "on its side of 0.05";
  EXPECT_EQ(p_text(3e-7), "< 0.0001");
  EXPECT_EQ(p_text(std::nan("")), "-");
}

TEST(Comparison, KnowsTheMetricOfPlasticity) {
  std::vector<ExperimentRuns> both{kDense, kSparse};
  for (ExperimentRuns& e : both)
    for (RunRecord& run : e.runs)
      run.unit_plasticity.clear();
  EXPECT_SAYS(
      error_of([&] { compare_experiments(both, {.metric = "online_accuracy"}); }, Fault::Data),
      "it needs measures of plasticity (run with --set plasticity_examples=N)");
  EXPECT_FALSE(needs_probes("online_accuracy"));
}

}  // namespace
}  // namespace engram
