// Measures of plasticity by hand, and in runs: resumed, joint, sparse, refused; and rows of the
// matrix that test few tasks.
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "benchmarks/stream_table.h"
#include "exps/looks/plasticity.h"
#include "exps/results_file.h"
#include "exps/show_results.h"
#include "learners/gather_images.h"
#include "models/registry.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"
#include "utils/linalg.h"

namespace engram {
namespace {

TEST(PlasticityMeasures, DormantUnitsAreThoseFarBelowTheMean) {
  const std::vector<double> magnitudes{0, 0.1, 0.5, 4, 5.4};  // mean 2
  EXPECT_DOUBLE_EQ(dormant_share(magnitudes, 0), 0.2);
  EXPECT_DOUBLE_EQ(dormant_share(magnitudes, 0.025), 0.2);
  EXPECT_DOUBLE_EQ(dormant_share(magnitudes, 0.05), 0.4);
  EXPECT_DOUBLE_EQ(dormant_share(magnitudes, 0.3), 0.6);
  EXPECT_DOUBLE_EQ(dormant_share(std::vector<double>{0, 0}, 0.1), 1);
  EXPECT_TRUE(std::isnan(dormant_share({}, 0.1)));
}

TEST(PlasticityMeasures, RanksOfSingularValues) {
  const Ranks equal = ranks_of(std::vector<double>(8, 3.0));
  EXPECT_NEAR(equal.effective, 8, 1e-12);
  EXPECT_EQ(equal.approximate, 8);
  EXPECT_EQ(equal.srank99, 8);
  EXPECT_NEAR(equal.stable, 8, 1e-12);

  // Shares of the sum: 0.8, 0.16, 0.04; of the squares: 0.9592, 0.0384, 0.0024.
  const Ranks skewed = ranks_of(std::vector<double>{20, 4, 1, 0});
  const auto term = [](double p) { return -p * std::log(p); };
  EXPECT_NEAR(skewed.effective, std::exp(term(0.8) + term(0.16) + term(0.04)), 1e-12);
  EXPECT_EQ(skewed.approximate, 2);  // 0.9976 of the squares
  EXPECT_EQ(skewed.srank99, 3);
  EXPECT_NEAR(skewed.stable, 417.0 / 400, 1e-12);

  const Ranks none = ranks_of(std::vector<double>(3, 0.0));
  EXPECT_EQ(none.effective, 0);
  EXPECT_EQ(none.stable, 0);
}

TEST(PlasticityMeasures, SingularValuesAreRootsOfTheGramMatrix) {
  // Columns (3, 0, 4) and (0, 2, 0) are orthogonal, of length 5 and 2.
  xt::xtensor<double, 2> a({3, 2}, 0.0);
  a(0, 0) = 3, a(2, 0) = 4, a(1, 1) = 2;
  const auto s = singular_values(a);
  ASSERT_EQ(s.size(), 2u);
  EXPECT_NEAR(s[0], 5, 1e-12);
  EXPECT_NEAR(s[1], 2, 1e-12);
  EXPECT_TRUE(singular_values(xt::xtensor<double, 2>({0, 2})).empty());
  a(0, 0) = NAN;
  EXPECT_SAYS(error_of([&] { singular_values(a); }, Fault::Numerical), "not finite");
}

const Keys kAsked{{"plasticity_examples", "100"}, {"hidden", "40, 30"}, {"epochs", "3"}};

TEST(PlasticityLook, HasNumbersBeforeAndAfterEveryTask) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 1};
  run_tiny(kAsked, files);
  const RunRecord r = load_results(files.results());
  ASSERT_EQ(r.unit_plasticity.size(), 2u);
  ASSERT_EQ(r.weight_plasticity.size(), 3u);
  EXPECT_EQ(r.unit_plasticity[0].layer, r.layers[0].name);
  for (const auto* list : {&r.unit_plasticity, &r.weight_plasticity})
    for (const PlasticityRecord& layer : *list)
      for (const Table& measure : layer.measures)
        for (std::size_t i = 0; i < 6; ++i)
          EXPECT_TRUE(std::isfinite(measure.data()[i])) << layer.layer;
  for (std::size_t t = 0; t < 3; ++t) {
    const auto& m = r.unit_plasticity[0].measures;
    EXPECT_LE(m[0](t, 1), m[1](t, 1));  // dead units are dormant
    EXPECT_LE(m[2](t, 1), m[3](t, 1));
    EXPECT_GE(m[4](t, 1), 1);
    EXPECT_LE(m[4](t, 1), 40);
    EXPECT_LE(m[5](t, 1), m[6](t, 1));  // squares gather in fewer
    // The weights that one task leaves are those before the next; examples differ.
    if (t > 0) {
      EXPECT_EQ(r.weight_plasticity[1].measures[0](t, 0),
                r.weight_plasticity[1].measures[0](t - 1, 1));
    }
  }
  // Before training weights are U(-1/sqrt(40), 1/sqrt(40)), of mean magnitude half of that.
  EXPECT_NEAR(r.weight_plasticity[1].measures[1](0, 0), 0.5 / std::sqrt(40), 0.005);
  EXPECT_NEAR(r.weight_plasticity[1].measures[0](0, 0), std::sqrt(1200.0 / 40 / 3), 0.15);
  EXPECT_NE(show_experiment({r}, ForgettingDefinition::Chaudhry, false, 100).find("effective rank"),
            std::string::npos);
  // The first epoch of every task, and no other.
  double online = 0;
  for (const EpochRow& row : r.epochs)
    if (row.epoch == 0) online += row.train_accuracy / 3;
  EXPECT_NEAR(metric_value(r, ForgettingDefinition::Chaudhry, "online_accuracy"), online, 1e-12);
}

