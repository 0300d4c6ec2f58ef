// Attributions against closed forms for linear networks, and against differences for others.
#include "exps/looks/attributions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "models/layers.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"

namespace engram {
namespace {

TEST(TargetMargin, IsTheLogitAgainstTheMeanOfItsRivals) {
  const std::vector<real> z{1, 4, -2, 9};
  EXPECT_DOUBLE_EQ(target_margin(z, 1, {}), 4 - 8.0 / 3);
  const std::vector<std::uint8_t> some{1, 1, 1, 0}, alone{0, 1, 0, 0};
  EXPECT_DOUBLE_EQ(target_margin(z, 1, some), 4 + 0.5);
  EXPECT_DOUBLE_EQ(target_margin(z, 1, alone), 4);
  const std::vector<real> single{3};
  EXPECT_DOUBLE_EQ(target_margin(single, 1, {}), 3);
  EXPECT_DOUBLE_EQ(target_margin(single, 0, {}), -3);
  const std::vector<real> shut{1, 4, std::numeric_limits<real>::lowest()};
  const std::vector<std::uint8_t> open{1, 1, 0};
  EXPECT_DOUBLE_EQ(target_margin(shut, 1, open), 3) << "what was not tried does not count";
}

/// Three random images and their targets for a network of four outputs.
struct Case {
  explicit Case(const Network& net) {
    Rng rng(9);
    const Mat x = images.resize(3, net.in().size());
    for (real& v : x.all())
      v = static_cast<real>(rng.uniform(0.2, 1));
  }
  Explained explained() const { return {images.value(), target, 0, {}}; }
  Signal images;
  std::vector<int> target{2, 0, 3};
};

constexpr int kOutputs = 4;
Network linear_network(ImageShape in) {
  std::vector<LayerPtr> layers;
  layers.push_back(flatten()), layers.push_back(linear(kOutputs));
  return Network(in, std::move(layers), Rng(4));
}

TEST(Attributions, OfALinearNetworkAreItsWeightsTimesTheInput) {
  for (const int channels : {1, 3}) {
    const Network net = linear_network({5, 6, channels});
    const Case c(net);
    const Explained what = c.explained();
    Signal weights, occlusion, gradient;
    net.layer(1).incoming(weights);
    const CMat w = std::as_const(weights).value();
    occlusion_maps(net, what, {1, 1}, occlusion);
    gradient_times_input(net, what, gradient);
    ASSERT_EQ(occlusion.cols(), 30);
    ASSERT_EQ(gradient.cols(), 30);
    for (int i = 0; i < 3; ++i)
      for (int p = 0; p < 30; ++p) {
        double by_margin = 0, by_logit = 0;  // summed over channels
        for (int k = p * channels; k < (p + 1) * channels; ++k) {
          const double x = static_cast<double>(what.images.row(i)[k]);
          for (int o = 0; o < kOutputs; ++o) {
            const double part = static_cast<double>(w.row(o)[k]) * x;
            by_margin += o == c.target[static_cast<std::size_t>(i)] ? part : -part / 3;
            if (o == c.target[static_cast<std::size_t>(i)]) by_logit += part;
          }
        }
        EXPECT_NEAR(std::as_const(occlusion).value().row(i)[p], by_margin, 2e-6);
        EXPECT_NEAR(std::as_const(gradient).value().row(i)[p], by_logit, 2e-6);
      }
  }
}

/// A margin that is linear in the input falls by the sum over the patch.
TEST(Attributions, AverageTheFallOverThePatchesThatCoverAPixel) {
  constexpr int kHeight = 7, kWidth = 6, kPatch = 3;
  const Network net = linear_network({kHeight, kWidth, 1});
  const Case c(net);
  const Explained what = c.explained();
  Signal single, maps;
  occlusion_maps(net, what, {1, 1}, single);
  occlusion_maps(net, what, {kPatch, 2}, maps);
  const std::vector<int> rows{0, 2, 4}, columns{0, 2, 3};  // the last ones end at the border
  for (int i = 0; i < 3; ++i) {
    std::vector<double> sum(kHeight * kWidth), count(sum.size());
    for (const int top : rows)
      for (const int left : columns) {
        double fall = 0;
        const auto for_patch = [&](auto body) {
          for (int y = top; y < top + kPatch; ++y)
            for (int x = left; x < left + kPatch; ++x)
              body(static_cast<std::size_t>(y * kWidth + x));
        };
        for_patch([&](std::size_t p) {
          fall += static_cast<double>(std::as_const(single).value().row(i)[p]);
        });
        for_patch([&](std::size_t p) { sum[p] += fall, count[p] += 1; });
      }
    for (std::size_t p = 0; p < sum.size(); ++p) {
      ASSERT_GT(count[p], 0) << "every pixel is hidden once at least";
      EXPECT_NEAR(std::as_const(maps).value().row(i)[p], sum[p] / count[p], 1e-5);
    }
  }
}

/// Convolutions, batch norm, pooling, a shortcut and winners: the logit's change with one input.
TEST(Attributions, GradientIsThatOfTheWholeNetwork) {
  std::vector<LayerPtr> layers;
  layers.push_back(conv2d(4, 3, 1, 1)), layers.push_back(batch_norm()), layers.push_back(relu());
  layers.push_back(conv2d(4, 3, 1, 1));
  layers.back()->wiring.adds = 1;
  layers.push_back(relu()), layers.push_back(avg_pool(2, 2)), layers.push_back(flatten());
  layers.push_back(linear(30));
  KWinnersOptions winners;
  winners.percent_on = 0.3;
  layers.push_back(k_winners(winners)), layers.push_back(dropout(0.5));
  layers.push_back(linear(kOutputs));
  const Network net({6, 6, 1}, std::move(layers), Rng(4));
  const Case c(net);
  Signal maps;
  gradient_times_input(net, c.explained(), maps);
  constexpr double kStep = 1e-3;
  Signal x;
  Tape tape;
  int checked = 0;
  for (int i = 0; i < 3; ++i)
    for (int p = 0; p < 36; ++p) {
      const auto logit = [&](double change) {
        const Mat one = x.resize(1, 36);
        std::copy_n(c.images.value().row(i), 36, one.data);
        one.data[p] += static_cast<real>(change);
        net.evaluate(x, tape, {});
        return static_cast<double>(
            std::as_const(tape.back().out).value().data[c.target[static_cast<std::size_t>(i)]]);
      };
      const double ahead = (logit(kStep) - logit(0)) / kStep;
      const double behind = (logit(0) - logit(-kStep)) / kStep;
      if (std::abs(ahead - behind) > 2e-3) continue;  // a kink between the two
      const double v = static_cast<double>(c.images.value().row(i)[p]);
      EXPECT_NEAR(std::as_const(maps).value().row(i)[p], (ahead + behind) / 2 * v, 2e-3);
      ++checked;
    }
  EXPECT_GT(checked, 80);
}

const PictureRecord& maps_of(const RunRecord& run) {
  return *std::ranges::find(run.pictures, std::string(kAttributionMaps), &PictureRecord::name);
}

TEST(Attributions, AreTakenAfterEveryTask) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 1};
  run_tiny({{"stream", "split"}, {"classes_per_task", "2"}, {"attributions", "5"}}, files);
  const PictureRecord set = maps_of(load_results(files.results()));
  EXPECT_EQ(set.moments.size(), 3u);
  EXPECT_EQ(set.count, 15u);
  EXPECT_EQ(set.columns, 6u);
  EXPECT_TRUE(set.is_map);
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(set.labels[3 * i], static_cast<std::int32_t>(i % 2)) << "classes in turn";
  // The image itself stays, what is read from it does not.
  const std::size_t tile = 12 * 12 * 3, sheet = 15 * tile;
  EXPECT_TRUE(std::equal(set.pixels.begin(), set.pixels.begin() + tile,
                         set.pixels.begin() + static_cast<std::ptrdiff_t>(2 * sheet)));
}

