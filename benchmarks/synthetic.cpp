#include "benchmarks/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "utils/digest.h"
#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

constexpr int kStyles = 2, kBlobs = 3;
constexpr double kNoise = 0.22, kInk = 0.12;  // below kInk a pixel is background

/// A smooth field over the plane, so that shifts need no resampling.
struct Prototype {
  struct Blob {
    double x, y, width;
    std::array<double, 4> colour;
  };
  std::array<Blob, kBlobs> blobs;

  double at(double x, double y, std::size_t channel) const {
    double sum = 0;
    for (const Blob& b : blobs) {
      const double r2 = (x - b.x) * (x - b.x) + (y - b.y) * (y - b.y);
      sum += b.colour[channel] * std::exp(-r2 / (2 * b.width * b.width));
    }
    return sum;
  }
};

Prototype draw_prototype(const ImageShape& shape, Rng rng) {
  Prototype p;
  const double side = std::min(shape.height, shape.width);
  for (auto& b : p.blobs) {
    b.x = rng.uniform(0.15, 0.85) * (shape.width - 1);
    b.y = rng.uniform(0.15, 0.85) * (shape.height - 1);
    b.width = rng.uniform(0.08, 0.18) * side;
    for (double& c : b.colour)
      c = rng.uniform(0.4, 1.0);
  }
  return p;
}

std::uint8_t to_byte(double value) {
  if (value < kInk) return 0;
  return static_cast<std::uint8_t>(std::lround(255 * std::min(value, 1.0)));
}

std::shared_ptr<const Images> draw_images(const SyntheticSize& size,
                                          const std::vector<Prototype>& prototypes, int count,
                                          const Rng& rng) {
  auto out = std::make_shared<Images>();
  out->shape = size.shape;
  for (int i = 0; i < count; ++i)
    out->labels.push_back(static_cast<Label>(i % size.classes));
  Rng order = rng.fork("labels");
  order.shuffle(std::span(out->labels));
  for (int i = 0; i < count; ++i) {
    Rng draw = rng.fork("example", static_cast<std::uint64_t>(i));
    const std::size_t label = out->labels[static_cast<std::size_t>(i)];
    const Prototype& p = prototypes[label * kStyles + draw.below(kStyles)];
    const double dx = draw.uniform(-1, 1), dy = draw.uniform(-1, 1), gain = draw.uniform(0.6, 1.2);
    for (int y = 0; y < size.shape.height; ++y)
      for (int x = 0; x < size.shape.width; ++x)
        for (int c = 0; c < size.shape.channels; ++c) {
          const double clean = gain * p.at(x - dx, y - dy, static_cast<std::size_t>(c));
          out->pixels.push_back(to_byte(clean < 0.05 ? 0 : clean + kNoise * draw.normal()));
        }
  }
  return out;
}

}  // namespace

std::string digest_of(const std::vector<Label>& labels) {
  return sha256(std::vector<std::uint8_t>(labels.begin(), labels.end()));
}

Dataset make_synthetic(std::string name, const SyntheticSize& size) {
  ENGRAM_INVARIANT(size.classes > 0 && size.classes <= 256 && size.shape.channels <= 4);
  const Rng rng = Rng(size.seed).fork("synthetic");
  std::vector<Prototype> prototypes;
  for (int i = 0; i < size.classes * kStyles; ++i)
    prototypes.push_back(
        draw_prototype(size.shape, rng.fork("prototype", static_cast<std::uint64_t>(i))));
  Dataset out;
  out.name = std::move(name);
  out.classes = size.classes;
  out.train = draw_images(size, prototypes, size.train, rng.fork("train"));
  out.test = draw_images(size, prototypes, size.test, rng.fork("test"));
  std::string digests;
  for (const auto& set : {out.train, out.test})
    digests += sha256(set->pixels) + digest_of(set->labels);
  out.sha256 = sha256(digests);
  return out;
}

}  // namespace engram
