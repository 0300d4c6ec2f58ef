#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "benchmarks/cut_stream.h"
#include "benchmarks/stream_table.h"
#include "tests/benchmarks/stream_helpers.h"
#include "utils/rng.h"

namespace engram {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Those that work on any data set of classes.
constexpr std::array kCutsOfClasses{StreamKind::Permuted, StreamKind::Split, StreamKind::Rotated};

TEST(Split, PartitionsTheClasses) {
  const auto stream = make_stream(options(StreamKind::Split, 5), tiny_dataset(), kSeed);
  std::set<int> seen;
  std::size_t train = 0, test = 0;
  for (int t = 0; t < stream->tasks(); ++t) {
    const Experience e = stream->experience(t);
    EXPECT_THAT(e.classes, ElementsAre(2 * t, 2 * t + 1));
    EXPECT_EQ(e.classes, stream->classes(t));
    for (const int label : labels(e.train))
      EXPECT_TRUE(label == 2 * t || label == 2 * t + 1);
    for (const int c : e.classes)
      EXPECT_TRUE(seen.insert(c).second);
    train += e.train.size();
    test += e.test.size();
  }
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(train, 200u);
  EXPECT_EQ(test, 50u);
  EXPECT_FALSE(stream->tasks_share_labels());
  EXPECT_EQ(stream->task_name(1), "classes 2 3");
}

TEST(Split, KeepsTheOrderOfTheDataSet) {
  const auto stream = make_stream(options(StreamKind::Split, 5), tiny_dataset(), kSeed);
  EXPECT_THAT(labels(stream->experience(1).test), ElementsAre(2, 3, 2, 3, 2, 3, 2, 3, 2, 3));
}

TEST(Split, MayUseOnlySomeClasses) {
  StreamOptions o = options(StreamKind::Split, 2);
  o.classes_per_task = 3;
  const auto stream = make_stream(o, tiny_dataset(), kSeed);
  EXPECT_THAT(stream->classes(1), ElementsAre(3, 4, 5));
  EXPECT_EQ(stream->experience(1).train.size(), 60u);
}

TEST(Split, RefusesTasksThatDoNotFitTheClasses) {
  const Dataset data = tiny_dataset();
  const auto refusal = [&](int tasks, std::optional<int> per_task) {
    StreamOptions o = options(StreamKind::Split, tasks);
    o.classes_per_task = per_task;
    return message_of(Fault::Config, [&] { make_stream(o, data, kSeed); });
  };
  EXPECT_THAT(refusal(6, 2), AllOf(HasSubstr("6 tasks of 2 classes"), HasSubstr("tasks = 5")));
  EXPECT_THAT(refusal(10, {}), HasSubstr("use at most tasks = 5"));
  EXPECT_THAT(refusal(3, {}), HasSubstr("set classes_per_task = 3 to use 9 of them"));
  EXPECT_THAT(refusal(1, 11), HasSubstr("10 classes"));
}

TEST(Split, MayBeginWithMoreClassesThanItGoesOnWith) {
  const Dataset data = tiny_dataset();
  const auto sizes = [&](int tasks, int base, std::optional<int> per_task) {
    StreamOptions o = options(StreamKind::Split, tasks);
    o.base_classes = base, o.classes_per_task = per_task;
    const auto stream = make_stream(o, data, kSeed);
    std::vector<std::size_t> out;
    std::vector<int> seen;
    for (int t = 0; t < stream->tasks(); ++t) {
      out.push_back(stream->classes(t).size());
      for (const int c : stream->classes(t))
        seen.push_back(c);
    }
    for (std::size_t i = 0; i < seen.size(); ++i)
      EXPECT_EQ(seen[i], static_cast<int>(i)) << "in the order of the classes, none twice";
    return out;
  };
  EXPECT_THAT(sizes(6, 5, {}), ElementsAre(5, 1, 1, 1, 1, 1));
  EXPECT_THAT(sizes(3, 4, {}), ElementsAre(4, 3, 3));
  EXPECT_THAT(sizes(3, 5, 2), ElementsAre(5, 2, 2));
  EXPECT_THAT(sizes(1, 5, {}), ElementsAre(5));
  EXPECT_THAT(sizes(1, 10, 3), ElementsAre(10));
  StreamOptions o = options(StreamKind::Split, 3);
  o.base_classes = 6, o.class_order = ClassOrder::Seed, o.order_seed = 4;
  const auto base = make_stream(o, data, kSeed);
  o.base_classes = {}, o.tasks = 5;
  const auto even = make_stream(o, data, kSeed);
  std::set<int> first;
  for (const int t : {0, 1, 2})
    for (const int c : even->classes(t))
      first.insert(c);
  EXPECT_EQ(std::vector<int>(first.begin(), first.end()), base->classes(0));
  EXPECT_EQ(base->classes(1), even->classes(3));
}

TEST(Split, RefusesABaseThatLeavesTooLittle) {
  const Dataset data = tiny_dataset();
  const auto refusal = [&](int tasks, int base, std::optional<int> per_task) {
    StreamOptions o = options(StreamKind::Split, tasks);
    o.base_classes = base, o.classes_per_task = per_task;
    return message_of(Fault::Config, [&] { make_stream(o, data, kSeed); });
  };
  EXPECT_THAT(refusal(2, 10, {}), HasSubstr("leaves nothing of its 10 classes"));
  EXPECT_THAT(refusal(1, 11, {}), HasSubstr("base_classes = 11"));
  EXPECT_THAT(refusal(7, 5, {}), AllOf(HasSubstr("fewer than one class"), HasSubstr("tasks = 6")));
  EXPECT_THAT(refusal(3, 5, {}), HasSubstr("set classes_per_task = 2 to use 4 of them"));
  EXPECT_THAT(refusal(4, 5, 2),
              AllOf(HasSubstr("3 tasks after the first"), HasSubstr("tasks = 3")));
}

TEST(Split, ShufflesTheClassesBySeed) {
  StreamOptions o = options(StreamKind::Split, 5);
  o.class_order = ClassOrder::Seed;
  const auto orders = [&](std::uint64_t seed) {
    std::vector<std::vector<int>> out;
    const auto stream = make_stream(o, tiny_dataset(), seed);
    for (int t = 0; t < 5; ++t) {
      out.push_back(stream->classes(t));
      EXPECT_TRUE(std::is_sorted(out.back().begin(), out.back().end()));
    }
    return out;
  };
  EXPECT_EQ(orders(1), orders(1));
  EXPECT_NE(orders(1), orders(2));
  o.order_seed = 7;
  EXPECT_EQ(orders(1), orders(2));
}

TEST(Permuted, UsesNumpysPermutationsSeededByTheTask) {
  Dataset data = tiny_dataset(2, {28, 28, 1});
  const auto stream = make_stream(options(StreamKind::Permuted, 3), data, kSeed);
  const auto x = std::get<0>(content(stream->experience(0).train)[5]);
  const std::vector<std::size_t> first{693, 85, 647, 392, 765, 14};  // numpy seed 0
  for (std::size_t p = 0; p < first.size(); ++p)
    EXPECT_EQ(x[p], data.train->image(5)[first[p]] / real{255});
  const auto two = numpy_legacy_permutation(2, 784);
  const auto y = std::get<0>(content(stream->test(2))[3]);
  for (std::size_t p = 0; p < 784; ++p)
    EXPECT_EQ(y[p], data.test->image(3)[two[p]] / real{255});
}

TEST(Permuted, PhiloxFollowsTheSeedAndTheFirstTaskMayStayAsItIs) {
  StreamOptions o = options(StreamKind::Permuted, 3);
  o.permutations = PermutationSource::Philox;
  o.first_task_identity = true;
  const Dataset data = numbered_dataset();
  const auto a = make_stream(o, data, 1), b = make_stream(o, data, 2);
  EXPECT_EQ(std::get<0>(content(a->test(0))[1])[0], 1 / real{255});
  EXPECT_EQ(a->task_name(0), "identity");
  EXPECT_EQ(content(a->test(0)), content(b->test(0)));
  EXPECT_NE(content(a->test(1)), content(b->test(1)));
  EXPECT_EQ(content(a->test(1)), content(make_stream(o, data, 1)->test(1)));
  o.permutation_seed = 5;
  EXPECT_EQ(content(make_stream(o, data, 1)->test(1)), content(make_stream(o, data, 2)->test(1)));
}

TEST(Permuted, EveryTaskHasAllClassesAndTheSameExamples) {
  const auto stream = make_stream(options(StreamKind::Permuted, 4), numbered_dataset(), kSeed);
  EXPECT_TRUE(stream->tasks_share_labels());
  for (int t = 0; t < 4; ++t) {
    const Experience e = stream->experience(t);
    EXPECT_EQ(e.train.size(), 200u);
    EXPECT_EQ(e.classes.size(), 10u);
    EXPECT_EQ(e.train.task(0), t);
  }
}

TEST(Rotated, AnglesAreEvenOrDrawn) {
  StreamOptions o = options(StreamKind::Rotated, 4);
  o.rotation = RotationPlan::Even;
  const auto even = make_stream(o, tiny_dataset(), kSeed);
  EXPECT_EQ(even->task_name(0), "rotation 0.0");
  EXPECT_EQ(even->task_name(3), "rotation 135.0");
  o.rotation = RotationPlan::Uniform;
  EXPECT_EQ(make_stream(o, tiny_dataset(), 1)->task_name(2),
            make_stream(o, tiny_dataset(), 1)->task_name(2));
  EXPECT_NE(make_stream(o, tiny_dataset(), 1)->task_name(2),
            make_stream(o, tiny_dataset(), 2)->task_name(2));
}

TEST(Streams, AreRepeatable) {
  for (const StreamKind kind : kCutsOfClasses) {
    StreamOptions o = options(kind, 5);
    o.validation = .2;
    const auto stream = make_stream(o, numbered_dataset(), kSeed);
    const auto again = make_stream(o, numbered_dataset(), kSeed);
    for (const int t : {3, 0, 3}) {
      EXPECT_EQ(content(stream->experience(t).train), content(again->experience(t).train));
      EXPECT_EQ(content(stream->experience(t).validation), content(again->validation(t)));
      EXPECT_EQ(content(stream->experience(t).test), content(again->test(t)));
    }
  }
}

TEST(Streams, TableNamesMatchTheirKinds) {
  for (std::size_t i = 0; i < streams().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(streams()[i].kind), i);
    EXPECT_EQ(streams()[i].name, name_of(streams()[i].kind));
    EXPECT_FALSE(streams()[i].options().empty());
  }
}

