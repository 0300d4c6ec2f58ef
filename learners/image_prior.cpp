#include "learners/image_prior.h"

#include <algorithm>

namespace engram {
namespace {

constexpr int kRowsAtOnce = 500;

}  // namespace

xt::xtensor<double, 2> codes_of(const ImageModel& model, CMat images,
                                std::span<const std::uint8_t> outputs) {
  const auto width = static_cast<std::size_t>(model.latents());
  xt::xtensor<double, 2> codes({static_cast<std::size_t>(images.rows), width});
  Signal part;
  for (int first = 0; first < images.rows; first += kRowsAtOnce) {
    const int count = std::min(kRowsAtOnce, images.rows - first);
    const Mat some = part.resize(count, model.latents());
    model.encode({images.row(first), count, images.cols}, outputs, some);
    std::copy_n(some.data, some.size(), codes.data() + static_cast<std::size_t>(first) * width);
  }
  return codes;
}

void paint_images(const ImageModel& model, const GaussianMixture& prior, int count, Rng rng,
                  Signal& images, std::vector<int>* components) {
  // Codes have any scale, so that what is added to a covariance must not have one of its own.
  const xt::xtensor<double, 2> drawn = draw(prior, count, rng, components, 0);
  Signal codes;
  const Mat z = codes.resize(count, model.latents());
  std::copy_n(drawn.data(), z.size(), z.data);
  model.decode(z, images.value());
}

}  // namespace engram
