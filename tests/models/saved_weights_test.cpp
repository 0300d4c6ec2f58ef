// Networks that start from the weights of another one: as far up as they fit, whole or not at all.
#include "models/saved_weights.h"

#include <gtest/gtest.h>

#include "models/registry.h"
#include "models/torch_weights.h"
#include "tests/models/harness.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"
#include "tests/utils/tensor_bytes.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;
using Names = std::vector<std::string>;

Network three_layers(std::uint64_t seed, int outputs = 4) {
  return Network({1, 1, 6},
                 stack(linear(5), batch_norm(), relu(), linear(5), relu(), linear(outputs)),
                 Rng(seed));
}
std::vector<real> slice(const Network& net, const char* name) {
  const CMat m = net.params().value(net.params().find(name));
  return {m.data, m.data + m.size()};
}
std::vector<real> states(Network& net) {
  return {net.params().states().begin(), net.params().states().end()};
}

/// A file of weights whose running statistics have moved.
struct Saved {
  explicit Saved(int outputs = 4) : net(three_layers(1, outputs)), file(folder / "w.weights.h5") {
    const Batch batch = random_batch(9, 6, 4);
    Tape tape;
    net.forward(batch.x, tape, {.training = true, .rng = Rng(3)});
    save_weights(file, net);
  }
  TempFolder folder;
  Network net;
  std::filesystem::path file;
};

TEST(SavedWeights, GiveBackParametersAndStates) {
  Saved saved;
  Network net = three_layers(2);
  ASSERT_NE(slice(net, "linear1.weight"), slice(saved.net, "linear1.weight"));
  const TakenWeights taken = load_weights(saved.file, net);
  EXPECT_EQ(taken.layers, (Names{"linear1", "batch_norm1", "linear2", "linear3"}));
  EXPECT_EQ(taken.rest, "");
  EXPECT_EQ(taken.sha256.size(), 64u);
  for (int id = 0; id < net.params().count(); ++id)
    EXPECT_EQ(slice(net, net.params().param(id).name.c_str()),
              slice(saved.net, net.params().param(id).name.c_str()));
  EXPECT_EQ(states(net), states(saved.net));
  EXPECT_NE(states(net), (std::vector<real>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1}));
}

TEST(SavedWeights, GoAsFarUpAsTheyFit) {
  Saved saved;
  Network net = three_layers(2, 3);
  const auto head = slice(net, "linear3.weight");
  const TakenWeights taken = load_weights(saved.file, net);
  EXPECT_EQ(taken.layers, (Names{"linear1", "batch_norm1", "linear2"}));
  EXPECT_SAYS(taken.rest, "linear3.weight is 5 x 4 in the file and 5 x 3 here");
  EXPECT_TRUE(taken.takes("linear2"));
  EXPECT_FALSE(taken.takes("linear3"));
  EXPECT_EQ(slice(net, "linear2.weight"), slice(saved.net, "linear2.weight"));
  EXPECT_EQ(slice(net, "linear3.weight"), head);
}

TEST(SavedWeights, StopWhereTheyAreToldTo) {
  Saved saved;
  Network net = three_layers(2);
  const auto above = slice(net, "linear2.weight");
  EXPECT_EQ(load_weights(saved.file, net, 2).layers, (Names{"linear1", "batch_norm1"}));
  EXPECT_EQ(slice(net, "linear1.bias"), slice(saved.net, "linear1.bias"));
  EXPECT_EQ(slice(net, "linear2.weight"), above);
}

TEST(SavedWeights, ChangeNothingWhenTheyAreRefused) {
  Saved saved;
  const auto refusal = [&](Network net, int until) {
    const auto before = slice(net, "linear1.weight");
    const std::string text = error_of([&] { load_weights(saved.file, net, until); }, Fault::Data);
    EXPECT_EQ(slice(net, "linear1.weight"), before);
    return text;
  };
  const std::string whole = refusal(three_layers(2, 3), 5);
  EXPECT_SAYS(whole, "linear3.weight is 5 x 4 in the file and 5 x 3 here");
  EXPECT_SAYS(whole, "weights_until = linear2");
  const std::string nowhere =
      refusal(Network({1, 1, 7}, stack(linear(5), relu(), linear(4)), Rng(1)), -1);
  EXPECT_SAYS(nowhere, "fits nowhere: linear1.weight is 6 x 5 in the file and 7 x 5 here");
  EXPECT_SAYS(
      refusal(Network({1, 1, 6}, stack(linear(5), linear(5, {.bias = true}), linear(5)), Rng(1)),
              2),
      "linear3.weight is 5 x 4");
}

