// Gradients of what fine-tuning brings: adaptive pooling and the models of torchvision's shapes.
#include <tuple>

#include <gtest/gtest.h>

#include "models/registry.h"
#include "tests/models/differences.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

double worst_error(Network& net, double step = 1e-7) {
  const Batch batch = random_batch(5, net.in().size(), net.outputs());
  return testing::gradient_error(net, batch, {true, Rng(77), batch.task}, step);
}

TEST(Gradient, OfAdaptivePooling) {
  for (const auto& [height, width, channels] :
       {std::tuple{3, 2, 0}, std::tuple{2, 3, 2}, std::tuple{1, 1, 4}, std::tuple{8, 2, 5}}) {
    Network net({7, 6, 2},
                stack(conv2d(3, 2, 1, 0), adaptive_avg_pool(height, width, channels), linear(3)),
                Rng(11));
    EXPECT_LT(worst_error(net), 1e-7);
  }
}

TEST(Gradient, OfStagesWithAveragesAboveThem) {
  ModelOptions o = default_options("vgg");
  o.model = "vgg", o.conv_channels = {3, 4}, o.stage_depths = {1, 2}, o.feature_pool = {2, 1, 3};
  o.hidden = {5}, o.batch_norm = true;
  const auto net = build_model(o, {8, 8, 2}, {1, 3}, Rng(4));
  EXPECT_LT(worst_error(*net), 1e-6);
}

TEST(Gradient, OfResidualNetworksForLargeImages) {
  for (const bool bottleneck : {false, true}) {
    ModelOptions o = default_options("resnet_imagenet");
    o.model = "resnet_imagenet", o.conv_channels = {2, 3}, o.stage_depths = {2, 1};
    o.bottleneck = bottleneck;
    const auto net = build_model(o, {16, 16, 1}, {1, 3}, Rng(4));
    EXPECT_LT(worst_error(*net), 1e-6) << bottleneck;
  }
}

}  // namespace
}  // namespace engram
