// Small generated images with six attributes of their own, each drawn into the image.
#include <algorithm>
#include <cmath>
#include <utility>

#include "benchmarks/synthetic.h"
#include "utils/digest.h"
#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

constexpr double kNoise = 0.08;

enum Attribute : std::size_t { LeftBlob, RightBlob, Columns, Stripes, Red, Frame, kAttributes };

/// The value of a channel of a pixel, given which attributes the image has.
double clean_pixel(const std::array<bool, kAttributes>& has, const ImageShape& shape, int y, int x,
                   int channel) {
  const double side = std::min(shape.height, shape.width);
  const auto blob = [&](double centre) {
    const double dy = y - 0.5 * shape.height, dx = x - centre * shape.width;
    return 0.4 * std::exp(-(dy * dy + dx * dx) / (2 * 0.02 * side * side));
  };
  double value = 0.35;
  if (has[LeftBlob]) value += blob(0.25);
  if (has[RightBlob]) value += blob(0.75);
  if (has[Columns]) value += x % 4 < 2 ? 0.12 : -0.12;
  if (has[Stripes]) value += y % 4 < 2 ? 0.12 : -0.12;
  if (has[Red]) value += channel == 0 ? 0.2 : -0.1;
  const bool at_edge = y == 0 || x == 0 || y == shape.height - 1 || x == shape.width - 1;
  return has[Frame] && at_edge ? 0.3 * value : value;
}

std::shared_ptr<const Images> draw_images(const ImageShape& shape, int count, const Rng& rng) {
  auto out = std::make_shared<Images>();
  out->shape = shape;
  out->views.resize(kAttributes);
  for (std::size_t a = 0; a < kAttributes; ++a) {
    for (int i = 0; i < count; ++i)
      out->views[a].push_back(static_cast<Label>(i % 2));
    Rng order = rng.fork("attribute", a);
    order.shuffle(std::span(out->views[a]));
  }
  out->labels = out->views[0];
  for (int i = 0; i < count; ++i) {
    Rng draw = rng.fork("example", static_cast<std::uint64_t>(i));
    std::array<bool, kAttributes> has{};
    for (std::size_t a = 0; a < kAttributes; ++a)
      has[a] = out->views[a][static_cast<std::size_t>(i)] != 0;
    for (int y = 0; y < shape.height; ++y)
      for (int x = 0; x < shape.width; ++x)
        for (int c = 0; c < shape.channels; ++c) {
          const double value = clean_pixel(has, shape, y, x, c) + kNoise * draw.normal();
          out->pixels.push_back(
              static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0))));
        }
  }
  return out;
}

}  // namespace

Dataset make_synthetic_attributes(std::string name, std::vector<std::string> attributes,
                                  const SyntheticSize& size, int held_out) {
  ENGRAM_INVARIANT(attributes.size() == kAttributes && size.shape.channels == 3);
  const Rng rng = Rng(size.seed).fork("synthetic_attributes");
  Dataset out;
  out.name = std::move(name);
  out.classes = 2;
  out.views = std::move(attributes);
  out.held_out = static_cast<std::size_t>(held_out);
  out.train = draw_images(size.shape, size.train + held_out, rng.fork("train"));
  out.test = draw_images(size.shape, size.test, rng.fork("test"));
  std::string digests;
  for (const auto& set : {out.train, out.test}) {
    digests += sha256(set->pixels);
    for (const auto& labels : set->views)
      digests += digest_of(labels);
  }
  out.sha256 = sha256(digests);
  return out;
}

}  // namespace engram