TEST(Streams, ValidationIsStratifiedAndNeverMeetsTraining) {
  for (const StreamKind kind : kCutsOfClasses) {
    StreamOptions o = options(kind, 5);
    o.validation = .25;
    const auto stream = make_stream(o, numbered_dataset(), kSeed);
    for (int t = 0; t < 5; ++t) {
      const Experience e = stream->experience(t);
      std::map<int, int> held;
      for (const int label : labels(e.validation))
        ++held[label];
      EXPECT_EQ(held.size(), e.classes.size());
      for (const auto& [label, count] : held)
        EXPECT_EQ(count, 5);
      EXPECT_EQ(e.validation.size() * 3, e.train.size());
      Content all = content(e.train);
      for (const auto& example : content(e.validation))
        all.push_back(example);
      std::sort(all.begin(), all.end());
      EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << name_of(kind);
    }
  }
}

TEST(Streams, ValidationLeavesTrainingAnExampleOfEveryClass) {
  StreamOptions o = options(StreamKind::Split, 5);
  o.validation = .99;
  const Experience e = make_stream(o, numbered_dataset(), kSeed)->experience(0);
  std::map<int, int> left;
  for (const int label : labels(e.train))
    ++left[label];
  EXPECT_EQ(left, (std::map<int, int>{{0, 1}, {1, 1}}));
}

