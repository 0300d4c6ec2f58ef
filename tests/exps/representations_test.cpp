// Probe, drift and overlaps by hand, and in runs: resumed, joint, with wide maps, refused.
#include "exps/looks/representations.h"

#include <cmath>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"

namespace engram {
namespace {

Features features(std::size_t width, std::vector<double> values) {
  Features f({values.size() / width, width});
  std::copy(values.begin(), values.end(), f.begin());
  return f;
}

TEST(Representations, PoolMapsIntoAGridAndLeaveOthersAsTheyAre) {
  Signal y;
  const Mat flat = y.resize(2, 3);
  for (std::size_t i = 0; i < 6; ++i)
    flat.data[i] = static_cast<real>(i);
  const Features same = pooled_features(y, {1, 1, 3});
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(same.data()[i], static_cast<double>(i));

  // 8 x 5 places of two channels: cells of two rows, and columns 0-1, 2, 3, 4.
  const Mat map = y.resize(1, 80);
  for (int i = 0; i < 80; ++i)
    map.data[i] = static_cast<real>(i % 2 == 0 ? i : 100);
  const Features pooled = pooled_features(y, {8, 5, 2});
  ASSERT_EQ(pooled.shape(1), 32u);
  EXPECT_DOUBLE_EQ(pooled(0, 0), (0 + 2 + 10 + 12) / 4.0);
  EXPECT_DOUBLE_EQ(pooled(0, 1), 100);
  EXPECT_DOUBLE_EQ(pooled(0, 30), (68 + 78) / 2.0);  // the last cell
}

TEST(Representations, DriftIsOneMinusTheMeanCosine) {
  const Features then = features(2, {1, 0, 0, 2, 0, 0, 0, 0});
  const Features now = features(2, {3, 3, 0, 1, 0, 0, 5, 0});
  EXPECT_NEAR(representation_drift(now, then), 1 - (std::sqrt(0.5) + 1 + 1 + 0) / 4, 1e-12);
  EXPECT_EQ(representation_drift(then, then), 0);
  EXPECT_TRUE(std::isnan(representation_drift(Features({0, 2}), Features({0, 2}))));
}

TEST(Representations, OverlapsAreCosineAndJaccard) {
  // Twenty examples; the third feature is active on two of them, a tenth and no more.
  Features a({20, 3}, 0.0), b({20, 3}, 0.0);
  for (std::size_t i = 0; i < 20; ++i)
    a(i, 0) = i % 2 == 0 ? 1 : -1, a(i, 1) = 1, b(i, 1) = 2;
  a(0, 2) = a(1, 2) = 10;
  const ActivityProfile x = activity_profile(a), y = activity_profile(b);
  EXPECT_EQ(x.strength, (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(x.active, (std::vector<std::uint8_t>{1, 1, 0}));
  EXPECT_NEAR(strength_overlap(x, y), 1 / std::sqrt(3.0), 1e-12);
  EXPECT_DOUBLE_EQ(active_overlap(x, y), 0.5);
  const ActivityProfile none = activity_profile(Features({20, 3}, 0.0));
  EXPECT_TRUE(std::isnan(strength_overlap(x, none)));
  EXPECT_EQ(active_overlap(x, none), 0);
  EXPECT_TRUE(std::isnan(active_overlap(none, none)));
}

TEST(Representations, TheProbeIsTestedOnExamplesThatItHasNotSeen) {
  // In the first half the feature gives the label away, in the second it says the opposite.
  Features f({8, 1});
  const std::vector<std::int32_t> labels{0, 1, 0, 1, 0, 1, 0, 1};
  for (std::size_t i = 0; i < 8; ++i)
    f(i, 0) = (labels[i] == 1) == (i < 4) ? 1 : -1;
  EXPECT_EQ(probe_accuracy(f, labels), 0);
  EXPECT_TRUE(std::isnan(probe_accuracy(Features({3, 1}), std::span(labels).first(3))));
}

const Keys kAsked{{"representation_examples", "60"}, {"hidden", "40, 30"}, {"epochs", "3"}};

TEST(Representations, AreRecordedForTheTasksLearntSoFar) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 1};
  run_tiny(kAsked, files);
  const RunRecord r = load_results(files.results());
  ASSERT_EQ(r.representations.size(), 2u);
  for (const RepresentationRecord& layer : r.representations) {
    for (std::size_t row = 0; row < 4; ++row)
      for (std::size_t t = 0; t < 3; ++t) {
        const bool known = row == 0 || t < row;
        EXPECT_EQ(std::isfinite(layer.probe_accuracy(row, t)), known);
        EXPECT_EQ(std::isfinite(layer.drift(row, t)), known && row > 0);
        for (std::size_t u = 0; u < 3; ++u) {
          EXPECT_EQ(std::isfinite(layer.overlap(row, t, u)), known && (row == 0 || u < row));
          if (known && u == t) {
            EXPECT_NEAR(layer.overlap(row, t, t), 1, 1e-12);
          }
          if (known && u < row) {
            EXPECT_EQ(layer.overlap(row, t, u), layer.overlap(row, u, t));
            EXPECT_EQ(layer.active_overlap(row, t, u), layer.active_overlap(row, u, t));
          }
        }
        if (row == t + 1) {
          EXPECT_NEAR(layer.drift(row, t), 0, 1e-6) << "just learnt";
        }
        if (known && row > t + 1) {
          EXPECT_GT(layer.drift(row, t), 1e-4) << "weights have moved";
        }
      }
    EXPECT_GT(layer.probe_accuracy(1, 0), 0.3);  // of ten classes
  }
  EXPECT_EQ(r.representations[0].layer, r.layers[0].name);
}

void expect_same_representations(const RunRecord& a, const RunRecord& b) {
  const auto same = [](const auto& x, const auto& y) {
    ASSERT_EQ(x.shape(), y.shape());
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_PRED2(same_number, x.data()[i], y.data()[i]) << i;
  };
  ASSERT_EQ(a.representations.size(), b.representations.size());
  for (std::size_t l = 0; l < a.representations.size(); ++l) {
    same(a.representations[l].probe_accuracy, b.representations[l].probe_accuracy);
    same(a.representations[l].drift, b.representations[l].drift);
    same(a.representations[l].overlap, b.representations[l].overlap);
    same(a.representations[l].active_overlap, b.representations[l].active_overlap);
  }
}

TEST(Representations, AreTheSameAfterAnInterruption) {
  const TempFolder folder;
  const RunFiles whole{folder.path() / "whole", 1};
  run_tiny(kAsked, whole);
  for (const int steps : {5, 44, 70}) {  // of 90: in each of the tasks
    const RunFiles cut{folder.path() / std::to_string(steps), 1};
    run_tiny_in_two(kAsked, cut, steps);
    expect_same_representations(load_results(whole.results()), load_results(cut.results()));
  }
}

TEST(Representations, ChangeNoNumberOfARun) {
  const TempFolder folder;
  const Keys sparse{{"sparsify", "yes"}, {"percent_on_fc", "0.1"}, {"hidden_layers", "2"}};
  const RunFiles without{folder.path() / "without", 1}, with_it{folder.path() / "with", 1};
  run_tiny(sparse, without);
  run_tiny(with(sparse, {{"representation_examples", "50"}}), with_it);
  const RunRecord a = load_results(without.results()), b = load_results(with_it.results());
  expect_same_numbers(a, b);
  EXPECT_TRUE(a.representations.empty());
  for (const RepresentationRecord& layer : b.representations)
    for (std::size_t t = 0; t < 3; ++t)
      EXPECT_LE(layer.active_overlap(3, 0, t), 1);
}

TEST(Representations, OfConvolutionsHeadsAndTasksAtOnce) {
  const TempFolder folder;
  const RunFiles conv{folder.path() / "conv", 1}, joint{folder.path() / "joint", 1};
  run_tiny({{"model", "simple_net"},
            {"conv_kernel", "3"},
            {"stream", "split"},
            {"classes_per_task", "2"},
            {"scenario", "task"},
            {"head", "per_task"},
            {"representation_examples", "20"}},
           conv);
  const RunRecord a = load_results(conv.results());
  ASSERT_GT(a.representations.size(), 1u);
  EXPECT_TRUE(std::isfinite(a.representations[0].probe_accuracy(3, 2)));
  run_tiny(with(kAsked, {{"protocol", "joint"}}), joint);
  const RunRecord b = load_results(joint.results());
  EXPECT_TRUE(std::isnan(b.representations[0].probe_accuracy(1, 0)));
  for (std::size_t t = 0; t < 3; ++t)
    EXPECT_NEAR(b.representations[0].drift(3, t), 0, 1e-6);
}

TEST(Representations, RefuseNetworksWithoutHiddenLayers) {
  const auto refusal = [](const Keys& keys) {
    return error_of([&] {
      const TempFolder folder;
      execute_run(tiny_settings(with(keys, {{"representation_examples", "9"}})), tiny_data(),
                  {.files = {folder.path(), 0}});
    });
  };
  EXPECT_SAYS(refusal({{"stream", "split"},
                       {"classes_per_task", "2"},
                       {"scenario", "class"},
                       {"rule", "ff"},
                       {"model", "ff"},
                       {"hidden", "30, 20"}}),
              "representation_examples = 0");
}

}  // namespace
}  // namespace engram
