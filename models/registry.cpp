#include "models/registry.h"

#include <fmt/format.h>

#include "models/blocks.h"
#include "models/circuits/circuits.h"
#include "utils/error.h"
#include "utils/find_entry.h"

namespace engram {
namespace {

constexpr ModelEntry kModels[] = {
    {"mlp", "fully connected layers, dense or with k-winners and sparse weights",
     "Ahmad & Scheinkman 2019", mlp_layers},
    {"cnn", "convolutions, then fully connected layers; dense or sparse in the same way",
     "Ahmad & Scheinkman 2019", cnn_layers},
    {"simple_net", "two convolutions with depth-wise ones that pool, one hidden layer",
     "Abel & Ullman 2024", simple_net_layers, simple_net_defaults},
    {"lenet", "LeNet-5 with relu and max pooling, for 32x32 pixels: MNIST with pad = 2",
     "LeCun et al. 1998", lenet_layers, lenet_defaults},
    {"lenet_cifar", "three 3x3 convolutions, their mean over the image, one hidden layer",
     "Sanfiz & Akrout 2021", lenet_cifar_layers, lenet_cifar_defaults},
    {"tiny_resnet", "two residual blocks and a convolution that pools", "Abel & Ullman 2024",
     tiny_resnet_layers, tiny_resnet_defaults},
    {"resnet18", "eight residual blocks for small images, without pooling",
     "He et al. 2016; Abel & Ullman 2024", resnet18_layers, resnet18_defaults},
    {"resnet20", "nine residual blocks with batch norm, shortcuts without parameters",
     "He et al. 2016", resnet20_layers, cifar_resnet_defaults},
    {"resnet56", "the same with 27 blocks", "He et al. 2016", resnet56_layers,
     cifar_resnet_defaults},
    {"vgg", "stages of 3x3 convolutions with max pooling: VGG-11 and its kin",
     "Simonyan & Zisserman 2015", vgg_layers, vgg_defaults},
    {"resnet_imagenet", "ResNet-18, 34 and 50 for large images, as torchvision has them",
     "He et al. 2016", resnet_imagenet_layers, resnet_imagenet_defaults},
    {"softhebb_cnn", "three convolutions with triangle activations, for Hebbian rules",
     "Journe et al. 2023", softhebb_cnn_layers, softhebb_cnn_defaults},
    {"pff", "two recurrent levels with lateral competition and label context, and a generator",
     "Ororbia & Mali 2023", pff_layers, pff_defaults},
    {"ff", "levels that are shown an image with a label, and a softmax head beside", "Hinton 2022",
     ff_layers, ff_defaults},
};

}  // namespace

std::span<const ModelEntry> models() {
  return kModels;
}

ModelOptions default_options(std::string_view model) {
  for (const ModelEntry& entry : models())
    if (entry.name == model) return entry.defaults();
  return {};
}

std::string model_name(const ModelOptions& options) {
  return options.model.value_or(options.cnn ? "cnn" : "mlp");
}

std::unique_ptr<Network> build_model(const ModelOptions& options, ImageShape in,
                                     const HeadShape& head, Rng rng, double active_share,
                                     FeedbackPlan feedback) {
  const ModelEntry& entry = find_entry(models(), model_name(options), "model");
  if (options.init_scale != 1 && !has_scale(options.init))
    throw Error(Fault::Config,
                fmt::format("init_scale = {} multiplies only weights that start by init = uniform, "
                            "uniform01, normal or normal_fan, not by {}",
                            options.init_scale, name_of(options.init)));
  if (options.dendrites.on() && entry.name != "mlp")
    throw Error(Fault::Config, fmt::format("dendrites.segments = {}: hidden units of an mlp alone "
                                           "have dendrites, not those of {}",
                                           options.dendrites.segments, entry.name));
  feedback.outputs = head.outputs;
  return std::make_unique<Network>(in, entry.layers(options, head), rng, active_share, feedback,
                                   make_gating(options.gating, head.tasks));
}

}  // namespace engram
