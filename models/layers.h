// The table of layers: one factory each, implemented in the file of the same name.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "models/init.h"
#include "models/layer.h"
#include "utils/options.h"

namespace engram {

/// How the weights of a layer with missing synapses are stored.
enum class WeightStorage {
  Auto,   ///< whichever is faster at this density (models/sparse_synapses.h)
  Dense,  ///< all of them, with a mask
  Sparse  ///< only those that exist
};
template <>
struct Choices<WeightStorage> {
  static constexpr std::array<std::string_view, 3> names{"auto", "dense", "sparse"};
};

/// Which of the possible synapses of a layer exist, and how they start.
struct Synapses {
  double density = 1;  ///< fraction of every row's weights that exist, fixed at random (0, 1]
  MaskRounding rounding = MaskRounding::NonZeros;
  WeightInit init = WeightInit::Torch;
  WeightStorage storage = WeightStorage::Auto;
  bool bias = true;
  double init_scale = 1;   ///< of the laws that have a scale (models/init.h)
  bool rewirable = false;  ///< which weights exist may change: always stored sparse
};

/// Fully connected: y = x wᵀ + b; reads an image as one flat row.                   linear.cpp
LayerPtr linear(int outputs, const Synapses& = {});
LayerPtr dense_linear(int outputs, const Synapses& = {});  ///< dense storage       dense_linear.cpp
LayerPtr sparse_linear(int outputs, const Synapses& = {});  ///< sparse storage sparse_linear.cpp
/// One linear layer per task; an example uses the one of its task.              multi_head.cpp
/// New heads learn when their task comes, unless `frozen_new_heads`: then only the first ever does.
LayerPtr multi_head(int heads, int outputs, bool frozen_new_heads, const Synapses& = {});
/// 2-d convolution, square kernel, zero padding.                                    conv2d.cpp
LayerPtr conv2d(int channels, int kernel, int stride, int pad, const Synapses& = {});
LayerPtr dense_conv2d(int channels, int kernel, int stride, int pad,  ///< dense_conv2d.cpp
                      const Synapses& = {});
LayerPtr sparse_conv2d(int channels, int kernel, int stride, int pad,  ///< sparse_conv2d.cpp
                       const Synapses& = {});
/// The same with channels in groups, each of which sees its own channels alone; with as many groups
/// as channels: depth-wise.                                                 grouped_conv2d.cpp
LayerPtr grouped_conv2d(int channels, int kernel, int stride, int pad, int groups,
                        const Synapses& = {});
LayerPtr relu();  // relu.cpp
/// max(0, x)^n, n > 0 (Krotov & Hopfield 2019).                                 power_relu.cpp
LayerPtr power_relu(double n);
/// max(0, x - mean over the channels at each place)^n, n > 0 (Coates et al. 2011; Journe et al.
/// 2023).                                                                         triangle.cpp
LayerPtr triangle(double n);
/// Softmax of gain * x over the channels at each place.                 softmax_activation.cpp
LayerPtr softmax_activation(double gain);
LayerPtr gelu();                        // gelu.cpp: x Phi(x)
LayerPtr tanh_activation(double gain);  // tanh_activation.cpp: tanh(gain x)
/// Each row (image) divided by its Euclidean norm; rows of zeros stay.             unit_norm.cpp
LayerPtr unit_norm();
/// (x - mean) V (D + epsilon tr(D) / d)^-1/2 Vᵀ with the covariance V D Vᵀ of images of the first
/// task (ZCA: Bell & Sejnowski 1997). Reads the network's input.                       whiten.cpp
LayerPtr whiten(double epsilon);
LayerPtr dropout(double rate);  // dropout.cpp: inverted, survivors * 1 / (1 - rate)
LayerPtr flatten();             // flatten.cpp: h x w x c -> 1 x 1 x hwc
/// `pad` places around the image, reflected in its border, which is not repeated. reflect_pad.cpp
LayerPtr reflect_pad(int pad);
/// Square windows; what does not fill one is left out. Places of the padding, at most half a window
/// on each side, never win.                                                        pooling.cpp
LayerPtr max_pool(int kernel, int stride, int pad = 0);
/// Likewise; places of the padding count as zeros.                                 pooling.cpp
LayerPtr avg_pool(int kernel, int stride, int pad = 0);
/// Images of other sizes by leaving out places and adding channels of zeros.       shortcut.cpp
LayerPtr shortcut(int channels, int stride);
LayerPtr global_avg_pool();  // pooling.cpp: one mean per channel
/// Means over parts of any image, which bring it to this size; no channels: as many as it has.
LayerPtr adaptive_avg_pool(int height, int width, int channels = 0);  // adaptive_avg_pool.cpp
struct BatchNormOptions {
  double momentum = 0.1, epsilon = 1e-5;
  bool affine = true;  ///< a scale and a shift for each channel, which are learnt
};
/// Per channel, over batch and places (Ioffe & Szegedy 2015).                   batch_norm.cpp
LayerPtr batch_norm(const BatchNormOptions& = {});
/// Where several layer norms find the scale and shift that they have in common.
struct NormSlices {
  int scale = -1, shift = -1;
};
/// Over the channels at each place, with scale and shift (Ba et al. 2016).         layer_norm.cpp
LayerPtr layer_norm(std::shared_ptr<NormSlices> shared = nullptr);

enum class Ties { Strict, Threshold };
enum class OverlongBatch { Mean, Literal };

/// k-winners-take-all with boosting (Ahmad & Scheinkman 2019).
struct KWinnersOptions {
  double percent_on = 0.1;           ///< k = round(n * percent_on), half to even
  double k_inference_factor = 1;     ///< more winners in evaluation
  double boost_strength = 0;         ///< 0: no boosting
  double boost_strength_factor = 1;  ///< decay of the strength, once per epoch
  int duty_cycle_period = 1000;      ///< in samples
  bool local = false;                ///< images: winners per place instead of per image
  bool rectify = false;              ///< winners must also be positive
  bool allow_dead = false;           ///< k = 0 silences the layer instead of being refused
  Ties ties = Ties::Strict;          ///< exactly k, lowest index first; or all >= the k-th
  OverlongBatch overlong = OverlongBatch::Mean;  ///< duty cycles when a batch exceeds the period
};
LayerPtr k_winners(const KWinnersOptions&);  // k_winners.cpp

template <>
struct Choices<Ties> {
  static constexpr std::array<std::string_view, 2> names{"strict", "threshold"};
};
template <>
struct Choices<OverlongBatch> {
  static constexpr std::array<std::string_view, 2> names{"mean", "literal"};
};

}  // namespace engram
