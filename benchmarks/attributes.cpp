// Every task is a yes-or-no question about the same images (CelebA: Liu et al. 2015).
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/cut_stream.h"
#include "utils/error.h"

namespace engram {
namespace {

/// The views of the chosen attributes, in the order given; all when none is named.
std::vector<int> chosen_views(const std::vector<std::string>& chosen, const Dataset& data) {
  std::vector<int> views;
  for (const std::string& name : chosen.empty() ? data.views : chosen) {
    const auto found = std::find(data.views.begin(), data.views.end(), name);
    if (found == data.views.end())
      throw Error(Fault::Config, fmt::format("attributes: {} has no attribute called '{}'{}",
                                             data.name, name, suggestion(name, data.views)));
    const auto view = static_cast<int>(found - data.views.begin());
    if (std::find(views.begin(), views.end(), view) != views.end())
      throw Error(Fault::Config, fmt::format("attributes: '{}' is named twice", name));
    views.push_back(view);
  }
  return views;
}

/// The same images, decoded at one over `scale` of their size.
std::shared_ptr<const Images> reduced(const std::shared_ptr<const Images>& images, int scale) {
  auto out = std::make_shared<Images>(*images);
  out->shape = reduced_shape(images->shape, scale);
  if (images->source) out->source = images->source->reduced(scale);
  return out;
}

}  // namespace

std::unique_ptr<TaskStream> make_attributes(const StreamOptions& options, const Dataset& data,
                                            std::uint64_t) {
  if (data.views.empty())
    throw Error(Fault::Config,
                fmt::format("stream = attributes: {} has no attributes; use benchmark = celeba or "
                            "synthetic_attributes, or another stream",
                            data.name));
  const int scale = options.image_scale;
  if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
    throw Error(Fault::Config,
                fmt::format("image_scale = {}: expected 1, 2, 4 or 8, which JPEG decodes", scale));
  if (scale != 1 && !data.train->pixels.empty())
    throw Error(Fault::Config, fmt::format("image_scale is for JPEG images, {} has none; leave it "
                                           "at 1",
                                           data.name));
  Dataset scaled = data;
  if (scale != 1)
    scaled.train = reduced(data.train, scale), scaled.test = reduced(data.test, scale);
  return make_views(options, scaled, "attributes of " + data.name,
                    chosen_views(options.attributes, data));
}

}  // namespace engram
