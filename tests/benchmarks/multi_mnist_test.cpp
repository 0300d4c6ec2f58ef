// Composites against the canvas they are defined by, and what the two tasks share.
#include <algorithm>
#include <set>

#include "benchmarks/scenario.h"
#include "benchmarks/stream_table.h"
#include "tests/benchmarks/stream_helpers.h"
#include "utils/rng.h"

namespace engram {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Every image has a label of its own, so that a composite's labels name its two images.
std::shared_ptr<const Images> distinct_images(int count, std::uint64_t seed) {
  auto images = std::make_shared<Images>();
  images->shape = {28, 28, 1};
  Rng rng(seed);
  for (int i = 0; i < count; ++i) {
    images->labels.push_back(static_cast<Label>(i));
    for (int p = 0; p < 28 * 28; ++p)
      images->pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  }
  return images;
}

Dataset source() {
  Dataset data;
  data.name = "mnist";
  data.classes = 60;
  data.train = distinct_images(60, 1), data.test = distinct_images(20, 2);
  return data;
}

StreamOptions pairs() {
  StreamOptions o = options(StreamKind::MultiMnist, 10);
  o.validation = .5;
  return o;
}

/// By definition: two images on a canvas of 36x36, of which 28x28 pixels are kept.
std::vector<real> by_hand(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right) {
  std::vector<std::vector<int>> canvas(36, std::vector<int>(36, 0));
  for (std::size_t y = 0; y < 28; ++y)
    for (std::size_t x = 0; x < 28; ++x)
      canvas[y][x] = left[28 * y + x];
  for (std::size_t y = 0; y < 28; ++y)
    for (std::size_t x = 0; x < 28; ++x)
      canvas[6 + y][6 + x] = std::max<int>(canvas[6 + y][6 + x], right[28 * y + x]);
  std::vector<real> out;
  const std::vector<std::size_t> kept{0,  1,  3,  4,  5,  7,  8,  9,  10, 12, 13, 14, 16, 17,
                                      18, 19, 21, 22, 23, 25, 26, 27, 28, 30, 31, 32, 34, 35};
  for (const std::size_t y : kept)
    for (const std::size_t x : kept)
      out.push_back(static_cast<real>(canvas[y][x]) / 255);
  return out;
}

TEST(MultiMnist, PutsTwoImagesOfTheSamePartTogether) {
  const Dataset data = source();
  const auto stream = make_stream(pairs(), data, kSeed);
  const Experience left = stream->experience(0), right = stream->experience(1);
  const auto check = [](const ExampleSet& lefts, const ExampleSet& rights, const Images& images,
                        int begin, std::size_t count) {
    ASSERT_EQ(lefts.size(), count);
    const Content l = content(lefts), r = content(rights);
    std::set<int> partners;
    for (std::size_t i = 0; i < count; ++i) {
      const auto& [pixels, label, task] = l[i];
      EXPECT_EQ(label, begin + static_cast<int>(i));  // each once, in order
      EXPECT_EQ(task, 0);
      EXPECT_EQ(std::get<2>(r[i]), 1);
      const int partner = std::get<1>(r[i]);
      partners.insert(partner);
      EXPECT_GE(partner, begin);
      EXPECT_LT(partner, begin + static_cast<int>(count));
      EXPECT_EQ(pixels, std::get<0>(r[i]));
      EXPECT_EQ(pixels, by_hand(images.image(static_cast<std::size_t>(label)),
                                images.image(static_cast<std::size_t>(partner))));
    }
    EXPECT_GT(partners.size(), count / 3);
    EXPECT_LT(partners.size(), count);  // drawn with replacement
  };
  check(left.train, right.train, *data.train, 0, 50);
  check(left.validation, right.validation, *data.train, 50, 10);
  check(left.test, right.test, *data.test, 0, 20);
}

TEST(MultiMnist, PairsFollowTheSeedOrPairSeed) {
  const Dataset data = source();
  StreamOptions o = pairs();
  const auto rights = [&](std::uint64_t seed) {
    return labels(make_stream(o, data, seed)->experience(1).train);
  };
  EXPECT_EQ(rights(1), rights(1));
  EXPECT_NE(rights(1), rights(2));
  o.pair_seed = 9;
  EXPECT_EQ(rights(1), rights(2));
  Dataset same = data;
  same.test = same.train;  // training and test draw from streams of their own
  const auto stream = make_stream(o, same, 1);
  auto train = labels(stream->experience(1).train), test = labels(stream->test(1));
  test.resize(20), train.resize(20);
  EXPECT_NE(train, test);
}

TEST(MultiMnist, NamesItsTwoTasksAndShowsTheirLabels) {
  Dataset data = source();
  const auto stream = make_stream(pairs(), data, kSeed);
  EXPECT_EQ(stream->tasks(), 2);  // whatever `tasks` says
  EXPECT_EQ(stream->task_name(0), "left digit");
  EXPECT_EQ(stream->task_name(1), "right digit");
  EXPECT_TRUE(stream->tasks_share_labels());
  EXPECT_TRUE(stream->tasks_share_images());
  EXPECT_EQ(stream->classes(1).size(), 60u);
  data.name = "fashion";
  EXPECT_EQ(make_stream(pairs(), data, kSeed)->task_name(1), "right item");
}

TEST(MultiMnist, HasNoValidationUnlessAskedAndKeepsLimits) {
  StreamOptions o = pairs();
  o.validation = 0, o.train_limit = 7, o.test_limit = 3;
  const Experience e = make_stream(o, source(), kSeed)->experience(0);
  EXPECT_TRUE(e.validation.empty());
  EXPECT_THAT(labels(e.train), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(labels(e.test), ElementsAre(0, 1, 2));
  o.train_limit = 1000;
  EXPECT_EQ(make_stream(o, source(), kSeed)->experience(0).train.size(), 50u);
}

TEST(MultiMnist, RefusesOtherImages) {
  EXPECT_THAT(message_of(Fault::Config, [] { make_stream(pairs(), tiny_dataset(), 1); }),
              HasSubstr("28x28x1"));
  StreamOptions o = pairs();
  o.protocol = Protocol::Joint, o.cumul_data = CumulData::Base;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, source(), 1); }),
              HasSubstr("cumul_data = base"));
  o = pairs(), o.class_limit = 5;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, source(), 1); }),
              HasSubstr("use train_limit"));
}

