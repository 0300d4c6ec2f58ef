#include "benchmarks/cumulative.h"

#include "tests/benchmarks/stream_helpers.h"

namespace engram {
namespace {

using testing::HasSubstr;

TEST(FirstTasks, AreThoseOfTheWholeStreamAndTheOthersDoNotExist) {
  for (const StreamKind kind : {StreamKind::Permuted, StreamKind::Split, StreamKind::Rotated}) {
    StreamOptions o = options(kind, 5);
    o.rotation = RotationPlan::Even, o.validation = 0.2;
    const auto whole = make_stream(o, numbered_dataset(), kSeed);
    o.first_tasks = 2;
    const auto first = make_stream(o, numbered_dataset(), kSeed);
    ASSERT_EQ(first->tasks(), 2);
    ASSERT_EQ(first->experiences(), 2);
    EXPECT_EQ(first->labels(), whole->labels());
    for (int t = 0; t < 2; ++t) {
      EXPECT_EQ(first->task_name(t), whole->task_name(t));
      EXPECT_EQ(content(first->experience(t).train), content(whole->experience(t).train));
      EXPECT_EQ(content(first->validation(t)), content(whole->validation(t)));
      EXPECT_EQ(content(first->test(t)), content(whole->test(t)));
    }
    o.protocol = Protocol::Joint;
    EXPECT_EQ(
        content(make_stream(o, numbered_dataset(), kSeed)->experience(0).train).size(),
        content(whole->experience(0).train).size() + content(whole->experience(1).train).size());
    o.first_tasks = 6;
    EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, numbered_dataset(), kSeed); }),
                HasSubstr("first_tasks = 6"));
  }
}

TEST(Cumulative, TrainsOnTheUnionOfTheTasksSoFar) {
  StreamOptions o = options(StreamKind::Permuted, 3);
  o.validation = 0.2;
  const auto plain = make_stream(o, numbered_dataset(), kSeed);
  o.protocol = Protocol::Cumulative;
  const auto stream = make_stream(o, numbered_dataset(), kSeed);
  ASSERT_EQ(stream->experiences(), 3);
  Content expected, held_out;
  for (int e = 0; e < 3; ++e) {
    for (const auto& example : content(plain->experience(e).train))
      expected.push_back(example);
    for (const auto& example : content(plain->experience(e).validation))
      held_out.push_back(example);
    const Experience got = stream->experience(e);
    EXPECT_EQ(got.index, e);
    EXPECT_EQ(content(got.train), expected);
    EXPECT_EQ(content(got.validation), held_out);
    EXPECT_EQ(content(got.test), content(plain->test(e)));
  }
}

TEST(Joint, IsOnePhaseOnTheUnionOfAllTasks) {
  StreamOptions o = options(StreamKind::Split, 5);
  const auto plain = make_stream(o, numbered_dataset(), kSeed);
  o.cumul = true;
  const auto stream = make_stream(o, numbered_dataset(), kSeed);
  ASSERT_EQ(stream->experiences(), 1);
  ASSERT_EQ(stream->tasks(), 5);
  Content expected;
  for (int t = 0; t < 5; ++t)
    for (const auto& example : content(plain->experience(t).train))
      expected.push_back(example);
  const Experience got = stream->experience(0);
  EXPECT_EQ(content(got.train), expected);
  EXPECT_EQ(got.index, 4);
  EXPECT_EQ(got.classes.size(), 10u);
  EXPECT_EQ(content(stream->test(2)), content(plain->test(2)));
}

TEST(Joint, BaseTrainsOnUnpermutedImagesAsTheReferenceDid) {
  StreamOptions o = options(StreamKind::Permuted, 3);
  o.cumul = true;
  o.cumul_data = CumulData::Base;
  const Dataset data = numbered_dataset();
  const auto got = content(make_stream(o, data, kSeed)->experience(0).train);
  ASSERT_EQ(got.size(), 200u);
  EXPECT_EQ(std::get<0>(got[9])[0], 9 / real{255});
}

TEST(Joint, ContradictionsAreRefused) {
  StreamOptions o = options(StreamKind::Permuted, 3);
  o.cumul_data = CumulData::Base;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, tiny_dataset(), 1); }),
              HasSubstr("protocol = joint"));
  o = options(StreamKind::Permuted, 3);
  o.cumul = true;
  o.protocol = Protocol::Cumulative;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, tiny_dataset(), 1); }),
              HasSubstr("drop cumul"));
}

}  // namespace
}  // namespace engram
