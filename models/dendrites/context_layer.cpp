#include "models/dendrites/context_layer.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "models/checked_state.h"
#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/scratch.h"

namespace engram {

ImageShape ContextLayer::bind(ImageShape in, const Place& place, ParamStore& store) {
  ENGRAM_INVARIANT(place.reads_input);
  if (pixels_ > in.size())
    throw Error(Fault::Config, fmt::format("dendrites.pixels = {}: an image has {}; name fewer",
                                           pixels_, in.size()));
  store_ = &store, inputs_ = in.size(), length_ = pixels_ > 0 ? pixels_ : in.size();
  vectors_ = store.add_state(place.name + ".vectors", most_, length_);
  seen_ = store.add_state(place.name + ".seen", 1, most_);
  if (pixels_ > 0) places_ = store.add_state(place.name + ".places", 1, length_);
  shared_->store = &store, shared_->id = vectors_;
  return {1, 1, 1};
}

void ContextLayer::init(Rng rng) {
  if (places_ < 0) return;
  auto drawn = rng.fork("places").permutation(static_cast<std::uint32_t>(inputs_));
  drawn.resize(static_cast<std::size_t>(length_));
  std::ranges::sort(drawn);
  std::ranges::transform(drawn, store_->state(places_).data,
                         [](std::uint32_t place) { return static_cast<real>(place); });
}

void ContextLayer::restored() {
  check_state(*store_, seen_, Numbers::Any, 0, std::numeric_limits<double>::infinity());
  if (places_ >= 0) check_state(*store_, places_, Numbers::Whole, 0, inputs_ - 1);
}

void ContextLayer::part_of(const real* image, real* to) const {
  if (places_ < 0) return void(std::copy_n(image, length_, to));
  const real* const places = std::as_const(*store_).state(places_).data;
  for (int i = 0; i < length_; ++i)
    to[i] = image[static_cast<std::size_t>(places[i])];
}

void ContextLayer::add_to(int k, const std::vector<double>& sum, int images) {
  real* const mean = store_->state(vectors_).row(k);
  const double before = seen(k), after = before + images;
  for (int i = 0; i < length_; ++i)
    mean[i] = static_cast<real>(
        (static_cast<double>(mean[i]) * before + sum[static_cast<std::size_t>(i)]) / after);
  store_->state(seen_).data[k] = static_cast<real>(after);
}

Macs ContextLayer::forward(const Signal& x, Record& y, const Pass& pass) const {
  const CMat in = x.value(), vectors = std::as_const(*store_).state(vectors_);
  const Mat out = y.out.resize(in.rows, 1);
  // |x - p|^2 less |x|^2, which all contexts share.
  thread_local Scratch parts, products;
  CMat parts_of_images = in;
  if (places_ >= 0) {
    const Mat part = parts.matrix(in.rows, length_);
    for_rows(in.rows, [&](int b) { part_of(in.row(b), part.row(b)); });
    parts_of_images = part;
  }
  const Mat product = products.matrix(in.rows, most_);
  bool searched = false;
  std::vector<double> norms;
  const auto nearest = [&](int row) {
    if (!searched) {
      kernels::gemm(false, true, 1, parts_of_images, vectors, 0, product);
      norms.assign(static_cast<std::size_t>(most_), 0);
      for (int k = 0; k < most_; ++k)
        for (int i = 0; i < length_; ++i)
          norms[static_cast<std::size_t>(k)] +=
              static_cast<double>(vectors.row(k)[i]) * static_cast<double>(vectors.row(k)[i]);
      searched = true;
    }
    int best = kNoContext;
    double least = 0;
    for (int k = 0; k < most_; ++k) {
      if (seen(k) == 0) continue;
      const double distance =
          norms[static_cast<std::size_t>(k)] - 2 * static_cast<double>(product.row(row)[k]);
      if (best == kNoContext || distance < least) best = k, least = distance;
    }
    return best;
  };
  for (int b = 0; b < in.rows; ++b) {
    const int k = pass.training ? chosen(b, pass) : kNoContext;
    out.row(b)[0] = static_cast<real>(k != kNoContext ? k : nearest(b));
  }
  const double macs = searched ? 1.0 * in.rows * most_ * length_ : 0;
  return {macs, macs};
}

ContextPlace add_context(std::vector<LayerPtr>& layers, const DendriteOptions& o, int tasks) {
  if (!o.on()) return {};
  const ContextPlace context{static_cast<int>(layers.size()), std::make_shared<ContextVectors>()};
  if (o.context == ContextSource::Prototype)
    layers.push_back(prototype_context(tasks, context.vectors));
  else
    layers.push_back(cluster_context(o, o.most_clusters.value_or(8 + 2 * tasks), context.vectors));
  layers.back()->wiring.reads = context.layer + 1;  // the input of the network
  return context;
}

void add_dendrites(std::vector<LayerPtr>& layers, const DendriteOptions& o,
                   const ContextPlace& context) {
  LayerPtr layer = dendrites(o.segments, o.init_share, context.vectors);
  layer->wiring.past.push_back(static_cast<int>(layers.size()) - context.layer);
  layers.push_back(std::move(layer));
}

}  // namespace engram