TEST(Streams, LimitsTakeTheFirstImages) {
  StreamOptions o = options(StreamKind::Permuted, 2);
  o.train_limit = 30;
  o.test_limit = 7;
  const Experience e = make_stream(o, tiny_dataset(), kSeed)->experience(1);
  EXPECT_EQ(e.train.size(), 30u);
  EXPECT_THAT(labels(e.test), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  o = options(StreamKind::Split, 5);
  o.train_limit = 3;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, tiny_dataset(), kSeed); }),
              HasSubstr("raise train_limit"));
}

TEST(Streams, AClassLimitTakesTheFirstImagesOfEveryClass) {
  StreamOptions o = options(StreamKind::Split, 5);
  const auto all = make_stream(o, tiny_dataset(), kSeed);
  o.class_limit = 3;
  const auto few = make_stream(o, tiny_dataset(), kSeed);
  for (int t = 0; t < 5; ++t) {
    std::map<int, Content> first;
    for (const auto& example : content(all->experience(t).train))
      if (auto& of_class = first[std::get<1>(example)]; of_class.size() < 3)
        of_class.push_back(example);
    Content wanted, kept = content(few->experience(t).train);
    for (const auto& [label, examples] : first)
      wanted.insert(wanted.end(), examples.begin(), examples.end());
    std::sort(wanted.begin(), wanted.end());
    std::sort(kept.begin(), kept.end());
    EXPECT_EQ(kept, wanted);
    EXPECT_EQ(kept.size(), 6u);
    EXPECT_EQ(content(few->test(t)), content(all->test(t)));
  }
}

