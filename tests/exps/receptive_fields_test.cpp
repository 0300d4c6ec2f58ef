// Weights as images: against the weights that a run leaves behind, and where they mean nothing.
#include "exps/looks/receptive_fields.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "exps/run.h"
#include "models/layers.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"
#include "utils/colour_map.h"
#include "utils/h5.h"

namespace engram {
namespace {

const PictureRecord& fields_of(const RunRecord& run) {
  return *std::ranges::find(run.pictures, std::string(kReceptiveFields), &PictureRecord::name);
}

TEST(ReceptiveFields, ShowTheWeightsThatTheRunLeaves) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 1};
  run_tiny({{"receptive_fields", "7"}, {"keep_weights", "yes"}}, files);
  const PictureRecord set = fields_of(load_results(files.results()));
  ASSERT_EQ(set.moments.size(), 4u);  // before training and after each of three tasks
  ASSERT_EQ(set.count, 7u);
  ASSERT_EQ(set.channels, 3u);
  EXPECT_TRUE(set.is_map);
  EXPECT_TRUE(set.moments[0].starts_with("before training")) << set.moments[0];

  std::vector<float> w;  // [pixels, 40]
  h5::load(files.weights(), [&](const h5::Group& root) { w = root.read_floats("linear1.weight"); });
  const std::size_t pixels = set.height * set.width, units = 40;
  ASSERT_EQ(w.size(), pixels * units);
  double most = 0;
  const auto weight = [&](std::size_t image, std::size_t pixel) {
    return static_cast<double>(w[pixel * units + image * units / set.count]);
  };
  for (std::size_t i = 0; i < set.count; ++i)
    for (std::size_t p = 0; p < pixels; ++p)
      most = std::max(most, std::abs(weight(i, p)));
  EXPECT_TRUE(set.moments[3].ends_with(fmt::format("weights up to {:.3g}", most)));
  for (std::size_t i = 0; i < set.count; ++i)
    for (std::size_t p = 0; p < pixels; ++p) {
      const Colour wanted = diverging_colour(weight(i, p) / most);
      const std::uint8_t* got = set.pixels.data() + ((3 * set.count + i) * pixels + p) * 3;
      ASSERT_TRUE(std::equal(wanted.begin(), wanted.end(), got)) << i << " " << p;
    }
}

TEST(ReceptiveFields, OfEveryKindOfNetwork) {
  const TempFolder folder;
  int seed = 0;
  const auto shown = [&](const Keys& keys) {
    const RunFiles files{folder.path(), static_cast<std::uint64_t>(seed++)};
    run_tiny(with(keys, {{"receptive_fields", "100"}}), files);
    const PictureRecord set = fields_of(load_results(files.results()));
    EXPECT_EQ(set.moments.size(), 4u);
    return std::tuple(set.count, set.height, set.width);
  };
  EXPECT_EQ(shown({}), (std::tuple(40u, 12u, 12u)));
  EXPECT_EQ(shown({{"weight_sparsity_fc", "0.05"}, {"weight_storage", "sparse"}}),
            (std::tuple(40u, 12u, 12u)));
  const auto [kernels, height, width] = shown({{"model", "simple_net"}, {"conv_kernel", "3"}});
  EXPECT_GT(kernels, 1u);
  EXPECT_EQ(std::pair(height, width), std::pair(std::size_t{3}, std::size_t{3}));
  const Keys labels{{"stream", "split"}, {"classes_per_task", "2"}, {"scenario", "class"}};
  EXPECT_EQ(shown(with(labels, {{"rule", "ff"}, {"model", "ff"}, {"hidden", "30, 20"}})),
            (std::tuple(30u, 12u, 12u)));
  EXPECT_EQ(shown(with(labels, {{"rule", "pff"},
                                {"model", "pff"},
                                {"pff.steps", "2"},
                                {"optimizer", "adam"},
                                {"pictures", "3"}})),
            (std::tuple(40u, 12u, 12u)));
}