TEST(MultiMnist, IsPlannedFromLabelsAlone) {
  Dataset data = source();
  auto bare = std::make_shared<Images>(*data.train);
  bare->pixels.clear();
  data.train = bare;
  const auto planned = make_stream(pairs(), data, kSeed);
  EXPECT_EQ(planned->experience(0).train.size(), 50u);
  EXPECT_EQ(labels(planned->experience(1).train),
            labels(make_stream(pairs(), source(), kSeed)->experience(1).train));
}

TEST(MultiMnist, NormalisesWithMnistsConstantsOrHalf) {
  Dataset data = source();
  data.name = "fashion";
  StreamOptions o = pairs();
  const auto raw = std::get<0>(content(make_stream(o, data, 1)->test(0))[0]);
  const auto with = [&](Normalise n) {
    o.normalise = n;
    return std::get<0>(content(make_stream(o, data, 1)->test(0))[0]);
  };
  const auto mnist = with(Normalise::Mnist), half = with(Normalise::Half);
  for (const std::size_t p : {0u, 100u, 783u}) {
    EXPECT_NEAR(mnist[p], (raw[p] - .1307) / .3081, 1e-5);
    EXPECT_NEAR(half[p], (raw[p] - .5) / .5, 1e-5);
  }
  o = options(StreamKind::Split, 5);
  o.normalise = Normalise::Mnist;
  EXPECT_THAT(message_of(Fault::Config,
                         [&] {
                           make_stream(o, tiny_dataset(10, {4, 4, 3}), 1);
                         }),
              HasSubstr("mnist is for images of 1 channel"));
}