TEST(PlasticityLook, AgreesWithAllImagesAtOnce) {
  const Settings settings = tiny_settings({{"train_limit", "0"},
                                           {"hidden", "12"},
                                           {"activation", "tanh"},
                                           {"plasticity_examples", "5000"}});
  const auto stream = make_stream(settings.stream, tiny_data(), 1);
  const auto net = build_model(settings.model, {12, 12, 1}, {1, 10}, Rng(3));
  PlasticityLook look(*net, *stream, settings.evaluation, Rng(4));
  RunRecord run;
  look.take({.row = 0}, run);
  const ExampleSet train = stream->experience(0).train;
  ASSERT_EQ(train.size(), 2000u);  // more than are looked at in one go
  std::vector<std::uint32_t> places(train.size());
  std::iota(places.begin(), places.end(), 0u);
  Signal images;
  gather_images(train, places, images);
  Tape tape;
  net->evaluate(images, tape, {});
  const CMat h = std::as_const(tape[1].out).value();
  ASSERT_EQ(h.cols, 12);
  Features features({2000, 12});
  std::vector<double> magnitudes(12, 0);
  bool signs = false;
  for (std::size_t i = 0; i < h.size(); ++i) {
    const auto v = static_cast<double>(h.data[i]);
    features.data()[i] = v, magnitudes[i % 12] += std::abs(v) / 2000, signs |= v < -0.1;
  }
  EXPECT_TRUE(signs);
  const auto& measures = run.unit_plasticity.at(0).measures;
  const double shares[] = {0, 0.01, 0.025, 0.1};
  for (std::size_t m = 0; m < 4; ++m)
    EXPECT_EQ(measures[m](0, 0), dormant_share(magnitudes, shares[m]));
  const Ranks ranks = ranks_of(singular_values(features));
  EXPECT_NEAR(measures[4](0, 0), ranks.effective, 1e-6);
  EXPECT_EQ(measures[5](0, 0), ranks.approximate);
  EXPECT_EQ(measures[6](0, 0), ranks.srank99);
  EXPECT_NEAR(measures[7](0, 0), ranks.stable, 1e-6);
}

TEST(PlasticityLook, IsTheSameAfterAnInterruptionAndChangesNothing) {
  const TempFolder folder;
  const RunFiles whole{folder.path() / "whole", 1}, cut{folder.path() / "cut", 1},
      without{folder.path() / "without", 1};
  run_tiny(kAsked, whole);
  run_tiny_in_two(kAsked, cut, 44);
  run_tiny({{"hidden", "40, 30"}, {"epochs", "3"}}, without);
  const RunRecord a = load_results(whole.results()), b = load_results(cut.results());
  for (std::size_t l = 0; l < 2; ++l)
    for (std::size_t m = 0; m < kUnitMeasures.size(); ++m)
      EXPECT_EQ(a.unit_plasticity[l].measures[m], b.unit_plasticity[l].measures[m]);
  const RunRecord c = load_results(without.results());
  expect_same_numbers(a, c);
  EXPECT_TRUE(c.unit_plasticity.empty());
}

