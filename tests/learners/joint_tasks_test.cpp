// Which examples meet in a batch when several tasks look at the same images.
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "benchmarks/stream_table.h"
#include "learners/learner.h"
#include "learners/registry.h"
#include "learners/rules/rules.h"
#include "models/registry.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr std::size_t kImages = 25;

/// Labels are the numbers of the images, plus 100 for the second task; pixels say the number too.
class Pairs : public TaskStream {
 public:
  Pairs() {
    auto images = std::make_shared<Images>();
    images->shape = {1, 1, 1};
    images->views.resize(2);
    for (std::size_t i = 0; i < kImages; ++i) {
      images->pixels.push_back(static_cast<std::uint8_t>(i));
      images->views[0].push_back(static_cast<std::uint8_t>(i));
      images->views[1].push_back(static_cast<std::uint8_t>(100 + i));
      rows_.push_back(static_cast<std::uint32_t>(i));
    }
    images->labels = images->views[0];
    images_ = images;
  }
  std::string describe() const override { return "pairs"; }
  int tasks() const override { return 2; }
  int experiences() const override { return 1; }
  Experience experience(int) const override {
    Experience e{1, classes(0), test(0), {}, test(1)};
    e.train.append(test(1));
    return e;
  }
  ExampleSet test(int task) const override {
    return {images_, std::make_shared<const std::vector<std::uint32_t>>(rows_), map_, task, task};
  }
  ExampleSet validation(int) const override { return {}; }
  std::vector<int> classes(int) const override {
    std::vector<int> all(200);
    for (int i = 0; i < 200; ++i)
      all[static_cast<std::size_t>(i)] = i;
    return all;
  }
  bool tasks_share_labels() const override { return true; }
  bool tasks_share_images() const override { return true; }
  std::string task_name(int) const override { return "x"; }
  ImageShape shape() const override { return {1, 1, 1}; }
  int labels() const override { return 200; }

 private:
  std::shared_ptr<const Images> images_;
  std::shared_ptr<const PixelMap> map_ = PixelMap::identity({1, 1, 1}, {{}, {1 / 255.0, 1, 1, 1}});
  std::vector<std::uint32_t> rows_;
};

struct Row {
  int image, target, task;
  bool operator==(const Row&) const = default;
};
using Batches = std::vector<std::vector<Row>>;

struct Spy : Strategy {
  explicit Spy(Batches& all) : batches(all) {}
  Provides needs() const override { return Provides::Nothing; }
  void extend_batch(Training&, Batch& b) override {
    batches.emplace_back();
    for (int i = 0; i < b.rows(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      batches.back().push_back(
          {static_cast<int>(std::lround(b.x.value().row(i)[0])), b.target[at], b.task[at]});
    }
  }
  Batches& batches;
};

struct StopsAt : Observer {
  void after_step(const Cursor&, const BatchStats&, int, std::int64_t, int) override { ++steps; }
  bool stop_requested() override { return steps == stop; }
  int steps = 0, stop = -1;
};

/// The batches of a run that goes on from `cursor` and may be stopped after some steps.
Batches batches_of(JointTasks kind, Cursor& cursor, int stop = -1, TrainPad pad = TrainPad::None,
                   const TaskStream& stream = Pairs()) {
  LearnerOptions o;
  o.batch_size = 4, o.epochs = 3, o.joint_tasks = kind, o.train_pad = pad;
  const Targets targets(stream, {.scenario = Scenario::Task, .head = Head::Shared});
  ModelOptions mo;
  mo.hidden_units = 3;
  const auto net = build_model(mo, stream.shape(), {1, targets.width()}, Rng(1));
  OptimizerOptions oo;
  oo.lr = 1e-9;
  const auto optimizer = make_optimizer(oo, net->params());
  const auto rule = make_backprop({}, {});
  Batches all;
  StrategyList strategies;
  strategies.push_back(std::make_unique<Spy>(all));
  Learner learner(o, *net, *rule, *optimizer, oo, strategies, targets, Rng(2));
  StopsAt observer;
  observer.stop = stop;
  learner.run(stream, cursor, observer);
  return all;
}

Batches batches_of(JointTasks kind) {
  Cursor cursor;
  return batches_of(kind, cursor);
}

void expect_true_labels(const Batches& batches) {
  for (const auto& batch : batches)
    for (const Row& row : batch)
      EXPECT_EQ(row.target, row.image + 100 * row.task);
}

TEST(JointTasks, MixedShowsEveryImageWithEveryTask) {
  const Batches b = batches_of(JointTasks::Mixed);
  ASSERT_EQ(b.size(), 3u * 13);
  expect_true_labels(b);
  std::set<int> seen;
  for (std::size_t i = 0; i < 13; ++i)
    for (const Row& row : b[i])
      EXPECT_TRUE(seen.insert(row.target).second);
  EXPECT_EQ(seen.size(), 2 * kImages);
}

TEST(JointTasks, RandomShowsEveryImageOnceWithATaskDrawnAnew) {
  const Batches b = batches_of(JointTasks::Random);
  ASSERT_EQ(b.size(), 3u * 7);
  expect_true_labels(b);
  std::map<int, std::vector<int>> tasks_of;
  int second = 0;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    std::set<int> images;
    for (std::size_t i = 7 * epoch; i < 7 * (epoch + 1); ++i)
      for (const Row& row : b[i]) {
        EXPECT_TRUE(images.insert(row.image).second);
        tasks_of[row.image].push_back(row.task);
        second += row.task;
      }
    EXPECT_EQ(images.size(), kImages);
  }
  EXPECT_NEAR(second, 1.5 * kImages, 15);
  int changed = 0;
  for (const auto& [image, tasks] : tasks_of)
    changed += tasks[0] != tasks[1] || tasks[1] != tasks[2];
  EXPECT_GT(changed, 5);
}

