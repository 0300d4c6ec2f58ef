#include "exps/looks/receptive_fields.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/looks/pictures.h"
#include "utils/error.h"

namespace engram {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Fault::Config, "receptive_fields shows weights as images, but " + why +
                                 "; use receptive_fields = 0");
}

/// The shape of the image that a fan-in is, or an empty one.
ImageShape tile_of(const Network& net, int layer, int fan_in) {
  const ImageShape& in = net.in();
  if (fan_in == in.size()) return in;
  const int side = static_cast<int>(std::lround(std::sqrt(fan_in / in.channels)));
  if (net.input_shape(layer) == in && side * side * in.channels == fan_in)
    return {side, side, in.channels};
  return {0, 0, 0};
}

}  // namespace

ReceptiveFields::ReceptiveFields(const Network& net, int units) : net_(net) {
  if (units == 0) return;
  const ImageShape& in = net.in();
  if (in.flat() || (in.channels != 1 && in.channels != 3))
    refuse(fmt::format("the network reads {}, which are no images of 1 or 3 channels", in.text()));
  Signal weights;
  for (layer_ = 0; layer_ < net.depth(); ++layer_) {
    net.layer(layer_).incoming(weights);
    if (weights.rows() > 0) break;
  }
  if (weights.rows() == 0) refuse("no layer of the network says what its weights are");
  tile_ = tile_of(net, layer_, weights.cols());
  if (tile_.size() == 0)
    refuse(
        fmt::format("{}, the first layer with weights, has {} of them per unit, which are no "
                    "part of an image of {}",
                    net.layer_name(layer_), weights.cols(), in.text()));
  tile_bytes_ = static_cast<std::size_t>(3 * tile_.height * tile_.width);
  units_ = weights.rows(), count_ = std::min(units, units_);
}

PictureRecord ReceptiveFields::start() const {
  PictureRecord set;
  set.name = kReceptiveFields, set.is_map = true;
  set.description =
      fmt::format("Incoming weights of {} of the {} units of {}, drawn evenly, {}", count_, units_,
                  net_.layer_name(layer_),
                  tile_.channels == 1 ? "blue below 0 and red above" : "in colour about mid-grey");
  set.height = static_cast<std::size_t>(tile_.height);
  set.width = static_cast<std::size_t>(tile_.width);
  set.channels = 3, set.count = static_cast<std::size_t>(count_);
  return set;
}

void ReceptiveFields::take(const std::string& moment, RunRecord& run) const {
  if (!on()) return;
  Signal weights;
  net_.layer(layer_).incoming(weights);
  const CMat w = std::as_const(weights).value();
  const auto row_of = [&](int image) {
    return w.row(static_cast<int>(static_cast<std::int64_t>(image) * units_ / count_));
  };
  double most = 0;
  for (int i = 0; i < count_; ++i)
    for (int j = 0; j < w.cols; ++j)
      most = std::max(most, std::abs(static_cast<double>(row_of(i)[j])));
  PictureRecord& set = picture_set(run, start());
  for (int i = 0; i < count_; ++i)
    append_map({row_of(i), static_cast<std::size_t>(w.cols)}, tile_.channels, most, set.pixels);
  set.labels.insert(set.labels.end(), set.count, -1);
  set.components.insert(set.components.end(), set.count, -1);
  set.moments.push_back(fmt::format("{}, weights up to {:.3g}", moment, most));
}

}  // namespace engram