TEST(SavedWeights, AreRefusedWhenDamagedOrAbsent) {
  Saved saved;
  Network net = three_layers(2);
  EXPECT_SAYS(error_of([&] { load_weights(saved.folder / "none.h5", net); }, Fault::MissingInput),
              "none.h5");
  const std::string whole = TempFolder::read(saved.file);
  for (const std::size_t length : {0ul, 100ul, whole.size() / 2}) {
    const auto part = saved.folder.write("part.h5", whole.substr(0, length));
    EXPECT_THROW(load_weights(part, net), Error) << length;
  }
  Network broken = three_layers(1);
  broken.params().values()[3] = std::numeric_limits<real>::quiet_NaN();
  save_weights(saved.folder / "nan.h5", broken);
  EXPECT_SAYS(error_of([&] { load_weights(saved.folder / "nan.h5", net); }, Fault::Data),
              "linear1.weight holds nan");
}

Mat state_named(Network& net, const std::string& name) {
  for (int id = 0; id < net.params().state_count(); ++id)
    if (net.params().state_param(id).name == name) return net.params().state(id);
  ADD_FAILURE() << "no state " << name;
  return {};
}

/// A file in which the last number of a state is `bad` changes nothing, and says which state it is.
/// Nor does a network go on with such a number that a checkpoint gave it.
template <class Make>
void expect_refused(const Make& make, const std::string& name, double bad) {
  SCOPED_TRACE(name + " = " + std::to_string(bad));
  const auto broken = make(1), net = make(2);
  state_named(*broken, name).all().back() = static_cast<real>(bad);
  const TempFolder folder;
  save_weights(folder / "w.h5", *broken);
  const auto values = std::as_const(*net).params().values();
  const std::vector<real> before(values.begin(), values.end()), states_before = states(*net);
  EXPECT_SAYS(error_of([&] { load_weights(folder / "w.h5", *net); }, Fault::Data), name + " holds");
  EXPECT_TRUE(std::ranges::equal(before, std::as_const(*net).params().values()));
  EXPECT_EQ(states(*net), states_before);
  const auto restore = [&] { broken->check_restored(), broken->restored(); };
  EXPECT_SAYS(error_of(restore, Fault::Data), name + " holds");
}

TEST(SavedWeights, AreRefusedWhereAStateLeadsToWhatIsNotThere) {
  const auto clusters = [](std::uint64_t seed) {
    ModelOptions o;
    o.hidden = {4}, o.dropout = 0, o.dendrites.segments = 2;
    o.dendrites.context = ContextSource::Clusters, o.dendrites.pixels = 3;
    o.dendrites.exemplars = 5, o.dendrites.most_clusters = 2;
    return build_model(o, {1, 1, 6}, {1, 2, 3}, Rng(seed));
  };
  for (const double bad : {-1., 6., 3e9, 0.5})
    expect_refused(clusters, "context1.places", bad);
  for (const double bad : {-1., 6., 1e6, 1.5})
    expect_refused(clusters, "context1.held", bad);
  for (const double bad : {-1., 3., 1e6, 0.5})
    expect_refused(clusters, "context1.current", bad);
  expect_refused(clusters, "context1.seen", -1);
  const auto prototypes = [](std::uint64_t seed) {
    ModelOptions o;
    o.hidden = {4}, o.dropout = 0, o.dendrites.segments = 2;
    return build_model(o, {1, 1, 6}, {1, 2, 3}, Rng(seed));
  };
  expect_refused(prototypes, "context1.seen", -1);
  const auto normed = [](std::uint64_t seed) {
    return std::make_unique<Network>(ImageShape{1, 1, 6}, stack(linear(5), batch_norm(), linear(4)),
                                     Rng(seed));
  };
  expect_refused(normed, "batch_norm1.variance", -0.5);
}

TEST(SavedWeights, AreNotBlamedForWhatTrainingMadeOfAState) {
  Network net = three_layers(1);
  state_named(net, "batch_norm1.variance").all().back() = std::numeric_limits<real>::quiet_NaN();
  EXPECT_SAYS(error_of([&] { net.check_restored(); }, Fault::Data), "batch_norm1.variance holds");
  EXPECT_NO_THROW(net.restored());  // as after a copy within a run
}

