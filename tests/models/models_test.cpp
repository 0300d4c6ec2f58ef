// The models of the table: sizes that papers state, and the shapes on the way.
#include <gtest/gtest.h>

#include "models/registry.h"
#include "utils/error.h"

namespace engram {
namespace {

std::unique_ptr<Network> built(const std::string& name, ImageShape in, HeadShape head = {1, 10},
                               std::optional<std::vector<int>> channels = {}) {
  ModelOptions o = default_options(name);
  o.model = name;
  if (channels) o.conv_channels = *channels;
  return build_model(o, in, head, Rng(1));
}
std::size_t size(const Network& net) {
  return net.params().values().size();
}
/// The shapes between layers that change them.
std::vector<std::string> shapes(const Network& net) {
  std::vector<std::string> out{net.in().text()};
  for (int l = 1; l <= net.depth(); ++l)
    if (net.output_shape(l - 1).text() != out.back()) out.push_back(net.output_shape(l - 1).text());
  return out;
}
using Shapes = std::vector<std::string>;

TEST(SimpleNet, HasTheParametersAndShapesOfThePaper) {
  const auto net = built("simple_net", {28, 28, 1});
  EXPECT_EQ(size(*net), 41'394u + 510u);  // core and head
  EXPECT_EQ(size(*built("simple_net", {28, 28, 1}, {1, 10}, {{64, 64}})), 133'938u + 510u);
  EXPECT_EQ(shapes(*net),
            (Shapes{"28x28x1", "24x24x32", "12x12x32", "8x8x32", "3x3x32", "50", "10"}));
}

TEST(LeNet, HasTheParametersAndShapesOfThePaper) {
  const auto net = built("lenet", {32, 32, 1});
  EXPECT_EQ(size(*net), 61'706u);
  EXPECT_EQ(shapes(*net),
            (Shapes{"32x32x1", "28x28x6", "14x14x6", "10x10x16", "5x5x16", "120", "84", "10"}));
}

TEST(LeNet, ForCifarHasTheParametersOfThePaperAndAveragesFourByFourPlaces) {
  const auto net = built("lenet_cifar", {32, 32, 3});
  EXPECT_EQ(size(*net), 128'842u);
  EXPECT_EQ(shapes(*net), (Shapes{"32x32x3", "30x30x32", "15x15x32", "13x13x64", "6x6x64",
                                  "4x4x128", "128", "256", "10"}));
}

constexpr std::size_t kHead = 10;

TEST(ResNet, TheTinyOneHasTheParametersAndShapesOfThePaper) {
  const auto net = built("tiny_resnet", {28, 28, 1});
  EXPECT_EQ(size(*net), 237'920u + 1025 * kHead);
  EXPECT_EQ(shapes(*net), (Shapes{"28x28x1", "28x28x32", "28x28x64", "14x14x64", "4x4x64", "10"}));
}

TEST(ResNet, Of18LayersHasTheParametersAndShapesOfThePaper) {
  const auto net = built("resnet18", {32, 32, 3});
  EXPECT_EQ(size(*net), 11'159'232u + 8193 * kHead);
  EXPECT_EQ(shapes(*net), (Shapes{"32x32x3", "32x32x64", "16x16x128", "8x8x256", "4x4x512", "10"}));
  ModelOptions o = default_options("resnet18");
  o.model = "resnet18", o.conv_channels = {4, 8, 16, 32}, o.batch_norm = true;
  const auto normed = build_model(o, {32, 32, 3}, {1, 10}, Rng(1));
  o.batch_norm = false;
  const auto plain = build_model(o, {32, 32, 3}, {1, 10}, Rng(1));
  // Five convolutions as wide as each stage, and a shortcut in all but the first.
  EXPECT_EQ(size(*normed) - size(*plain), 2u * (5 * 4 + 5 * 8 + 5 * 16 + 5 * 32));
}

TEST(ResNet, Of20And56LayersHaveTheParametersOfThePaper) {  // 0.27 and 0.85 million
  const auto net = built("resnet20", {32, 32, 3});
  EXPECT_EQ(size(*net), 269'722u);
  EXPECT_EQ(shapes(*net), (Shapes{"32x32x3", "32x32x16", "16x16x32", "8x8x64", "64", "10"}));
  EXPECT_EQ(size(*built("resnet56", {32, 32, 3})), 853'018u);
}

TEST(ResNet, DescribesItsShortcuts) {
  const std::string tiny = built("tiny_resnet", {28, 28, 1})->describe();
  EXPECT_NE(tiny.find("conv 1x1, stride 2, padding 0 of relu3 + conv"), std::string::npos) << tiny;
  const std::string deep = built("resnet20", {32, 32, 3})->describe();
  EXPECT_NE(deep.find("batch norm, momentum 0.1 + relu1  32x32x16"), std::string::npos) << deep;
}

TEST(Models, WithDefaultsOfTheirOwnDropNothingUnlessAsked) {
  for (const std::string name : {"simple_net", "lenet", "lenet_cifar", "tiny_resnet", "resnet20"}) {
    ModelOptions o = default_options(name);
    o.model = name;
    const auto has_dropout = [&] {
      const auto net = build_model(o, {32, 32, 1}, {1, 10}, Rng(1));
      return net->describe().find("dropout") != std::string::npos;
    };
    EXPECT_FALSE(has_dropout()) << name;
    o.dropout = 0.2;
    EXPECT_TRUE(has_dropout()) << name;
  }
  EXPECT_EQ(default_options("cnn").dropout, 0.5);
}

TEST(Models, HaveAHeadForEachTaskIfAsked) {
  for (const ModelEntry& entry : models()) {
    const std::string name(entry.name);
    if (name == "pff" || name == "ff") continue;  // they try labels, of which there is one set
    ModelOptions o = entry.defaults();
    o.model = name, o.hidden_units = 8;
    const auto one = build_model(o, {32, 32, 1}, {1, 4}, Rng(1));
    const auto three = build_model(o, {32, 32, 1}, {3, 4}, Rng(1));
    EXPECT_EQ(three->outputs(), 4) << name;
    const int head = one->params().count() - 2;  // weight, then bias
    EXPECT_EQ(size(*three) - size(*one),
              2 * (one->params().param(head).size() + one->params().param(head + 1).size()))
        << name;
  }
}

TEST(Models, RefuseImagesThatAreTooSmall) {
  EXPECT_THROW(built("simple_net", {15, 15, 1}), Error);
  EXPECT_THROW(built("lenet", {28, 28, 1}), Error);
  EXPECT_THROW(built("lenet_cifar", {15, 15, 3}), Error);
}

TEST(Models, AnUnknownNameSuggestsTheNearest) {
  ModelOptions o;
  o.model = "mpl";
  try {
    build_model(o, {2, 2, 1}, {1, 3}, Rng(1));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("did you mean 'mlp'"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace engram