TEST(Streams, PadAndNormaliseLikeHsu) {
  StreamOptions o = options(StreamKind::Split, 5);
  o.pad = 2;
  o.normalise = Normalise::Hsu;
  const auto stream = make_stream(o, tiny_dataset(), kSeed);
  EXPECT_EQ(stream->shape(), (ImageShape{8, 8, 1}));
  const auto x = std::get<0>(content(stream->test(0))[0]);
  EXPECT_FLOAT_EQ(x[0], static_cast<real>(-.1 / .2752));
  EXPECT_THAT(message_of(Fault::Config,
                         [&] {
                           make_stream(o, tiny_dataset(10, {4, 4, 3}), 1);
                         }),
              HasSubstr("hsu is for images of 1 channel"));
  o.normalise = Normalise::Imagenet;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, tiny_dataset(), 1); }),
              HasSubstr("use standard or none"));
}

TEST(Streams, AutoFollowsMnistModeOnlyForMnistLikeSets) {
  StreamOptions o;
  EXPECT_EQ(stream_kind(o, "mnist"), StreamKind::Permuted);
  EXPECT_EQ(stream_kind(o, "cifar100"), StreamKind::Split);
  o.mnist_mode = MnistMode::Split;
  EXPECT_EQ(stream_kind(o, "fashion"), StreamKind::Split);
  o.stream = StreamKind::Rotated;
  EXPECT_EQ(stream_kind(o, "cifar10"), StreamKind::Rotated);
}

TEST(StreamOptions, KeepsTheOlderKeys) {
  std::set<std::string> keys;
  for (const OptionInfo& info : list_options<StreamOptions>()) {
    EXPECT_TRUE(keys.insert(info.key).second);
    if (info.key != "tasks") continue;
    EXPECT_THAT(info.aliases, ElementsAre("num_batch"));
  }
  for (const char* key : {"benchmark", "mnist_mode", "cumul"})
    EXPECT_TRUE(keys.contains(key));
}

TEST(Streams, NoTaskLearnsWhatAnotherOneValidatesWith) {
  const Dataset data = numbered_dataset();
  StreamOptions o = options(StreamKind::Rotated, 4);
  o.validation = .25, o.task_sizes = {1, 1, 0.5, 1};
  std::vector<TaskPlan> plans(4);
  for (TaskPlan& plan : plans)
    plan.classes = all_classes(data);
  fill_rows(o, data, kSeed, plans);
  const std::set<std::uint32_t> held(plans[0].validation->begin(), plans[0].validation->end());
  EXPECT_EQ(held.size(), 50u);
  for (const TaskPlan& plan : plans) {
    EXPECT_EQ(*plan.validation, *plans[0].validation);
    for (const std::uint32_t row : *plan.train)
      EXPECT_FALSE(held.contains(row));
  }
  EXPECT_EQ(plans[2].train->size(), 80u);  // about half
}

TEST(Streams, AValidationPartThatWouldBeEmptyIsRefused) {
  StreamOptions o = options(StreamKind::Split, 5);
  o.validation = .1, o.class_limit = 4;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, numbered_dataset(), kSeed); }),
              ::testing::HasSubstr("validation = 0.1 leaves no example"));
}

}  // namespace
}  // namespace engram