TEST(SavedWeights, LeaveTheGatesOfTasksAlone) {
  const auto made = [](std::uint64_t seed, const char* gating) {
    return Network({1, 1, 6}, stack(linear(20), relu(), linear(4)), Rng(seed), 1, {},
                   make_gating({.gating = gating}, 3));
  };
  const auto gates = [](const Network& net) {
    const GateMask mask = net.gating()->mask(0);
    return std::vector<real>(mask.begin(), mask.end());
  };
  TempFolder folder;
  const Network plain = made(1, "none"), gated = made(1, "xdg");
  save_weights(folder / "plain.h5", plain), save_weights(folder / "gated.h5", gated);
  for (const char* file : {"plain.h5", "gated.h5"}) {
    Network net = made(2, "xdg");
    const auto own = gates(net);
    ASSERT_NE(own, gates(gated));
    const TakenWeights taken = load_weights(folder / file, net);
    EXPECT_EQ(taken.layers, (Names{"linear1", "linear2"}));
    EXPECT_EQ(taken.rest, "");
    EXPECT_EQ(slice(net, "linear2.weight"), slice(gated, "linear2.weight"));
    EXPECT_EQ(gates(net), own);
  }
}

TEST(SavedWeights, KnowMissingSynapses) {
  const auto sparse = [](std::uint64_t seed, WeightStorage storage) {
    return Network({1, 1, 20}, stack(linear(6, {.density = 0.3, .storage = storage}), linear(2)),
                   Rng(seed));
  };
  TempFolder folder;
  const Network saved = sparse(1, WeightStorage::Dense);
  save_weights(folder / "w.h5", saved);
  Network same = sparse(1, WeightStorage::Dense), other = sparse(2, WeightStorage::Dense);
  EXPECT_EQ(load_weights(folder / "w.h5", same).layers.size(), 2u);
  EXPECT_SAYS(error_of([&] { load_weights(folder / "w.h5", other); }, Fault::Data),
              "synapses in the file that are missing here");
  Network stored = sparse(1, WeightStorage::Sparse);
  EXPECT_SAYS(error_of([&] { load_weights(folder / "w.h5", stored); }, Fault::Data),
              "weight_storage = dense");
}

// ---- State dicts of PyTorch ---------------------------------------------------------------------

