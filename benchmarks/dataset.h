// A data set is bytes and labels, read once and shared; a task is a list of rows seen through a
// pixel map. A hundred permuted tasks cost one data set and a hundred index vectors.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "utils/active_set.h"
#include "utils/matrix.h"
#include "utils/shape.h"

namespace engram {

/// Images that are too many to keep decoded: each is read when it is needed, from any thread.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// Throws Error naming the file when image i cannot be read or is not what it should be.
  virtual void read(std::size_t i, std::span<std::uint8_t> out) const = 0;
  /// The same images at one over `scale` of their size. Error(Config) where they are not decoded.
  virtual std::shared_ptr<const ImageSource> reduced(int scale) const;
};

/// Sides over `scale`, rounded up.
ImageShape reduced_shape(const ImageShape& full, int scale);

using Label = std::uint16_t;

/// Labelled uint8 images; image i is pixels[i * shape.size() ...], unless there is a source.
/// Immutable once loaded.
struct Images {
  ImageShape shape;
  std::vector<std::uint8_t> pixels;
  std::vector<Label> labels;
  /// More labels of the same images, one vector per question that may be asked about them.
  std::vector<std::vector<Label>> views;
  std::shared_ptr<const ImageSource> source;
  std::size_t size() const { return labels.size(); }
  std::span<const std::uint8_t> image(std::size_t i) const {
    const auto n = static_cast<std::size_t>(shape.size());
    return {pixels.data() + i * n, n};
  }
};

struct Dataset {
  std::string name;  ///< as in the table of data sets: "mnist"
  int classes = 0;
  std::shared_ptr<const Images> train, test;
  std::string sha256;  ///< of the digests of its files' content in reading order, for provenance
  std::vector<std::string> views{};        ///< names of the images' views
  std::size_t held_out = 0;                ///< so many last training images only serve validation
  std::vector<std::string> class_names{};  ///< by label, or none
  const ImageShape& shape() const { return train->shape; }
};

/// From raw bytes to network input: value = (byte / 255 - mean[c]) / deviation[c] per channel.
struct PixelScale {
  std::array<double, 4> mean{}, deviation{1, 1, 1, 1};
};

/// Where each pixel of the network's input comes from. Cheap to share between tasks and sets.
class PixelMap {
 public:
  /// The image as it is, with `pad` pixels of background (byte 0) on every side.
  static std::shared_ptr<const PixelMap> identity(ImageShape in, const PixelScale&, int pad = 0);
  /// output pixel p = pixel source[p] of the (padded) image; source is a permutation of its
  /// height * width * channels values.
  static std::shared_ptr<const PixelMap> permuted(ImageShape in, const PixelScale&, int pad,
                                                  std::span<const std::uint32_t> source);
  /// Rotated about the centre by `degrees` counter-clockwise, bilinear, background 0.
  static std::shared_ptr<const PixelMap> rotated(ImageShape in, const PixelScale&, int pad,
                                                 double degrees);

  const ImageShape& in() const { return in_; }
  const ImageShape& out() const { return out_; }
  /// `out` holds out().size() values.
  void apply(std::span<const std::uint8_t> image, real* out) const;
  /// The same, and writes the places of the values that are not 0 to `units`, ascending; there is
  /// room for out().size() and ActiveSet::kSlack. Returns how many.
  int apply(std::span<const std::uint8_t> image, real* out, std::int32_t* units) const;

 private:
  enum class Kind { Plain, Moved, Padded, Rotated };
  /// Four weighted sources of an output pixel; background has weight 0, so the sum needs no branch.
  struct Taps {
    std::array<std::int32_t, 4> source{};
    std::array<float, 4> weight{};
  };
  PixelMap(ImageShape in, const PixelScale& scale, int pad);
  void set_sources(std::span<const std::uint32_t> padded_source);
  /// For one channel that is not rotated. Lists the image's bytes that are not 0 in `ink`.
  int apply_ink(std::span<const std::uint8_t> image, real* out, std::int32_t* ink) const;

  ImageShape in_, out_;
  int pad_ = 0;
  Kind kind_ = Kind::Plain;
  std::vector<std::int32_t> source_;  ///< Moved, Padded: index into the image, or -1 for background
  std::vector<std::uint16_t> table_;  ///< Moved, Padded: where in scaled_ its channel begins
  std::vector<std::int32_t> target_;  ///< Moved, Padded: where a pixel of the image goes
  std::vector<Taps> taps_;            ///< Rotated
  std::vector<real> scaled_;          ///< [channels][256]: byte -> network input
  std::vector<real> background_;      ///< the output for an image of zeros
};

/// Some rows of an image set as one task sees them. Cheap to copy: everything big is shared.
class ExampleSet {
 public:
  ExampleSet() = default;
  /// `rows` index into `images`. `task` is the index of the task they belong to. `view` says which
  /// of the images' views labels them; -1: their labels.
  ExampleSet(std::shared_ptr<const Images> images,
             std::shared_ptr<const std::vector<std::uint32_t>> rows,
             std::shared_ptr<const PixelMap> map, int task, int view = -1);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ImageShape shape() const;        ///< of an example as the network sees it
  std::vector<int> tasks() const;  ///< that examples belong to, ascending
  /// In how many tasks each example occurs, when the set is task after task over the same rows of
  /// the same images: example i of the k-th task is then at place i + k * size() / views(). 0 when
  /// it is not made so.
  std::size_t views() const;

  /// All examples of both, `other` after this. For cumulative and joint training.
  void append(const ExampleSet& other);
  /// The examples at the given places, in that order.
  ExampleSet subset(std::span<const std::uint32_t> places) const;

  /// Row i of `x` [places.size(), shape().size()] becomes example places[i]; its label as in the
  /// data set goes to label[i] and the index of its task to task[i] (unless those spans are empty).
  /// `active`, if given, becomes the set of values that are not 0 where they are few enough.
  void gather(std::span<const std::uint32_t> places, Mat x, std::span<int> label,
              std::span<int> task, ActiveSet* active = nullptr) const;
  int label(std::size_t place) const;
  int task(std::size_t place) const;

 private:
  struct Part {
    std::shared_ptr<const Images> images;
    std::shared_ptr<const std::vector<std::uint32_t>> rows;
    std::shared_ptr<const PixelMap> map;
    std::shared_ptr<const std::vector<Label>> labels;  ///< of all images, in `images`
    int task = 0;
    std::size_t begin = 0;  ///< place of its first row; unused when there is an order_
  };
  /// A row of a part, for sets that mix their parts (a shuffled subset of a union).
  struct Pick {
    std::uint32_t part, row;
  };
  Pick pick(std::size_t place) const;
  Pick checked_pick(std::size_t place) const;
  std::vector<Pick> picks() const;

  std::vector<Part> parts_;
  std::shared_ptr<const std::vector<Pick>> order_;  ///< null: the parts one after the other
  std::size_t size_ = 0;
};

}  // namespace engram