TEST(Attributions, NeedNoGradient) {
  const TempFolder folder;
  int seed = 0;
  for (const Keys& keys :
       {Keys{{"rule", "ff"}, {"model", "ff"}, {"hidden", "30, 20"}}, Keys{{"rule", "pff"},
                                                                          {"model", "pff"},
                                                                          {"pff.steps", "2"},
                                                                          {"pictures", "0"},
                                                                          {"optimizer", "adam"}}}) {
    const RunFiles files{folder.path(), static_cast<std::uint64_t>(seed++)};
    run_tiny(with(keys, {{"stream", "split"},
                         {"classes_per_task", "2"},
                         {"scenario", "class"},
                         {"attributions", "2"},
                         {"occlusion_stride", "4"}}),
             files);
    const PictureRecord set = maps_of(load_results(files.results()));
    EXPECT_EQ(set.count, 4u);
    EXPECT_EQ(set.columns, 2u);
  }
}

TEST(Attributions, ChangeNoNumberOfARun) {
  const TempFolder folder;
  const Keys keys{{"sparsify", "yes"}, {"percent_on_fc", "0.1"}};
  const RunFiles without{folder.path() / "without", 1}, with_it{folder.path() / "with", 1};
  run_tiny(keys, without);
  run_tiny(with(keys, {{"attributions", "2"}}), with_it);
  expect_same_numbers(load_results(without.results()), load_results(with_it.results()));
}

TEST(Attributions, RefuseWhatCannotBeHidden) {
  const auto refusal = [](const Keys& keys) {
    return error_of([&] {
      const TempFolder folder;
      execute_run(tiny_settings(with(keys, {{"attributions", "1"}})), tiny_data(),
                  {.files = {folder.path(), 0}});
    });
  };
  EXPECT_SAYS(refusal({{"occlusion_patch", "13"}}), "does not fit into 12x12x1");
  EXPECT_SAYS(refusal({{"occlusion_patch", "2"}, {"occlusion_stride", "3"}}), "never be hidden");
}

}  // namespace
}  // namespace engram
