// Forward-forward (Hinton 2022), supervised: levels of relu units that are shown an image together
// with a label. Every level learns for itself to have much activity when the label is right:
//   u0 = R([label, x]), h_l = relu(u_(l-1) W_l + b_l), u_l = R(h_l), goodness = sum h_l^2
// R takes a level's length away, so that the next one cannot read the answer from it. A softmax
// head on u_2, u_3, ... of a pass under a neutral label (all labels alike) is trained beside. What
// a label adds to the input's length is the same for every label, so one product of the image with
// W_1 serves all labels and the neutral one.
#pragma once

#include <span>
#include <vector>

#include "models/circuits/ff_options.h"
#include "models/goodness.h"

namespace engram {

class Ff final : public GoodnessLayer {
 public:
  Ff(const FfOptions& options, std::vector<int> widths, int labels);

  std::string kind() const override { return "ff"; }
  std::string describe() const override;
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override;
  void init(Rng) override;
  Macs forward(const Signal& x, Record& y, const Pass& pass) const override;
  int levels() const override { return static_cast<int>(widths_.size()); }
  /// Of the first level, from the image; where a label is laid over it, from the label.
  void incoming(Signal& to) const override;

  const FfOptions& options() const { return o_; }
  int labels() const { return labels_; }
  int pixels() const { return pixels_; }
  int width(int level) const { return widths_[static_cast<std::size_t>(level)]; }
  double threshold(int level) const;
  /// Levels from here on decide at test and feed the head.
  int first_deciding() const { return std::min(o_.first_level, levels()) - 1; }

  int weight_id(int level) const { return weights_[static_cast<std::size_t>(level)]; }
  int bias_id(int level) const { return biases_[static_cast<std::size_t>(level)]; }
  /// Of a deciding level: [width, labels].
  int head_id(int level) const { return heads_[static_cast<std::size_t>(level)]; }
  /// Running mean of each unit's activity for positives [1, width].
  Mat mean_activity(int level) const {
    return store_->state(means_[static_cast<std::size_t>(level)]);
  }
  /// Row of W_1 that reads label c.
  int label_row(int c) const { return o_.label == LabelPlace::Append ? pixels_ + c : c; }

  /// What all labels have in common.
  struct Image {
    Signal x;                   ///< [rows, inputs], 0 where labels stand
    Signal product;             ///< x W_1 [rows, width 0]
    std::vector<real> squares;  ///< [rows]: of x
    int rows() const { return x.rows(); }
  };
  Macs look(CMat x, Image& image) const;
  /// Divisor of the input's row when its label inputs have this sum of squares.
  real input_scale(const Image& image, int row, double label_squares) const;

  constexpr static int kNeutral = -1;
  /// The levels for states of images (`image[i]`: row of it) under labels, kNeutral for the neutral
  /// one, up to level `count`.
  struct Levels {
    std::vector<Signal> h, u;                 ///< per level [states, width]
    std::vector<std::vector<real>> goodness;  ///< per level [states]
    std::vector<real> scale;                  ///< of the input [states]
    Signal neutral;                           ///< what the neutral label adds to level 0
  };
  Macs ascend(const Image&, std::span<const int> image, std::span<const int> label, int count,
              Levels&) const;
  /// logits [states, labels] of the head.
  Macs read_out(const Levels&, Mat logits) const;

 private:
  Macs try_labels(const Signal& x, std::span<const int> labels, Record& y) const;
  Macs classify(const Signal& x, Record& y) const;
  void normalise(CMat h, Mat u) const;
  double divisor(double squares, int width) const;

  FfOptions o_;
  std::vector<int> widths_;
  int labels_, pixels_ = 0, inputs_ = 0;
  ParamStore* store_ = nullptr;
  std::vector<int> weights_, biases_, heads_, means_;
};

}  // namespace engram
