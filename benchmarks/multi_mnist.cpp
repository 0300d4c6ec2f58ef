// Multi-MNIST: two digits in one image, one task each, and a network told which digit is meant
// (Sabour, Frosst & Hinton 2017 in the form of Kurin et al. 2022 and Abel & Ullman 2024).
//  - Every image of a part is the left digit once, with a right one drawn from the same part.
//  - The right digit lies 6 pixels lower and further right on a canvas of 36x36; where the two
//    overlap the brighter pixel stays.
//  - The canvas shrinks to 28x28 by taking the nearest pixel.
// The last sixth of the training images is a part of its own, which only validation uses.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "benchmarks/cut_stream.h"
#include "utils/error.h"
#include "utils/parallel.h"
#include "utils/rng.h"

namespace engram {
namespace {

constexpr int kSide = 28, kShift = 6, kCanvas = 36;

/// The pixel of the canvas that is nearest to a pixel of the image, along one side.
constexpr int nearest(int k) {
  return (2 * k + 1) * kCanvas / (2 * kSide);
}

/// Which images of the source make a composite.
struct Pairs {
  std::uint32_t begin = 0;           ///< of the part; composite i has the left digit begin + i
  std::vector<std::uint32_t> right;  ///< of each composite
};

/// `count` composites from the images [begin, end).
Pairs draw_pairs(std::uint32_t begin, std::uint32_t end, std::uint32_t count, Rng rng) {
  Pairs pairs{begin, {}};
  for (std::uint32_t i = 0; i < count; ++i)
    pairs.right.push_back(begin + rng.below(end - begin));
  return pairs;
}

void compose(const std::uint8_t* left, const std::uint8_t* right, std::uint8_t* out) {
  const auto pixel = [](const std::uint8_t* image, int y, int x) -> std::uint8_t {
    return y >= 0 && y < kSide && x >= 0 && x < kSide ? image[y * kSide + x] : std::uint8_t{0};
  };
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      const int v = nearest(y), u = nearest(x);
      out[y * kSide + x] = std::max(pixel(left, v, u), pixel(right, v - kShift, u - kShift));
    }
}

/// Composites with the labels of their left digits; `right` receives those of their right ones.
/// Images without pixels, which stand in for data that is not loaded, give composites without.
void append(const Images& source, const Pairs& pairs, Images& out,
            std::vector<std::uint8_t>& right) {
  const std::size_t first = out.labels.size(), size = kSide * kSide;
  for (std::size_t i = 0; i < pairs.right.size(); ++i) {
    out.labels.push_back(source.labels[pairs.begin + i]);
    right.push_back(source.labels[pairs.right[i]]);
  }
  if (source.pixels.empty()) return;
  out.pixels.resize(out.labels.size() * size);
  parallel_for(static_cast<int>(pairs.right.size()), [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    compose(source.image(pairs.begin + at).data(), source.image(pairs.right[at]).data(),
            out.pixels.data() + (first + at) * size);
  });
}

Rows run_of(std::size_t begin, std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(begin));
  return std::make_shared<const std::vector<std::uint32_t>>(std::move(rows));
}

std::uint32_t limited(std::size_t count, int limit) {
  const auto n = static_cast<std::uint32_t>(count);
  return limit > 0 ? std::min(n, static_cast<std::uint32_t>(limit)) : n;
}

void check(const StreamOptions& options, const Dataset& data) {
  if (data.shape() != ImageShape{kSide, kSide, 1})
    throw Error(Fault::Config,
                fmt::format("stream = multi_mnist needs images of 28x28x1, {} has {}; use "
                            "benchmark = mnist, fashion or kmnist",
                            data.name, data.shape().text()));
  if (options.tasks != 2)
    throw Error(Fault::Config,
                fmt::format("stream = multi_mnist has two tasks, left and right; set tasks = 2 "
                            "(it is {})",
                            options.tasks));
  if (data.train->size() < 6)
    throw Error(Fault::Config, "stream = multi_mnist: fewer than six training images");
}

}  // namespace

std::unique_ptr<TaskStream> make_multi_mnist(const StreamOptions& options, const Dataset& data,
                                             std::uint64_t seed) {
  check(options, data);
  const Rng rng = Rng(options.pair_seed.value_or(seed)).fork("pairs");
  const auto all = static_cast<std::uint32_t>(data.train->size()), train = all - all / 6;
  const std::uint32_t shown = limited(train, options.train_limit);
  const std::uint32_t held = options.validation > 0 ? all - train : 0;

  auto images = std::make_shared<Images>(), tests = std::make_shared<Images>();
  std::vector<std::uint8_t> right, right_tests;
  images->shape = tests->shape = data.shape();
  append(*data.train, draw_pairs(0, train, shown, rng.fork("train")), *images, right);
  if (held > 0)
    append(*data.train, draw_pairs(train, all, held, rng.fork("validation")), *images, right);
  const auto test_count = static_cast<std::uint32_t>(data.test->size());
  append(*data.test,
         draw_pairs(0, test_count, limited(test_count, options.test_limit), rng.fork("test")),
         *tests, right_tests);

  std::vector<TaskPlan> plans(2);
  const std::string noun = data.name == "mnist" ? "digit" : "item";
  for (std::size_t t = 0; t < 2; ++t) {
    plans[t].name = (t == 0 ? "left " : "right ") + noun;
    plans[t].classes = all_classes(data);
    plans[t].map = t == 0
                       ? PixelMap::identity(data.shape(), pixel_scale(options, data), options.pad)
                       : plans[0].map;
    plans[t].train = t == 0 ? run_of(0, shown) : plans[0].train;
    plans[t].validation = t == 0 ? run_of(shown, held) : plans[0].validation;
    plans[t].test = t == 0 ? run_of(0, tests->size()) : plans[0].test;
  }
  plans[1].train_labels = std::make_shared<const std::vector<std::uint8_t>>(std::move(right));
  plans[1].test_labels = std::make_shared<const std::vector<std::uint8_t>>(std::move(right_tests));
  Dataset composites = data;
  composites.train = std::move(images), composites.test = std::move(tests);
  return std::make_unique<CutStream>(composites, "multi_mnist of " + data.name, std::move(plans),
                                     true);
}

}  // namespace engram
