// Pieces that several models are built from.
#pragma once

#include <vector>

#include "models/dendrites/dendrites.h"
#include "models/registry.h"

namespace engram {

enum class Biased { No, Yes };
/// The weights of a hidden layer of which this share exists, and of a convolution.
Synapses hidden_synapses(const ModelOptions&, double density = 1, double active_share = 1);
Synapses conv_synapses(const ModelOptions&, Biased = Biased::Yes);
/// What a residual block adds to what it computes: its input; a 1x1 convolution of it [batch norm];
/// or every stride-th place of it, with channels of zeros.
enum class Shortcut { Identity, Projected, Subsampled };
/// conv 3x3 with a stride [batch norm] activation, conv 3x3 [batch norm] + shortcut, activation. No
/// biases. A shortcut with layers of its own comes last, so that it alone reads past other layers.
void add_residual_block(std::vector<LayerPtr>& layers, const ModelOptions&, int channels,
                        int stride, Shortcut);
/// The first layer of a residual network: conv 3x3 [batch norm] activation, without a bias.
void add_stem(std::vector<LayerPtr>& layers, const ModelOptions&);
/// Stages of `blocks` blocks, the first block of each but the first on half the places; `change` is
/// the shortcut where the shape changes.
void add_residual_stages(std::vector<LayerPtr>& layers, const ModelOptions&, int blocks,
                         Shortcut change);
/// Those of He et al. 2016 for CIFAR-10, with so many blocks per stage and shortcuts without
/// parameters.
std::vector<LayerPtr> cifar_resnet_layers(const ModelOptions&, const HeadShape&, int blocks);
ModelOptions cifar_resnet_defaults();
/// A convolution by the options: conv [batch norm] activation.
void add_convolution(std::vector<LayerPtr>& layers, const ModelOptions&, int channels);
enum class PoolAfter { All, AllButLast };
/// One for each entry of conv_channels, each with pooling, if there is any, and dropout.
void add_conv_stages(std::vector<LayerPtr>& layers, const ModelOptions&, PoolAfter);
/// Fully connected hidden layers by the options: linear [batch norm] [dendrites] activation
/// dropout, each; dendrites if there is a context.
void add_hidden_layers(std::vector<LayerPtr>& layers, const ModelOptions&, bool relu_by_default,
                       const ContextPlace& context = {});
/// The activation that follows a layer; or k-winners, with an activation before it if asked for.
void add_activation(std::vector<LayerPtr>& layers, const ModelOptions&, double percent_on,
                    bool relu_by_default);
/// Averages to the size of feature_pool, if there is one.
void add_feature_pool(std::vector<LayerPtr>& layers, const ModelOptions&);
/// Error(Config) when stage_depths and conv_channels do not name the same stages.
void check_stages(const ModelOptions&);
/// What comes before the first layer with weights: unit_norm, if asked for.
void add_input(std::vector<LayerPtr>& layers, const ModelOptions&);
void add_dropout(std::vector<LayerPtr>& layers, const ModelOptions&);
/// The classifier: one linear layer or one per task.
void add_head(std::vector<LayerPtr>& layers, const ModelOptions&, const HeadShape&);

// The models themselves, one file each, and the defaults of those that have their own.
std::vector<LayerPtr> mlp_layers(const ModelOptions&, const HeadShape&);          // mlp.cpp
std::vector<LayerPtr> cnn_layers(const ModelOptions&, const HeadShape&);          // cnn.cpp
std::vector<LayerPtr> simple_net_layers(const ModelOptions&, const HeadShape&);   // simple_net.cpp
std::vector<LayerPtr> lenet_layers(const ModelOptions&, const HeadShape&);        // lenet.cpp
std::vector<LayerPtr> lenet_cifar_layers(const ModelOptions&, const HeadShape&);  // lenet_cifar.cpp
std::vector<LayerPtr> tiny_resnet_layers(const ModelOptions&, const HeadShape&);  // tiny_resnet.cpp
std::vector<LayerPtr> resnet18_layers(const ModelOptions&, const HeadShape&);     // resnet18.cpp
std::vector<LayerPtr> resnet20_layers(const ModelOptions&, const HeadShape&);     // resnet20.cpp
std::vector<LayerPtr> resnet56_layers(const ModelOptions&, const HeadShape&);     // resnet56.cpp
std::vector<LayerPtr> softhebb_cnn_layers(const ModelOptions&,
                                          const HeadShape&);              // softhebb_cnn.cpp
std::vector<LayerPtr> vgg_layers(const ModelOptions&, const HeadShape&);  // vgg.cpp
std::vector<LayerPtr> resnet_imagenet_layers(const ModelOptions&,
                                             const HeadShape&);  // resnet_imagenet.cpp
ModelOptions simple_net_defaults();
ModelOptions lenet_defaults();
ModelOptions lenet_cifar_defaults();
ModelOptions tiny_resnet_defaults();
ModelOptions resnet18_defaults();
ModelOptions softhebb_cnn_defaults();
ModelOptions vgg_defaults();
ModelOptions resnet_imagenet_defaults();

}  // namespace engram