TEST(JointTasks, TogetherFillsABatchWithAllTasksOfItsImages) {
  const Batches b = batches_of(JointTasks::Together);
  ASSERT_EQ(b.size(), 3u * 7);
  expect_true_labels(b);
  EXPECT_EQ(b[0].size(), 8u);
  EXPECT_EQ(b[6].size(), 2u);  // the last of 25 images
  std::set<int> images;
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t r = 0; r < b[i].size(); r += 2) {
      EXPECT_EQ(b[i][r].image, b[i][r + 1].image);
      EXPECT_EQ(b[i][r].task, 0);
      EXPECT_EQ(b[i][r + 1].task, 1);
      EXPECT_TRUE(images.insert(b[i][r].image).second);
    }
  EXPECT_EQ(images.size(), kImages);
  EXPECT_NE(b[0], b[7]);  // another order in every epoch
}

TEST(JointTasks, PadsByImages) {
  Cursor cursor;
  const Batches b = batches_of(JointTasks::Together, cursor, -1, TrainPad::Prepend);
  for (const auto& batch : b)
    EXPECT_EQ(batch.size(), 8u);
}

TEST(JointTasks, GoOnWithTheSameBatchesFromAnyStep) {
  for (const JointTasks kind : {JointTasks::Mixed, JointTasks::Random, JointTasks::Together}) {
    const Batches whole = batches_of(kind);
    for (const int stop : {1, 6, 7, 8, 17}) {
      Cursor cursor;
      Batches parts = batches_of(kind, cursor, stop);
      EXPECT_EQ(parts.size(), static_cast<std::size_t>(stop));
      for (auto& batch : batches_of(kind, cursor))
        parts.push_back(std::move(batch));
      EXPECT_EQ(parts, whole) << name_of(kind) << " stopped after " << stop;
    }
  }
}

TEST(JointTasks, RefuseTasksOfOtherImages) {
  Dataset data;
  data.name = "tiny", data.classes = 2;
  auto images = std::make_shared<Images>();
  images->shape = {1, 1, 1};
  images->pixels = {0, 1, 0, 1};
  images->labels = {0, 1, 0, 1};
  data.train = data.test = images;
  StreamOptions so;
  so.stream = StreamKind::Rotated, so.tasks = 2, so.protocol = Protocol::Joint;
  const auto stream = make_stream(so, data, 1);
  for (const JointTasks kind : {JointTasks::Random, JointTasks::Together}) {
    Cursor cursor;
    try {
      batches_of(kind, cursor, -1, TrainPad::None, *stream);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.fault(), Fault::Config);
      const std::string said = e.what();
      EXPECT_NE(said.find("stream = multi_mnist or attributes"), std::string::npos) << said;
    }
  }
}

}  // namespace
}  // namespace engram