TEST(MultiMnist, GoesThroughEveryProtocol) {
  StreamOptions o = pairs();
  EXPECT_EQ(make_stream(o, source(), 1)->experience(1).train.views(), 1u);
  o.protocol = Protocol::Cumulative;
  const auto cumulative = make_stream(o, source(), 1);
  EXPECT_EQ(cumulative->experience(0).train.views(), 1u);
  EXPECT_EQ(cumulative->experience(1).train.views(), 2u);
  o.protocol = Protocol::Joint;
  const auto joint = make_stream(o, source(), 1);
  EXPECT_TRUE(joint->tasks_share_images());
  const ExampleSet train = joint->experience(0).train;
  EXPECT_EQ(train.size(), 100u);
  EXPECT_EQ(train.views(), 2u);
  EXPECT_EQ(train.task(50), 1);
  EXPECT_EQ(train.label(3), 3);
}

TEST(Views, AreNoneForPermutedSplitAndMixedSets) {
  for (const StreamKind kind : {StreamKind::Permuted, StreamKind::Split}) {
    StreamOptions o = options(kind, 5);
    o.protocol = Protocol::Joint;
    EXPECT_EQ(make_stream(o, tiny_dataset(), 1)->experience(0).train.views(), 0u);
  }
  StreamOptions o = pairs();
  o.protocol = Protocol::Joint;
  const ExampleSet train = make_stream(o, source(), 1)->experience(0).train;
  EXPECT_EQ(train.subset(std::vector<std::uint32_t>{60, 3}).views(), 0u);
}

TEST(Targets, OfTheSameImagesNeedTheTask) {
  const auto stream = make_stream(pairs(), source(), kSeed);
  const Targets automatic(*stream, {});
  EXPECT_EQ(automatic.scenario(), Scenario::Task);
  EXPECT_EQ(automatic.heads(), 2);
  const Targets shared(*stream, {.scenario = Scenario::Task, .head = Head::Shared});
  EXPECT_EQ(shared.heads(), 1);
  EXPECT_EQ(shared.width(), 60);
  EXPECT_EQ(shared.target(1, 7), 7);
  EXPECT_TRUE(shared.can_test(1, 0));
  for (const Scenario s : {Scenario::Domain, Scenario::Class})
    EXPECT_THAT(message_of(Fault::Config, [&] { Targets(*stream, {.scenario = s}); }),
                HasSubstr("use scenario = task with head = shared"));
}

TEST(MultiMnist, PairsOnlyImagesWithinTheLimit) {
  StreamOptions o = pairs();
  o.train_limit = 7, o.test_limit = 3;
  const auto stream = make_stream(o, source(), kSeed);
  for (const int right : labels(stream->experience(1).train))
    EXPECT_LT(right, 7);
  for (const int right : labels(stream->test(1)))
    EXPECT_LT(right, 3);
}

/// Images that are read one by one, as of a folder of pictures that is too large to keep.
class OneByOne final : public ImageSource {
 public:
  explicit OneByOne(std::shared_ptr<const Images> images) : images_(std::move(images)) {}
  void read(std::size_t i, std::span<std::uint8_t> out) const override {
    std::ranges::copy(images_->image(i), out.begin());
  }

 private:
  std::shared_ptr<const Images> images_;
};

TEST(MultiMnist, PutsImagesThatAreNotKeptTogetherWhenTheyAreNeeded) {
  Dataset read = source();
  for (auto* set : {&read.train, &read.test}) {
    auto bare = std::make_shared<Images>(**set);
    bare->source = std::make_shared<OneByOne>(*set);
    bare->pixels.clear();
    *set = bare;
  }
  const auto kept = make_stream(pairs(), source(), kSeed), made = make_stream(pairs(), read, kSeed);
  for (const int task : {0, 1}) {
    EXPECT_EQ(content(made->experience(task).train), content(kept->experience(task).train));
    EXPECT_EQ(content(made->validation(task)), content(kept->validation(task)));
    EXPECT_EQ(content(made->test(task)), content(kept->test(task)));
  }
}

}  // namespace
}  // namespace engram
