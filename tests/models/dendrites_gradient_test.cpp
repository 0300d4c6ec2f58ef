// The backward pass of active dendrites against central differences in double precision.
#include <gtest/gtest.h>

#include "models/registry.h"
#include "tests/models/differences.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::random_batch;

static_assert(sizeof(real) == 8, "gradients are checked in double precision");
constexpr double kTolerance = 1e-6;
constexpr int kTasks = 3, kInputs = 6;

std::unique_ptr<Network> built(int segments, bool winners) {
  ModelOptions o;
  o.hidden = {9, 8}, o.dropout = 0, o.dendrites.segments = segments;
  o.sparsify = winners, o.percent_on_fc = 0.4;
  return build_model(o, {1, 1, kInputs}, {1, 4, kTasks}, Rng(4));
}
/// Shows images of every task: those of task k lie about k.
void show_tasks(Network& net, int tasks) {
  Batch images = random_batch(60, kInputs, 4, tasks, 8);
  for (int b = 0; b < images.rows(); ++b)
    for (int i = 0; i < kInputs; ++i)
      images.x.value().row(b)[i] += b % tasks;
  net.preview(images.x.value(), images.task);
}

TEST(DendritesGradient, OfOneContextAndOfSeveralInABatch) {
  for (const bool winners : {false, true})
    for (const int segments : {1, 4})
      for (const int tasks : {1, kTasks}) {
        const auto net = built(segments, winners);
        show_tasks(*net, kTasks);
        const Batch batch = random_batch(7, kInputs, 4, tasks);
        for (const bool training : {true, false})  // of the tasks, or the nearest ones
          EXPECT_LT(testing::gradient_error(*net, batch, {training, Rng(7), batch.task}, 1e-6),
                    kTolerance)
              << winners << segments << tasks << training;
      }
}
TEST(DendritesGradient, WithoutAContextIsThatOfHalfOpenGates) {
  const auto net = built(3, false);
  const Batch batch = random_batch(7, kInputs, 4);
  EXPECT_LT(testing::gradient_error(*net, batch, {true, Rng(7), batch.task}, 1e-6), kTolerance);
  const ParamStore& params = net->params();
  const Param& segments = params.param(params.find("dendrites1.segments"));
  const auto all = net->params().grads();
  for (std::size_t i = 0; i < segments.size(); ++i)
    EXPECT_EQ(all[segments.offset + i], 0);
}
TEST(DendritesGradient, OfClusters) {
  ModelOptions o;
  o.hidden = {9, 8}, o.dropout = 0, o.dendrites.segments = 4;
  o.dendrites.context = ContextSource::Clusters, o.dendrites.pixels = 3;
  const auto net = build_model(o, {1, 1, kInputs}, {1, 4, kTasks}, Rng(4));
  const Batch batch = random_batch(7, kInputs, 4);
  Tape tape;
  net->forward(batch.x, tape, {true, Rng(7), batch.task});  // founds a cluster
  EXPECT_LT(testing::gradient_error(*net, batch, {false, Rng(7), batch.task}, 1e-6), kTolerance);
}

}  // namespace
}  // namespace engram
