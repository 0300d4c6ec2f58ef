// The models of the table: sizes that papers state, and the shapes on the way.
#include <algorithm>
#include <cmath>

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

std::vector<std::string> kinds(const Network& net) {
  std::vector<std::string> out;
  for (int l = 0; l < net.depth(); ++l)
    out.push_back(net.layer(l).kind());
  return out;
}

TEST(SoftHebbCnn, HasTheLayersAndShapesOfThePaper) {
  const auto net = built("softhebb_cnn", {32, 32, 3}, {1, 10}, {{96, 384, 1536}});
  EXPECT_EQ(shapes(*net),
            (Shapes{"32x32x3", "36x36x3", "32x32x96", "16x16x96", "18x18x96", "16x16x384",
                    "8x8x384", "10x10x384", "8x8x1536", "4x4x1536", "10"}));
  EXPECT_EQ(net->input_shape(net->depth() - 1).size(), 24'576);
  EXPECT_EQ(size(*net), 96u * 75 + 384u * 9 * 96 + 1536u * 9 * 384 + 24'577 * kHead);
  EXPECT_EQ(kinds(*net), (Shapes{"batch_norm", "reflect_pad", "conv", "triangle", "max_pool",  //
                                 "batch_norm", "reflect_pad", "conv", "triangle", "max_pool",  //
                                 "batch_norm", "reflect_pad", "conv", "triangle", "avg_pool",
                                 "dropout", "linear"}));
  const std::string text = net->describe();
  for (const std::string part : {"triangle ^ 0.7", "triangle ^ 1.4", "triangle ^ 1", "dropout 0.5",
                                 "max pool 4, stride 2, padding 1", "average pool 2, stride 2",
                                 "reflection padding 2", "batch norm without scale and shift"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
}

TEST(SoftHebbCnn, StartsWithWideWeightsAndAnOrdinaryClassifier) {
  const auto net = built("softhebb_cnn", {28, 28, 1}, {1, 10}, {{20, 30, 40}});
  const auto deviation = [&](const std::string& name) {
    const CMat w = std::as_const(*net).params().value(net->params().find(name));
    double squares = 0;
    for (const real x : w.all())
      squares += static_cast<double>(x) * static_cast<double>(x);
    return std::sqrt(squares / static_cast<double>(w.size()));
  };
  EXPECT_NEAR(deviation("conv1.weight") / (25 / std::sqrt(25.)), 1, 0.15);
  EXPECT_NEAR(deviation("conv2.weight") / (25 / std::sqrt(9. * 20)), 1, 0.05);
  EXPECT_NEAR(deviation("conv3.weight") / (25 / std::sqrt(9. * 30)), 1, 0.05);
  EXPECT_NEAR(deviation("linear1.weight") * std::sqrt(3. * 9 * 40), 1, 0.05);
  EXPECT_LT(net->params().find("conv1.bias"), 0);
}

TEST(SoftHebbCnn, HasThreeBlocks) {
  EXPECT_THROW(built("softhebb_cnn", {32, 32, 3}, {1, 10}, {{4, 5}}), Error);
  EXPECT_THROW(built("softhebb_cnn", {32, 32, 3}, {1, 10}, {{4, 5, 6, 7}}), Error);
}

ModelOptions krotov() {
  ModelOptions o;
  o.unit_input = true, o.hidden = {8}, o.activation = Activation::Power, o.activation_power = 4.5;
  o.hidden_bias = false, o.head_bias = false, o.dropout = 0;
  return o;
}

TEST(Mlp, CanBeTheNetworkOfCompetingHiddenUnits) {
  const auto net = build_model(krotov(), {28, 28, 1}, {1, 10}, Rng(1));
  EXPECT_EQ(kinds(*net), (Shapes{"unit_norm", "linear", "power_relu", "linear"}));
  EXPECT_EQ(size(*net), 784u * 8 + 8 * 10);
  EXPECT_NE(net->describe().find("relu ^ 4.5"), std::string::npos) << net->describe();
  ModelOptions o = krotov();
  o.model = "cnn", o.conv_channels = {3};
  EXPECT_EQ(kinds(*build_model(o, {28, 28, 1}, {1, 10}, Rng(1))),
            (Shapes{"unit_norm", "conv", "power_relu", "linear", "power_relu", "linear"}));
  o.head_bias = true;
  const auto biased = build_model(o, {28, 28, 1}, {1, 10}, Rng(1));
  EXPECT_LT(biased->params().find("conv1.bias"), 0);
  EXPECT_LT(biased->params().find("linear1.bias"), 0);
  EXPECT_GE(biased->params().find("linear2.bias"), 0);
}

TEST(Mlp, PutsEachActivationWhereReluWasAndBeforeWinnersIfAsked) {
  ModelOptions o = krotov();
  o.activation_power = 1, o.unit_input = false;
  const auto middle = [&] {
    auto all = kinds(*build_model(o, {4, 4, 1}, {1, 3}, Rng(1)));
    return Shapes(all.begin() + 1, all.end() - 1);
  };
  for (const auto& [activation, kind] : {std::pair{Activation::Relu, "relu"},
                                         {Activation::Power, "power_relu"},
                                         {Activation::Triangle, "triangle"},
                                         {Activation::Softmax, "softmax"},
                                         {Activation::Tanh, "tanh"}}) {
    o.activation = activation, o.sparsify = false, o.relu_before_winners = {};
    EXPECT_EQ(middle(), Shapes{kind});
    o.sparsify = true, o.percent_on_fc = 0.5;
    EXPECT_EQ(middle(), Shapes{"k_winners"});
    o.relu_before_winners = true;
    EXPECT_EQ(middle(), (Shapes{kind, "k_winners"}));
  }
}

TEST(Models, StartTheirClassifierByItsOwnRange) {
  ModelOptions o = krotov();
  o.init = WeightInit::Uniform01, o.init_scale = 0.25, o.hidden = {300};
  const auto extremes = [&](const std::string& name) {
    const auto net = build_model(o, {5, 5, 1}, {1, 10}, Rng(1));
    const CMat w = std::as_const(*net).params().value(net->params().find(name));
    const auto [low, high] = std::minmax_element(w.data, w.data + w.size());
    return std::pair{static_cast<double>(*low), static_cast<double>(*high)};
  };
  const auto hidden = extremes("linear1.weight");
  EXPECT_GE(hidden.first, 0);
  EXPECT_NEAR(hidden.second, 0.25, 1e-3);
  EXPECT_NEAR(extremes("linear2.weight").second, 1 / std::sqrt(300), 1e-3);  // torch
  o.head_init_range = 0.1;
  EXPECT_NEAR(extremes("linear2.weight").first, -0.1, 1e-3);
  EXPECT_NEAR(extremes("linear2.weight").second, 0.1, 1e-3);
  o.head_init_range = 0;
  EXPECT_EQ(extremes("linear2.weight"), (std::pair{0., 0.}));
}

TEST(Models, RefuseAScaleForLawsThatHaveNone) {
  ModelOptions o = krotov();
  o.init_scale = 2;
  EXPECT_THROW(build_model(o, {5, 5, 1}, {1, 10}, Rng(1)), Error);
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