using testing::npy;
using testing::raw;

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "(";
  for (const std::size_t n : shape)
    text += std::to_string(n) + ",";
  return text + ")";
}
/// name -> an array of 0, 1, 2, ... plus `first`.
struct Tensors {
  std::vector<std::pair<std::string, std::string>> files;
  void add(const std::string& name, const std::vector<std::size_t>& shape, float first = 0) {
    std::size_t n = 1;
    for (const std::size_t extent : shape)
      n *= extent;
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i)
      values[i] = first + static_cast<float>(i);
    files.emplace_back(name + ".npy", npy("<f4", shape_text(shape), raw(values)));
  }
  std::filesystem::path write(const TempFolder& folder) const {
    const auto bytes = testing::zip(files);
    return folder.write("w.npz", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
};

TEST(TorchWeights, TurnConvolutionsAndTheLayerThatReadsAnImage) {
  Network net({4, 3, 2}, stack(conv2d(3, 2, 1, 0), relu(), flatten(), linear(5)), Rng(1));
  TempFolder folder;
  Tensors t;
  t.add("features.0.weight", {3, 2, 2, 2});
  t.add("features.0.bias", {3}, 100);
  t.add("classifier.0.weight", {5, 18});
  t.add("classifier.0.bias", {5}, 200);
  EXPECT_EQ(load_weights(t.write(folder), net).layers, (Names{"conv1", "linear1"}));
  const CMat conv = net.params().value(net.params().find("conv1.weight"));
  for (int o = 0; o < 3; ++o)
    for (int i = 0; i < 2; ++i)
      for (int k = 0; k < 4; ++k)
        EXPECT_EQ(conv.row(k * 2 + i)[o], static_cast<real>((o * 2 + i) * 4 + k));
  EXPECT_EQ(slice(net, "conv1.bias"), (std::vector<real>{100, 101, 102}));
  const CMat linear = net.params().value(net.params().find("linear1.weight"));
  for (int o = 0; o < 5; ++o)  // 3 x 2 places of 3 channels
    for (int p = 0; p < 6; ++p)
      for (int c = 0; c < 3; ++c)
        EXPECT_EQ(linear.row(p * 3 + c)[o], static_cast<real>(o * 18 + c * 6 + p));
}

TEST(TorchWeights, FollowTheNaturalOrderOfNamesKindByKind) {
  Network net({1, 1, 3},
              stack(linear(3, {.bias = false}), batch_norm(), relu(), linear(3, {.bias = false}),
                    linear(3, {.bias = false})),
              Rng(1));
  TempFolder folder;
  Tensors t;
  t.add("net.10.weight", {3, 3}, 1000);
  t.add("net.2.weight", {3, 3}, 200);
  t.add("net.0.weight", {3, 3});
  t.add("net.1.weight", {3}, 10);
  t.add("net.1.bias", {3}, 20);
  t.add("net.1.running_mean", {3}, 30);
  t.add("net.1.running_var", {3}, 40);
  const TakenWeights taken = load_weights(t.write(folder), net);
  EXPECT_EQ(taken.layers, (Names{"linear1", "batch_norm1", "linear2", "linear3"}));
  EXPECT_EQ(slice(net, "linear1.weight")[0], 0);
  EXPECT_EQ(slice(net, "linear2.weight")[0], 200);
  EXPECT_EQ(slice(net, "linear3.weight")[0], 1000);
  EXPECT_EQ(slice(net, "batch_norm1.scale"), (std::vector<real>{10, 11, 12}));
  EXPECT_EQ(slice(net, "batch_norm1.shift"), (std::vector<real>{20, 21, 22}));
  EXPECT_EQ(states(net), (std::vector<real>{30, 31, 32, 40, 41, 42}));
}

TEST(TorchWeights, NameTheirTensorWhenTheShapeDiffers) {
  Network net({8, 8, 1}, stack(conv2d(4, 3, 1, 1), relu(), linear(2)), Rng(1));
  TempFolder folder;
  Tensors t;
  t.add("stem.weight", {4, 3, 3, 3});
  t.add("stem.bias", {4});
  EXPECT_SAYS(error_of([&] { load_weights(t.write(folder), net); }, Fault::Data),
              "conv1.weight (stem.weight there) is 27 x 4 in the file and 9 x 4 here");
  Network unbiased({8, 8, 3}, stack(conv2d(4, 3, 1, 1, {.bias = false}), linear(2)), Rng(1));
  EXPECT_EQ(load_weights(t.write(folder), unbiased).rest, "the file has no linear1.weight");
}

TEST(TorchWeights, OrderNamesAsPeopleDo) {
  EXPECT_TRUE(natural_less("layer2.0", "layer10.0"));
  EXPECT_FALSE(natural_less("layer10.0", "layer2.0"));
  EXPECT_TRUE(natural_less("layer1.9.conv1", "layer1.10.conv1"));
  EXPECT_TRUE(natural_less("a", "a1"));
  EXPECT_FALSE(natural_less("a1", "a1"));
  EXPECT_TRUE(natural_less("a01", "a1") != natural_less("a1", "a01"));
  EXPECT_TRUE(natural_less("conv1", "downsample.0"));
}

TEST(TorchWeights, FitResNet18InTheNamesOfTorchvision) {
  ModelOptions o = default_options("resnet_imagenet");
  o.model = "resnet_imagenet", o.conv_channels = {2, 3, 4, 5};
  const auto net = build_model(o, {33, 33, 3}, {1, 6}, Rng(1));
  Tensors t;
  const auto norm = [&t](const std::string& name, std::size_t channels) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      t.add(name + part, {channels});
  };
  t.add("conv1.weight", {2, 3, 7, 7}), norm("bn1", 2);
  std::size_t below = 2;
  for (std::size_t stage = 1; stage <= 4; ++stage)
    for (int block = 0; block < 2; ++block) {
      const std::size_t channels = stage + 1;
      const std::string name = "layer" + std::to_string(stage) + "." + std::to_string(block) + ".";
      t.add(name + "conv1.weight", {channels, below, 3, 3}), norm(name + "bn1", channels);
      t.add(name + "conv2.weight", {channels, channels, 3, 3}), norm(name + "bn2", channels);
      if (stage > 1 && block == 0) {
        t.add(name + "downsample.0.weight", {channels, below, 1, 1});
        norm(name + "downsample.1", channels);
      }
      below = channels;
    }
  t.add("fc.weight", {6, 5}), t.add("fc.bias", {6});
  std::reverse(t.files.begin(), t.files.end());
  TempFolder folder;
  const TakenWeights taken = load_weights(t.write(folder), *net, net->depth() - 1);
  EXPECT_EQ(taken.rest, "");
  EXPECT_EQ(taken.layers.size(), 41u);
}

}  // namespace
}  // namespace engram