TEST(PlasticityLook, OfConvolutionsHeadsSparseWeightsAndTasksAtOnce) {
  const TempFolder folder;
  const RunFiles conv{folder.path() / "conv", 1}, joint{folder.path() / "joint", 1},
      sparse{folder.path() / "sparse", 1};
  run_tiny({{"model", "simple_net"},
            {"conv_kernel", "3"},
            {"stream", "split"},
            {"classes_per_task", "2"},
            {"scenario", "task"},
            {"head", "per_task"},
            {"plasticity_examples", "20"}},
           conv);
  const RunRecord a = load_results(conv.results());
  EXPECT_TRUE(std::isfinite(a.unit_plasticity.at(0).measures[0](2, 1)));
  run_tiny(with(kAsked, {{"protocol", "joint"}}), joint);
  const RunRecord b = load_results(joint.results());
  EXPECT_TRUE(std::isfinite(b.unit_plasticity[0].measures[0](0, 0)));
  EXPECT_TRUE(std::isfinite(b.unit_plasticity[0].measures[0](0, 1)));
  EXPECT_TRUE(std::isnan(b.unit_plasticity[0].measures[0](1, 0)));
  for (const char* storage : {"sparse", "dense"}) {
    const RunFiles files{sparse.folder / storage, 1};
    run_tiny({{"sparsify", "yes"},
              {"percent_on_fc", "0.1"},
              {"weight_sparsity_fc", "0.1"},
              {"weight_storage", storage},
              {"plasticity_examples", "20"}},
             files);
    const RunRecord c = load_results(files.results());
    EXPECT_GT(c.unit_plasticity.at(0).measures[0](2, 1), 0) << "few winners in 20 examples";
    // Of those that exist alone: a mean magnitude of half the bound, but for what they learnt.
    EXPECT_GT(c.weight_plasticity.at(0).measures[1](2, 1), 0.25 / std::sqrt(12 * 12)) << storage;
  }
}

TEST(EvaluateTasks, RowsTestAsManyTasksAsTheyAreAskedTo) {
  const TempFolder folder;
  const auto matrix = [&](const char* which) {
    const RunFiles files{folder.path() / which, 1};
    run_tiny({{"evaluate_tasks", which}}, files);
    return load_results(files.results());
  };
  const RunRecord all = matrix("all");
  for (const char* which : {"seen", "current", "last"}) {
    const RunRecord few = matrix(which);
    for (std::size_t row = 0; row < 4; ++row)
      for (std::size_t t = 0; t < 3; ++t) {
        const std::string name = which;
        const bool known =
            row == 3 || (name == "seen" && t < row) || (name == "current" && t + 1 == row);
        const double value = few.accuracy(row, t);
        EXPECT_TRUE(known ? value == all.accuracy(row, t) : std::isnan(value))
            << which << " " << row << " " << t;
      }
    const auto value = [](const RunRecord& r, const char* metric,
                          ForgettingDefinition d = ForgettingDefinition::Avalanche) {
      return metric_value(r, d, metric);
    };
    EXPECT_EQ(value(few, "average_accuracy"), value(all, "average_accuracy"));
    EXPECT_TRUE(std::isnan(value(few, "fwt")));
    if (std::string(which) == "last") {
      EXPECT_TRUE(std::isnan(value(few, "bwt")));
    } else {
      EXPECT_EQ(value(few, "bwt"), value(all, "bwt"));
      EXPECT_EQ(value(few, "forgetting"), value(all, "forgetting"));
    }
    EXPECT_FALSE(show_experiment({few}, ForgettingDefinition::Chaudhry, false, 100).empty());
  }
}

TEST(PlasticityLook, RefusesNetworksWithoutHiddenLayers) {
  EXPECT_SAYS(error_of([&] {
                const TempFolder folder;
                execute_run(tiny_settings({{"plasticity_examples", "9"},
                                           {"stream", "split"},
                                           {"classes_per_task", "2"},
                                           {"scenario", "class"},
                                           {"rule", "ff"},
                                           {"model", "ff"},
                                           {"hidden", "30, 20"}}),
                            tiny_data(), {.files = {folder.path(), 0}});
              }),
              "plasticity_examples = 0");
}

}  // namespace
}  // namespace engram
