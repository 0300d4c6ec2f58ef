// Two digits in one image, top left and bottom right, and two questions about it: MultiMNIST
// (Sabour et al. 2017), put together as Kurin et al. 2022 do. Every source image is the left one
// once; the right one is drawn with replacement from the same part. Of the training images the last
// sixth (10,000 of MNIST's 60,000) is composed among itself and only serves validation.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/cut_stream.h"
#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

constexpr std::size_t kSide = 28, kCanvas = 36, kShift = 6;  // the right image begins at (6, 6)

/// Nearest resize of the canvas: the canvas row (or column) of every row of the result.
constexpr std::array<std::size_t, kSide> canvas_places() {
  std::array<std::size_t, kSide> out{};
  for (std::size_t k = 0; k < kSide; ++k)
    out[k] = (2 * k + 1) * kCanvas / (2 * kSide);
  return out;
}

void compose(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right,
             std::span<std::uint8_t> out) {
  constexpr auto kPlaces = canvas_places();
  const auto byte = [](std::span<const std::uint8_t> image, std::size_t y, std::size_t x) {
    return y < kSide && x < kSide ? image[y * kSide + x] : std::uint8_t{0};  // wraps below 0
  };
  std::uint8_t* to = out.data();
  for (const std::size_t y : kPlaces)
    for (const std::size_t x : kPlaces)
      *to++ = std::max(byte(left, y, x), byte(right, y - kShift, x - kShift));
}

/// Pairs of images that are too many to keep: put together whenever they are needed.
class Pairs final : public ImageSource {
 public:
  using Places = std::pair<std::size_t, std::size_t>;
  explicit Pairs(std::shared_ptr<const ImageSource> source) : source_(std::move(source)) {}
  void add(std::size_t left, std::size_t right) { pairs_.emplace_back(left, right); }
  void read(std::size_t i, std::span<std::uint8_t> out) const override {
    std::array<std::uint8_t, kSide * kSide> left{}, right{};
    source_->read(pairs_.at(i).first, left);
    source_->read(pairs_[i].second, right);
    compose(left, right, out);
  }

 private:
  std::shared_ptr<const ImageSource> source_;
  std::vector<Places> pairs_;
};

struct Composites {
  std::shared_ptr<Images> images;
  std::shared_ptr<Pairs> pairs;  ///< if they are put together when they are needed
};

/// None yet, of such images.
Composites none_of(const Images& source) {
  Composites out{std::make_shared<Images>(), nullptr};
  out.images->shape = source.shape;
  out.images->pixels.reserve(source.pixels.size());
  out.images->views.resize(2);
  if (source.source) out.images->source = out.pairs = std::make_shared<Pairs>(source.source);
  return out;
}

/// Appends the composites of the source images [begin, end). A source of labels alone (the plan of
/// a run) gives labels alone.
void append_pairs(const Images& source, std::size_t begin, std::size_t end, Rng rng,
                  const Composites& out) {
  const auto count = static_cast<std::uint32_t>(end - begin);
  Images& images = *out.images;
  for (std::size_t left = begin; left < end; ++left) {
    const std::size_t right = begin + rng.below(count);
    images.views[0].push_back(source.labels[left]);
    images.views[1].push_back(source.labels[right]);
    if (out.pairs) out.pairs->add(left, right);
    if (source.pixels.empty()) continue;
    images.pixels.resize(images.pixels.size() + kSide * kSide);
    compose(source.image(left), source.image(right), std::span(images.pixels).last(kSide * kSide));
  }
}

}  // namespace

std::unique_ptr<TaskStream> make_multi_mnist(const StreamOptions& options, const Dataset& data,
                                             std::uint64_t seed) {
  if (data.shape() != ImageShape{kSide, kSide, 1})
    throw Error(Fault::Config, fmt::format("stream = multi_mnist puts grey images of 28x28x1 "
                                           "together, but {} has {}; use benchmark = mnist, "
                                           "fashion or kmnist",
                                           data.name, data.shape().text()));
  const Rng rng(options.pair_seed.value_or(seed));
  const std::size_t n = data.train->size();
  Dataset pairs = data;
  pairs.held_out = n / 6;
  const Composites train = none_of(*data.train), test = none_of(*data.test);
  append_pairs(*data.train, 0, limited(n - pairs.held_out, options.train_limit),
               rng.fork("multi_mnist train"), train);
  append_pairs(*data.train, n - pairs.held_out, n, rng.fork("multi_mnist validation"), train);
  append_pairs(*data.test, 0, limited(data.test->size(), options.test_limit),
               rng.fork("multi_mnist test"), test);
  for (const Composites& made : {train, test})
    made.images->labels = made.images->views[0];
  pairs.train = train.images, pairs.test = test.images;
  const char* noun = data.name == "mnist" ? "digit" : "item";
  pairs.views = {fmt::format("left {}", noun), fmt::format("right {}", noun)};
  return make_views(options, pairs, "multi_mnist of " + data.name, {0, 1});
}

}  // namespace engram
