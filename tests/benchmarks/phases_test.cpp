// What makes phases other than "one task after the other, each as large as the next": blurred
// borders, tasks that come back, unequal sizes, borders that nobody is told.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "benchmarks/imbalance.h"
#include "benchmarks/scenario.h"
#include "benchmarks/stream_table.h"
#include "tests/benchmarks/stream_helpers.h"

namespace engram {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// `per_class` training images of each class.
Dataset large_dataset(int classes, int per_class) {
  Dataset data = tiny_dataset(classes, {2, 2, 1});
  data.train = tiny_images(classes, per_class, {2, 2, 1});
  return data;
}

std::vector<int> tasks_of(const ExampleSet& set) {
  std::vector<int> out;
  for (std::size_t i = 0; i < set.size(); ++i)
    out.push_back(set.task(i));
  return out;
}

Content all_training(const TaskStream& stream) {
  Content all;
  for (int e = 0; e < stream.experiences(); ++e)
    for (auto& example : content(stream.experience(e).train))
      all.push_back(std::move(example));
  std::sort(all.begin(), all.end());
  return all;
}

std::string refusal(const StreamOptions& o) {
  return message_of(Fault::Config, [&] { make_stream(o, tiny_dataset(), kSeed); });
}

TEST(LinearBoundaries, MeetEveryExampleOnceAndKeepTheSizesOfPhases) {
  for (const StreamKind kind : {StreamKind::Permuted, StreamKind::Split}) {
    StreamOptions o = options(kind, 5);
    o.task_sizes = {1, .5, .2, .9, .7};
    const auto sharp = make_stream(o, numbered_dataset(), kSeed);
    o.boundaries = Boundaries::Linear;
    for (const double blur : {.01, .3, 1.}) {
      o.blur = blur;
      const auto stream = make_stream(o, numbered_dataset(), kSeed);
      EXPECT_EQ(all_training(*stream), all_training(*sharp)) << blur;
      for (int e = 0; e < 5; ++e) {
        EXPECT_EQ(stream->experience(e).train.size(), sharp->experience(e).train.size());
        EXPECT_EQ(content(stream->experience(e).test), content(sharp->test(e)));
      }
      EXPECT_TRUE(stream->ordered());
    }
  }
}

TEST(LinearBoundaries, TheShareOfTheNextTaskRisesLinearly) {
  StreamOptions o = options(StreamKind::Split, 2);
  o.boundaries = Boundaries::Linear;
  o.blur = .8;
  const auto stream = make_stream(o, large_dataset(4, 1000), kSeed);  // phases of 2000
  std::vector<int> met = tasks_of(stream->experience(0).train);
  for (const int task : tasks_of(stream->experience(1).train))
    met.push_back(task);
  ASSERT_EQ(met.size(), 4000u);
  // 800 examples before the border and 800 behind it are mixed: [1200, 2800).
  EXPECT_THAT(std::vector(met.begin(), met.begin() + 1200), Each(0));
  EXPECT_THAT(std::vector(met.begin() + 2800, met.end()), Each(1));
  for (int bin = 0; bin < 16; ++bin) {
    const auto begin = met.begin() + 1200 + 100 * bin;
    EXPECT_NEAR(static_cast<double>(std::count(begin, begin + 100, 1)) / 100, (bin + .5) / 16, .08)
        << bin;
  }
}

TEST(LinearBoundaries, ThePhaseBeforeHasAnEighthOfTheWindowFromTheNextTask) {
  // The integral of the share u from 0 to 1/2, times the window of `blur` times the phase.
  StreamOptions o = options(StreamKind::Permuted, 3);
  o.boundaries = Boundaries::Linear;
  o.blur = .5;
  const auto stream = make_stream(o, large_dataset(10, 400), kSeed);
  const Experience e = stream->experience(1);
  const std::vector<int> met = tasks_of(e.train);
  EXPECT_NEAR(static_cast<double>(std::count(met.begin(), met.end(), 0)), .5 * 4000 / 8, 25);
  EXPECT_NEAR(static_cast<double>(std::count(met.begin(), met.end(), 2)), .5 * 4000 / 8, 25);
  EXPECT_EQ(e.index, 1);
  EXPECT_EQ(e.seen, 3);  // the last task has begun
  EXPECT_EQ(stream->experience(0).seen, 2);
}

TEST(LinearBoundaries, TheOrderFollowsTheSeedAndIsRandomWithinAPhase) {
  StreamOptions o = options(StreamKind::Split, 2);
  o.boundaries = Boundaries::Linear;
  const Dataset data = numbered_dataset();
  const auto order = [&](std::uint64_t seed) {
    return content(make_stream(o, data, seed)->experience(0).train);
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
  const auto first = labels(make_stream(o, data, 1)->experience(0).train);
  const std::set<int> early(first.begin(), first.begin() + 30);
  EXPECT_EQ(early.size(), 5u);  // not class after class
}

TEST(IBlurry, KeepsDisjointClassesAndDealsTheShareOfTheOthers) {
  StreamOptions o = options(StreamKind::Split, 5);
  const Dataset data = large_dataset(10, 200);
  const auto sharp = make_stream(o, data, kSeed);
  o.boundaries = Boundaries::IBlurry;
  o.disjoint_classes = .3;
  o.blurry_share = .2;
  const auto stream = make_stream(o, data, kSeed);
  std::map<int, int> away;  // by class: examples that a phase of another task has
  std::size_t all = 0;
  for (int e = 0; e < 5; ++e) {
    const Experience phase = stream->experience(e);
    EXPECT_EQ(phase.train.size(), 400u);
    EXPECT_EQ(phase.index, e);
    for (std::size_t i = 0; i < phase.train.size(); ++i, ++all)
      if (phase.train.task(i) != e) ++away[phase.train.label(i)];
  }
  EXPECT_EQ(all, 2000u);
  EXPECT_EQ(all_training(*stream), all_training(*sharp));
  ASSERT_EQ(away.size(), 7u);  // of ten classes three are disjoint
  int moved = 0;
  for (const auto& [label, n] : away)
    moved += n;
  EXPECT_NEAR(moved, .2 * 1400 * .8, 40);  // one in five comes back to its own task
  EXPECT_FALSE(stream->ordered());
  EXPECT_EQ(stream->experience(0).seen, 5);
}

TEST(IBlurry, TasksHaveAsManyDisjointClassesAsEachOther) {
  StreamOptions o = options(StreamKind::Split, 5);
  o.boundaries = Boundaries::IBlurry;
  o.blurry_share = .5;  // of two classes a task one stays
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto stream = make_stream(o, large_dataset(10, 100), seed);
    std::set<int> away;
    for (int e = 0; e < 5; ++e) {
      const ExampleSet train = stream->experience(e).train;
      for (std::size_t i = 0; i < train.size(); ++i)
        if (train.task(i) != e) away.insert(train.label(i));
    }
    ASSERT_EQ(away.size(), 5u);
    for (int task = 0; task < 5; ++task)
      EXPECT_EQ(away.count(2 * task) + away.count(2 * task + 1), 1u) << seed;
  }
}

TEST(IBlurry, NothingMovesWhenNothingIsBlurry) {
  StreamOptions o = options(StreamKind::Split, 5);
  const auto sharp = make_stream(o, numbered_dataset(), kSeed);
  o.boundaries = Boundaries::IBlurry;
  for (const auto& [disjoint, share] : {std::pair{1., .5}, std::pair{0., 0.}}) {
    o.disjoint_classes = disjoint, o.blurry_share = share;
    const auto stream = make_stream(o, numbered_dataset(), kSeed);
    for (int e = 0; e < 5; ++e)
      EXPECT_EQ(content(stream->experience(e).train), content(sharp->experience(e).train));
    EXPECT_EQ(stream->experience(1).seen, 2);
  }
}

TEST(Boundaries, ContradictionsAreRefused) {
  StreamOptions o = options(StreamKind::Permuted, 3);
  o.boundaries = Boundaries::IBlurry;
  EXPECT_THAT(refusal(o), HasSubstr("stream = split"));
  o.boundaries = Boundaries::Linear;
  o.protocol = Protocol::Joint;
  EXPECT_THAT(refusal(o), HasSubstr("protocol = sequential"));
  o = options(StreamKind::Split, 5);
  o.boundaries = Boundaries::IBlurry;
  o.repeats = 2;
  EXPECT_THAT(refusal(o), HasSubstr("come back"));
}

TEST(Repetition, PhasesFollowTheOrderAndKnowWhatWasSeen) {
  StreamOptions o = options(StreamKind::Split, 3);
  o.classes_per_task = 2;
  const auto plain = make_stream(o, numbered_dataset(), kSeed);
  o.task_order = {0, 1, 0, 2};
  o.repeats = 2;
  const auto stream = make_stream(o, numbered_dataset(), kSeed);
  ASSERT_EQ(stream->experiences(), 8);
  EXPECT_EQ(stream->tasks(), 3);
  std::vector<int> index, seen;
  for (int e = 0; e < 8; ++e) {
    const Experience phase = stream->experience(e);
    index.push_back(phase.index), seen.push_back(phase.seen);
    EXPECT_EQ(stream->task_of(e), phase.index);
    EXPECT_EQ(content(phase.train), content(plain->experience(phase.index).train));
    EXPECT_EQ(content(phase.test), content(plain->test(phase.index)));
  }
  EXPECT_THAT(index, ElementsAre(0, 1, 0, 2, 0, 1, 0, 2));
  EXPECT_THAT(seen, ElementsAre(1, 2, 2, 3, 3, 3, 3, 3));
}

TEST(Repetition, FirstTasksEndTheOrderWhereALaterTaskBegins) {
  StreamOptions o = options(StreamKind::Split, 3);
  o.classes_per_task = 2;
  o.task_order = {0, 1, 0, 2, 1};
  o.first_tasks = 2;
  const auto stream = make_stream(o, numbered_dataset(), kSeed);
  std::vector<int> tasks;
  for (int e = 0; e < stream->experiences(); ++e)
    tasks.push_back(stream->task_of(e));
  EXPECT_THAT(tasks, ElementsAre(0, 1, 0));
  o.first_tasks = 3;
  EXPECT_EQ(make_stream(o, numbered_dataset(), kSeed)->experiences(), 5);

  // The parts of visits are those of the whole stream.
  o.repeat_data = RepeatData::Parts, o.repeats = 2;
  const auto whole = make_stream(o, numbered_dataset(), kSeed);
  o.first_tasks = 2;
  const auto first = make_stream(o, numbered_dataset(), kSeed);
  ASSERT_EQ(first->experiences(), 3);
  for (int e = 0; e < 3; ++e)
    EXPECT_EQ(content(first->experience(e).train), content(whole->experience(e).train));
}

TEST(Repetition, PartsAreDisjointAndHaveTheirShareOfEveryClass) {
  StreamOptions o = options(StreamKind::Split, 2);
  o.classes_per_task = 3;  // 20 examples each
  const auto plain = make_stream(o, numbered_dataset(), kSeed);
  o.repeats = 3;
  o.repeat_data = RepeatData::Parts;
  const auto stream = make_stream(o, numbered_dataset(), kSeed);
  EXPECT_EQ(all_training(*stream), all_training(*plain));
  for (int e = 0; e < 6; ++e) {
    const auto part = labels(stream->experience(e).train);
    EXPECT_EQ(part.size(), 20u);
    for (const int c : stream->classes(e % 2))
      EXPECT_NEAR(static_cast<double>(std::count(part.begin(), part.end(), c)), 20 / 3., 1);
  }
}

TEST(Repetition, MayBeBlurred) {
  StreamOptions o = options(StreamKind::Split, 2);
  o.repeats = 2;
  o.repeat_data = RepeatData::Parts;
  const auto sharp = make_stream(o, numbered_dataset(), kSeed);
  o.boundaries = Boundaries::Linear;
  o.blur = 1;
  const auto stream = make_stream(o, numbered_dataset(), kSeed);
  EXPECT_EQ(all_training(*stream), all_training(*sharp));
  EXPECT_THAT(stream->experience(2).train.tasks(), ElementsAre(0, 1));
}

TEST(Repetition, RefusesOrdersThatMakeNoSense) {
  StreamOptions o = options(StreamKind::Split, 3);
  o.classes_per_task = 2;
  o.task_order = {0, 2, 1};
  EXPECT_THAT(refusal(o), AllOf(HasSubstr("task 2 comes before task 1"), HasSubstr("order_seed")));
  o.task_order = {0, 1, 0};
  EXPECT_THAT(refusal(o), HasSubstr("task 2 never comes"));
  o.task_order = {0, 1, 2, 3};
  EXPECT_THAT(refusal(o), HasSubstr("0 to 2"));
  o.task_order = {};
  o.repeats = 50;
  o.repeat_data = RepeatData::Parts;
  EXPECT_THAT(refusal(o), HasSubstr("no examples left"));
  o.repeat_data = RepeatData::All;
  o.protocol = Protocol::Cumulative;
  EXPECT_THAT(refusal(o), HasSubstr("protocol = sequential"));
}

TEST(Imbalance, ClassesFollowTheExponentialProfile) {
  StreamOptions o = options(StreamKind::Permuted, 2);
  o.imbalance = 100;
  const auto stream = make_stream(o, large_dataset(5, 1000), kSeed);
  // 1000 * 100^(-c / 4): every next class is 100^(1/4) = sqrt(10) times smaller.
  const std::vector<int> expected{1000, 316, 100, 32, 10};
  for (int e = 0; e < 2; ++e) {
    const auto found = labels(stream->experience(e).train);
    for (int c = 0; c < 5; ++c)
      EXPECT_EQ(std::count(found.begin(), found.end(), c), expected[static_cast<std::size_t>(c)]);
  }
  const auto tested = labels(stream->test(0));
  EXPECT_EQ(std::count(tested.begin(), tested.end(), 0),
            std::count(tested.begin(), tested.end(), 4));
}

TEST(Imbalance, LargeClassesMayBeDrawn) {
  StreamOptions o;
  o.imbalance = 50;
  o.imbalance_order = ClassOrder::Seed;
  const auto natural = [&] {
    StreamOptions plain = o;
    plain.imbalance_order = ClassOrder::Natural;
    return class_shares(plain, 20, 3);
  }();
  auto drawn = class_shares(o, 20, 3);
  EXPECT_NE(drawn, natural);
  EXPECT_NE(drawn, class_shares(o, 20, 4));
  o.order_seed = 3;
  EXPECT_EQ(drawn, class_shares(o, 20, 4));
  std::sort(drawn.rbegin(), drawn.rend());
  EXPECT_EQ(drawn, natural);
}

TEST(Imbalance, TasksHaveTheSizesThatAreAskedFor) {
  StreamOptions o = options(StreamKind::Permuted, 3);
  const auto sizes = [&] {
    const auto stream = make_stream(o, large_dataset(4, 100), kSeed);
    std::vector<std::size_t> out;
    for (int e = 0; e < 3; ++e)
      out.push_back(stream->experience(e).train.size());
    return out;
  };
  o.task_sizes = {1, .25, .5};
  EXPECT_THAT(sizes(), ElementsAre(400, 100, 200));
  o.task_sizes.clear();
  o.task_imbalance = 4;  // 4^(-t/2)
  EXPECT_THAT(sizes(), ElementsAre(400, 200, 100));
  o.imbalance = 8;  // 8^(-c/3)
  EXPECT_THAT(sizes(), ElementsAre(100 + 50 + 25 + 13, 50 + 25 + 13 + 6, 25 + 13 + 6 + 3));
  o.task_sizes = {1, 1, 1};
  EXPECT_THAT(refusal(o), HasSubstr("two ways"));
  o.task_imbalance = 1;
  o.task_sizes = {1, 1};
  EXPECT_THAT(refusal(o), HasSubstr("2 shares for 3 tasks"));
}

TEST(Imbalance, EveryClassKeepsAnExampleAndValidationStaysBalanced) {
  StreamOptions o = options(StreamKind::Split, 2);
  o.classes_per_task = 5;
  o.imbalance = 1000;
  o.validation = .25;
  const auto stream = make_stream(o, numbered_dataset(), kSeed);
  const auto found = labels(stream->experience(1).train);
  EXPECT_EQ(std::set<int>(found.begin(), found.end()).size(), 5u);
  const auto held = labels(stream->validation(1));
  for (int c = 5; c < 10; ++c)
    EXPECT_EQ(std::count(held.begin(), held.end(), c), 5);
}

TEST(TaskFree, ChoosesSharedOutputsAndRefusesWhatNeedsTheTask) {
  StreamOptions o = options(StreamKind::Split, 5);
  o.task_free = true;
  o.boundaries = Boundaries::Linear;
  const auto split = make_stream(o, tiny_dataset(), kSeed);
  EXPECT_TRUE(split->task_free());
  EXPECT_TRUE(split->ordered());
  const Targets targets(*split, {});
  EXPECT_EQ(targets.scenario(), Scenario::Class);
  EXPECT_EQ(targets.head(), Head::Shared);
  const auto why = [&](ScenarioOptions s) {
    return message_of(Fault::Config, [&] { Targets(*split, s); });
  };
  EXPECT_THAT(why({.scenario = Scenario::Task}), HasSubstr("domain or class"));
  EXPECT_THAT(why({.scenario = Scenario::Class, .head = Head::Masked}), HasSubstr("head = shared"));
  EXPECT_THAT(why({.labels_trick = true}), HasSubstr("labels_trick"));
  o.boundaries = Boundaries::Sharp;
  o.stream = StreamKind::Permuted;
  EXPECT_EQ(Targets(*make_stream(o, tiny_dataset(), kSeed), {}).scenario(), Scenario::Domain);
}

}  // namespace
}  // namespace engram