TEST(ReceptiveFields, AreTheSameAfterAnInterruption) {
  const TempFolder folder;
  const RunFiles whole{folder.path() / "whole", 1}, cut{folder.path() / "cut", 1};
  run_tiny({{"receptive_fields", "9"}}, whole);
  run_tiny_in_two({{"receptive_fields", "9"}}, cut, 14);
  const RunRecord a = load_results(whole.results()), b = load_results(cut.results());
  expect_same_numbers(a, b);
  expect_same_pictures(a, b);
}

TEST(ReceptiveFields, ChangeNoNumberOfARun) {
  const TempFolder folder;
  for (const Keys& keys : {Keys{}, Keys{{"sparsify", "yes"}, {"percent_on_fc", "0.1"}}}) {
    const RunFiles without{folder.path() / "without", 1}, with_it{folder.path() / "with", 1};
    run_tiny(keys, without);
    run_tiny(with(keys, {{"receptive_fields", "9"}}), with_it);
    const RunRecord a = load_results(without.results()), b = load_results(with_it.results());
    EXPECT_TRUE(a.pictures.empty());
    expect_same_numbers(a, b);
    std::filesystem::remove_all(without.folder), std::filesystem::remove_all(with_it.folder);
  }
}

Network network(ImageShape in, int units) {
  std::vector<LayerPtr> layers;
  layers.push_back(linear(units)), layers.push_back(relu()), layers.push_back(linear(2));
  return Network(in, std::move(layers), Rng(2));
}

TEST(ReceptiveFields, ShowColoursAboutMidGrey) {
  const Network net = network({2, 3, 3}, 4);
  RunRecord run;
  ReceptiveFields(net, 2).take("now", run);
  const PictureRecord& set = fields_of(run);
  Signal all;
  net.layer(0).incoming(all);
  const CMat w = std::as_const(all).value();
  double most = 0;
  for (const int unit : {0, 2})
    for (int i = 0; i < 18; ++i)
      most = std::max(most, std::abs(static_cast<double>(w.row(unit)[i])));
  for (int image = 0; image < 2; ++image)
    for (int i = 0; i < 18; ++i)
      EXPECT_EQ(set.pixels[static_cast<std::size_t>(image * 18 + i)],
                about_grey(static_cast<double>(w.row(2 * image)[i]) / most));
}

TEST(ReceptiveFields, RefuseWhatIsNoImage) {
  const Network flat = network({1, 1, 5}, 4), two = network({4, 4, 2}, 4);
  EXPECT_SAYS(error_of([&] { ReceptiveFields(flat, 1); }), "the network reads 5");
  EXPECT_SAYS(error_of([&] { ReceptiveFields(two, 1); }), "4x4x2");
  EXPECT_NO_THROW(ReceptiveFields(flat, 0));
  std::vector<LayerPtr> layers;
  layers.push_back(avg_pool(2, 2)), layers.push_back(linear(3));
  const Network pooled({6, 6, 1}, std::move(layers), Rng(1));
  EXPECT_SAYS(error_of([&] { ReceptiveFields(pooled, 1); }), "linear1");
  EXPECT_SAYS(error_of([&] { ReceptiveFields(pooled, 1); }), "receptive_fields = 0");
}

TEST(ReceptiveFields, RefuseMorePicturesThanAFileMayHold) {
  const std::string text = error_of([] {
    const TempFolder folder;
    execute_run(tiny_settings({{"tasks", "400"},
                               {"test_limit", "5"},
                               {"hidden_units", "1000"},
                               {"receptive_fields", "1000"}}),
                tiny_data(), {.files = {folder.path(), 0}});
  });
  EXPECT_SAYS(text, "165 MiB of pictures over 401 rows");  // 401 * 1000 * 12 * 12 * 3 bytes
}

}  // namespace
}  // namespace engram
