#include "benchmarks/scenario.h"

#include "benchmarks/stream_table.h"
#include "tests/benchmarks/helpers.h"

namespace engram {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<TaskStream> split(int classes = 6, int tasks = 3) {
  StreamOptions o;
  o.stream = StreamKind::Split;
  o.tasks = tasks;
  return make_stream(o, tiny_dataset(classes), 1);
}

std::unique_ptr<TaskStream> permuted(int classes = 2, int tasks = 3) {
  StreamOptions o;
  o.stream = StreamKind::Permuted;
  o.tasks = tasks;
  return make_stream(o, tiny_dataset(classes), 1);
}

Targets targets(const TaskStream& stream, std::optional<Scenario> scenario,
                std::optional<Head> head = {}, HeadOutputs outputs = HeadOutputs::Own) {
  return Targets(stream, {scenario, head, outputs});
}

TEST(Targets, AutoIsDomainForSharedLabelsAndTaskForSplit) {
  const Targets a = targets(*permuted(), {}), b = targets(*split(), {});
  EXPECT_EQ(a.scenario(), Scenario::Domain);
  EXPECT_EQ(a.head(), Head::Shared);
  EXPECT_EQ(b.scenario(), Scenario::Task);
  EXPECT_EQ(b.head(), Head::PerTask);
  EXPECT_EQ(targets(*split(), Scenario::Class).head(), Head::Masked);
}

TEST(Targets, DomainUsesThePositionWithinTheTask) {
  for (const Targets& t :
       {targets(*split(), Scenario::Domain), targets(*split(), Scenario::Task, Head::Shared)}) {
    EXPECT_EQ(t.width(), 2);
    EXPECT_EQ(t.heads(), 1);
    EXPECT_EQ(t.target(0, 1), 1);
    EXPECT_EQ(t.target(2, 4), 0);
    EXPECT_EQ(t.target(2, 5), 1);
    EXPECT_THAT(t.train_mask(1, 2), IsEmpty());
    EXPECT_THAT(t.test_mask(2, 0), IsEmpty());
    EXPECT_TRUE(t.can_test(2, 0));
  }
}

TEST(Targets, PositionsFollowTheShuffledClasses) {
  StreamOptions o;
  o.stream = StreamKind::Split;
  o.tasks = 3;
  o.class_order = ClassOrder::Seed;
  const auto stream = make_stream(o, tiny_dataset(6), 5);
  const Targets local = targets(*stream, Scenario::Domain),
                global = targets(*stream, Scenario::Class);
  for (int t = 0; t < 3; ++t)
    for (int i = 0; i < 2; ++i) {
      const int label = stream->classes(t)[static_cast<std::size_t>(i)];
      EXPECT_EQ(local.target(t, label), i);
      EXPECT_EQ(global.target(t, label), label);
      EXPECT_EQ(global.test_mask(t, t + 1)[static_cast<std::size_t>(label)], 1);
    }
}

TEST(Targets, ClassMaskOpensWithTheTasksSeen) {
  const Targets t = targets(*split(), Scenario::Class);
  EXPECT_EQ(t.width(), 6);
  EXPECT_EQ(t.target(2, 5), 5);
  EXPECT_THAT(t.train_mask(0, 1), ElementsAre(1, 1, 0, 0, 0, 0));
  EXPECT_THAT(t.train_mask(1, 2), ElementsAre(1, 1, 1, 1, 0, 0));
  EXPECT_THAT(t.train_mask(0, 2), ElementsAre(1, 1, 1, 1, 0, 0));  // replay of an old task
  EXPECT_THAT(t.test_mask(0, 3), ElementsAre(1, 1, 1, 1, 1, 1));
  EXPECT_TRUE(t.can_test(0, 1));
  EXPECT_FALSE(t.can_test(1, 1));
  EXPECT_FALSE(t.can_test(0, 0));
}

TEST(Targets, TheLabelsTrickTrainsTheOwnClassesAlone) {
  const Targets t(*split(), {.scenario = Scenario::Class, .labels_trick = true});
  EXPECT_THAT(t.train_mask(1, 2), ElementsAre(0, 0, 1, 1, 0, 0));
  EXPECT_THAT(t.train_mask(0, 2), ElementsAre(1, 1, 0, 0, 0, 0));  // replay of an old task
  EXPECT_THAT(t.test_mask(0, 3), ElementsAre(1, 1, 1, 1, 1, 1));
}

TEST(Targets, ClassWithASharedHeadLetsEverythingCompete) {
  const Targets t = targets(*split(), Scenario::Class, Head::Shared);
  EXPECT_EQ(t.width(), 6);
  EXPECT_EQ(t.target(1, 3), 3);
  EXPECT_THAT(t.train_mask(0, 1), IsEmpty());
  EXPECT_TRUE(t.can_test(2, 0));
}

TEST(Targets, ClassesOfPermutedTasksAreDifferentClasses) {
  const Targets t = targets(*permuted(), Scenario::Class);
  EXPECT_EQ(t.width(), 6);
  EXPECT_EQ(t.target(0, 1), 1);
  EXPECT_EQ(t.target(2, 1), 5);
  EXPECT_THAT(t.train_mask(1, 2), ElementsAre(1, 1, 1, 1, 0, 0));
}

TEST(Targets, TaskMaskShowsTheOwnClassesOnly) {
  const Targets t = targets(*split(), Scenario::Task, Head::Masked);
  EXPECT_EQ(t.width(), 6);
  EXPECT_EQ(t.heads(), 1);
  EXPECT_THAT(t.train_mask(1, 3), ElementsAre(0, 0, 1, 1, 0, 0));
  EXPECT_THAT(t.test_mask(2, 0), ElementsAre(0, 0, 0, 0, 1, 1));
  EXPECT_TRUE(t.can_test(2, 0));
}

TEST(Targets, MayMaskOnlyTheTest) {
  const Targets t(*split(),
                  {.scenario = Scenario::Task, .head = Head::Masked, .mask_training = false});
  EXPECT_THAT(t.train_mask(1, 3), IsEmpty());
  EXPECT_THAT(t.test_mask(1, 3), ElementsAre(0, 0, 1, 1, 0, 0));
}

TEST(Targets, PerTaskHeadsHaveOwnOutputsOrAllLabels) {
  const Targets own = targets(*split(), Scenario::Task);
  EXPECT_EQ(own.width(), 2);
  EXPECT_EQ(own.heads(), 3);
  EXPECT_EQ(own.target(2, 4), 0);
  const Targets all = targets(*split(), Scenario::Task, Head::PerTask, HeadOutputs::All);
  EXPECT_EQ(all.width(), 6);
  EXPECT_EQ(all.target(2, 4), 4);
  for (const Targets& t : {own, all}) {
    EXPECT_THAT(t.train_mask(1, 2), IsEmpty());
    EXPECT_TRUE(t.can_test(0, 1));
    EXPECT_FALSE(t.can_test(1, 1));
  }
}

TEST(Targets, RefuseCombinationsThatMeanNothing) {
  const auto stream = split();
  const auto refusal = [&](Scenario scenario, Head head) {
    return message_of(Fault::Config, [&] { targets(*stream, scenario, head); });
  };
  EXPECT_THAT(refusal(Scenario::Domain, Head::Masked), HasSubstr("head = shared"));
  EXPECT_THAT(refusal(Scenario::Domain, Head::PerTask), HasSubstr("use head = shared"));
  EXPECT_THAT(refusal(Scenario::Class, Head::PerTask), HasSubstr("use head = masked"));
}

TEST(Targets, TwoClassesMayShareOneLogit) {
  for (const Targets& t :
       {targets(*split(), Scenario::Task, Head::PerTask, HeadOutputs::Single),
        targets(*split(), Scenario::Task, Head::Shared, HeadOutputs::Single),
        targets(*permuted(), Scenario::Domain, Head::Shared, HeadOutputs::Single)}) {
    EXPECT_EQ(t.width(), 1);
    EXPECT_EQ(t.target(0, 0), 0);
    EXPECT_EQ(t.target(0, 1), 1);
    EXPECT_THAT(t.train_mask(1, 2), IsEmpty());
  }
  EXPECT_EQ(targets(*split(), Scenario::Task, {}, HeadOutputs::Single).target(2, 5), 1);
}

TEST(Targets, ASingleOutputNeedsTwoClassesPerTask) {
  const auto refusal = [](const TaskStream& stream, Scenario scenario, Head head) {
    return message_of(Fault::Config, [&] { targets(stream, scenario, head, HeadOutputs::Single); });
  };
  EXPECT_THAT(refusal(*split(9, 3), Scenario::Task, Head::Shared),
              HasSubstr("'classes 0 1 2' has 3; use head_outputs = own"));
  EXPECT_THAT(refusal(*split(), Scenario::Class, Head::Shared), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(*split(), Scenario::Task, Head::Masked), HasSubstr("head = masked"));
}

TEST(Targets, ALabelOutsideTheTaskHasNoOutput) {
  EXPECT_EQ(targets(*split(), Scenario::Task).target(0, 5), -1);
}

}  // namespace
}  // namespace engram
