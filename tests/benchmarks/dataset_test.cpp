#include "benchmarks/dataset.h"

#include <algorithm>
#include <numeric>

#include "benchmarks/synthetic.h"
#include "tests/benchmarks/helpers.h"
#include "utils/parallel.h"
#include "utils/rng.h"

namespace engram {
namespace {

using testing::ElementsAre;
using testing::Pointwise;

std::vector<real> seen_through(const PixelMap& map, const Bytes& image) {
  std::vector<real> out(static_cast<std::size_t>(map.out().size()), -99);
  map.apply(image, out.data());
  return out;
}

std::shared_ptr<const std::vector<std::uint32_t>> rows(std::vector<std::uint32_t> list) {
  return std::make_shared<const std::vector<std::uint32_t>>(std::move(list));
}

ExampleSet whole(const Dataset& data, int task) {
  std::vector<std::uint32_t> all(data.train->size());
  std::iota(all.begin(), all.end(), 0u);
  return {data.train, rows(all), PixelMap::identity(data.shape(), {}), task};
}

TEST(PixelMap, IdentityDividesBytesBy255) {
  const auto map = PixelMap::identity({1, 3, 1}, {});
  EXPECT_THAT(seen_through(*map, {0, 51, 255}), ElementsAre(0.f, 51 / 255.f, 1.f));
}

TEST(PixelMap, ScalesEachChannelByItsOwnMeanAndDeviation) {
  const auto map = PixelMap::identity({1, 2, 3}, {{0, .5, 1}, {1, .5, 2, 1}});
  EXPECT_THAT(seen_through(*map, {255, 255, 255, 0, 0, 0}),
              ElementsAre(1.f, 1.f, 0.f, 0.f, -1.f, -.5f));
}

TEST(PixelMap, PadsWithScaledBackground) {
  const auto map = PixelMap::identity({1, 1, 1}, {{.5}, {.5, 1, 1, 1}}, 1);
  EXPECT_EQ(map->out(), (ImageShape{3, 3, 1}));
  EXPECT_THAT(seen_through(*map, {255}), ElementsAre(-1, -1, -1, -1, 1, -1, -1, -1, -1));
}

TEST(PixelMap, PermutationTakesOutputPixelPFromSourceP) {
  const std::vector<std::uint32_t> source{2, 0, 3, 1};
  const auto map = PixelMap::permuted({2, 2, 1}, {{0}, {1 / 255., 1, 1, 1}}, 0, source);
  EXPECT_THAT(seen_through(*map, {10, 20, 30, 40}), ElementsAre(30, 10, 40, 20));
}

TEST(PixelMap, PermutationOfAPaddedColourImageKeepsTheChannelsScale) {
  const ImageShape shape{1, 1, 3};
  const PixelScale scale{{.1, .2, .3}, {.5, .6, .7, 1}};
  auto source = Rng(7).permutation(27);
  const auto straight = seen_through(*PixelMap::identity(shape, scale, 1), {9, 99, 199});
  const auto moved = seen_through(*PixelMap::permuted(shape, scale, 1, source), {9, 99, 199});
  for (std::size_t p = 0; p < source.size(); ++p)
    EXPECT_EQ(moved[p], straight[source[p]]);
}

TEST(PixelMap, NinetyDegreesTurnCounterClockwise) {
  const PixelScale bytes{{0}, {1 / 255., 1, 1, 1}};
  const auto map = PixelMap::rotated({2, 2, 1}, bytes, 0, 90);
  EXPECT_THAT(seen_through(*map, {1, 2, 3, 4}),
              Pointwise(testing::FloatEq(), std::vector<real>{2, 4, 1, 3}));
}

TEST(PixelMap, AFullTurnIsTheIdentity) {
  Bytes image(28 * 28);
  for (std::size_t i = 0; i < image.size(); ++i)
    image[i] = static_cast<std::uint8_t>(i * 37);
  const PixelScale scale{{.13}, {.31, 1, 1, 1}};
  const auto still = seen_through(*PixelMap::identity({28, 28, 1}, scale, 2), image);
  const auto turned = seen_through(*PixelMap::rotated({28, 28, 1}, scale, 2, 360), image);
  EXPECT_THAT(turned, Pointwise(testing::FloatNear(1e-5f), still));
}

TEST(PixelMap, RotationMixesFourNeighboursAndLeavesBackgroundOutside) {
  const PixelScale bytes{{0}, {1 / 255., 1, 1, 1}};
  const auto out = seen_through(*PixelMap::rotated({3, 3, 1}, bytes, 0, 45), Bytes(9, 100));
  EXPECT_NEAR(out[4], 100, 1e-3);  // the centre stays
  EXPECT_GT(out[0], 0);            // corners come from between the image and the background
  EXPECT_LT(out[0], 100);
  EXPECT_NEAR(out[0], out[8], 1e-3);
}

TEST(ExampleSet, GathersImagesLabelsAndTasks) {
  const Dataset data = tiny_dataset();
  const ExampleSet set(data.train, rows({7, 3, 12}), PixelMap::identity(data.shape(), {}), 5);
  std::vector<real> x(2 * 16);
  std::vector<int> label(2), task(2);
  set.gather(std::vector<std::uint32_t>{2, 0}, Mat(x.data(), 2, 16), label, task);
  EXPECT_THAT(label, ElementsAre(2, 7));
  EXPECT_THAT(task, ElementsAre(5, 5));
  EXPECT_EQ(x[3], data.train->image(12)[3] / real{255});
  EXPECT_EQ(x[16 + 3], data.train->image(7)[3] / real{255});
}

TEST(ExampleSet, ListsWhatIsNotZeroWhenThatIsLittle) {
  for (const bool ink_is_rare : {true, false})
    for (const int channels : {1, 3}) {
      auto images = std::make_shared<Images>();
      images->shape = {9, 7, channels};
      const auto n = static_cast<std::size_t>(images->shape.size());
      Rng rng(4);
      for (std::size_t i = 0; i < 50 * n; ++i)
        images->pixels.push_back(
            static_cast<std::uint8_t>(rng.below(20) < (ink_is_rare ? 1 : 18) ? rng.below(256) : 0));
      images->labels.assign(50, 1);
      std::vector<std::uint32_t> all(50);
      std::iota(all.begin(), all.end(), 0u);
      const PixelScale bytes{{}, {1 / 255., 1 / 255., 1 / 255., 1}},
          centred{{.1, .1, .1}, {1, 1, 1}};
      const auto order = Rng(5).permutation(static_cast<std::uint32_t>(n));
      const auto padded = Rng(6).permutation(static_cast<std::uint32_t>(13 * 11 * channels));
      for (const auto& map : {PixelMap::identity(images->shape, bytes),
                              PixelMap::permuted(images->shape, bytes, 0, order),
                              PixelMap::permuted(images->shape, bytes, 2, padded),
                              PixelMap::rotated(images->shape, bytes, 0, 30),
                              PixelMap::identity(images->shape, centred)}) {
        const ExampleSet set(images, rows(all), map, 0);
        const auto places = Rng(6).permutation(50);
        const int cols = map->out().size();
        std::vector<real> plain(50 * static_cast<std::size_t>(cols)), first;
        set.gather(places, Mat(plain.data(), 50, cols), {}, {});
        const auto zeros = std::count(plain.begin(), plain.end(), real{0});
        const bool expected = static_cast<double>(zeros) > 0.6 * static_cast<double>(plain.size());
        for (const int threads : {1, 2, 3}) {
          set_threads(threads);
          std::vector<real> x(plain.size(), -9);
          ActiveSet active;
          set.gather(places, Mat(x.data(), 50, cols), {}, {}, &active);
          EXPECT_EQ(x, plain);
          ASSERT_EQ(active.known(), expected) << cols;
          for (int b = 0; active.known() && b < 50; ++b) {
            std::vector<std::int32_t> nonzero;
            for (int i = 0; i < cols; ++i)
              if (x[static_cast<std::size_t>(b * cols + i)] != 0) nonzero.push_back(i);
            EXPECT_EQ(std::vector(active.row(b).begin(), active.row(b).end()), nonzero);
          }
        }
        set_threads(1);
      }
    }
}

TEST(PixelMap, LooksUpEveryByteOfEveryPixel) {
  const ImageShape shape{16, 16, 1};
  const PixelScale scale{{.13}, {.31, 1, 1, 1}};
  Bytes image(256);
  std::iota(image.begin(), image.end(), std::uint8_t{0});
  const auto order = Rng(5).permutation(256);
  const auto straight = seen_through(*PixelMap::identity(shape, scale), image);
  const auto moved = seen_through(*PixelMap::permuted(shape, scale, 0, order), image);
  for (std::size_t p = 0; p < 256; ++p) {
    EXPECT_EQ(straight[p], static_cast<real>((static_cast<double>(p) / 255.0 - .13) / .31));
    EXPECT_EQ(moved[p], straight[order[p]]);
  }
}

TEST(ExampleSet, AppendPutsTheOtherBehind) {
  const Dataset data = tiny_dataset();
  const auto map = PixelMap::identity(data.shape(), {});
  ExampleSet set(data.train, rows({1, 2}), map, 0);
  set.append(ExampleSet());
  set.append({data.test, rows({3, 4, 5}), map, 1});
  set.append({data.train, rows({9}), map, 2});
  ASSERT_EQ(set.size(), 6u);
  std::vector<int> labels, tasks;
  for (std::size_t i = 0; i < set.size(); ++i) {
    labels.push_back(set.label(i));
    tasks.push_back(set.task(i));
  }
  EXPECT_THAT(labels, ElementsAre(1, 2, 3, 4, 5, 9));
  EXPECT_THAT(tasks, ElementsAre(0, 0, 1, 1, 1, 2));
}

TEST(ExampleSet, SubsetOfSeveralPartsKeepsTheOrderOfPlaces) {
  const Dataset data = tiny_dataset();
  ExampleSet set = whole(data, 0);
  set.append(whole(data, 1));
  const auto places = Rng(1).permutation(static_cast<std::uint32_t>(set.size()));
  ExampleSet mixed = set.subset(places);
  mixed.append(whole(data, 2).subset(std::vector<std::uint32_t>{5, 4}));
  ASSERT_EQ(mixed.size(), 402u);
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(mixed.label(i), set.label(places[i]));
    EXPECT_EQ(mixed.task(i), set.task(places[i]));
  }
  EXPECT_EQ(mixed.label(401), 4);
  EXPECT_EQ(mixed.task(401), 2);
  const ExampleSet again = mixed.subset(std::vector<std::uint32_t>{401, 0});
  EXPECT_EQ(again.task(0), 2);
  EXPECT_EQ(again.label(1), set.label(places[0]));
  EXPECT_THAT(mixed.tasks(), ElementsAre(0, 1, 2));
  EXPECT_THAT(again.tasks(), ElementsAre(set.task(places[0]), 2));
}

TEST(ExampleSet, CanBeAppendedToItself) {
  ExampleSet set = whole(tiny_dataset(), 0);
  set.append(set);
  EXPECT_EQ(set.size(), 400u);
  EXPECT_EQ(set.label(203), 3);
}

TEST(Synthetic, IsRepeatableBalancedAndMostlyBackground) {
  const Dataset a = make_synthetic("synthetic"), b = make_synthetic("synthetic");
  EXPECT_EQ(a.train->pixels, b.train->pixels);
  EXPECT_EQ(a.sha256, b.sha256);
  EXPECT_EQ(a.train->size(), 2000u);
  EXPECT_EQ(a.test->size(), 500u);
  for (int c = 0; c < 10; ++c)
    EXPECT_EQ(std::count(a.test->labels.begin(), a.test->labels.end(), c), 50);
  const auto zeros = std::count(a.train->pixels.begin(), a.train->pixels.end(), 0);
  EXPECT_GT(static_cast<double>(zeros), 0.4 * static_cast<double>(a.train->pixels.size()));
  EXPECT_NE(make_synthetic("synthetic", {.seed = 2}).sha256, a.sha256);
}

TEST(Synthetic, ClassesCanBeToldApartByTheirMeans) {
  const Dataset data = make_synthetic("synthetic_rgb", {.shape = {12, 12, 3}});
  const auto n = static_cast<std::size_t>(data.shape().size());
  std::vector<std::vector<double>> mean(10, std::vector<double>(n));
  for (std::size_t i = 0; i < data.train->size(); ++i)
    for (std::size_t p = 0; p < n; ++p)
      mean[data.train->labels[i]][p] += data.train->image(i)[p] / 200.0;
  int correct = 0;
  for (std::size_t i = 0; i < data.test->size(); ++i) {
    const auto far = [&](const std::vector<double>& m) {
      double sum = 0;
      for (std::size_t p = 0; p < n; ++p)
        sum += (m[p] - data.test->image(i)[p]) * (m[p] - data.test->image(i)[p]);
      return sum;
    };
    const auto best = std::min_element(
        mean.begin(), mean.end(), [&](const auto& x, const auto& y) { return far(x) < far(y); });
    correct += best - mean.begin() == data.test->labels[i];
  }
  EXPECT_GT(correct, 250);  // chance: 50
  EXPECT_LT(correct, 450);  // and not trivial
}

}  // namespace
}  // namespace engram
