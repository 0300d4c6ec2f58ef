// Bytes to network input: table look-ups and four-tap sums.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "benchmarks/dataset.h"
#include "utils/elementwise.h"
#include "utils/error.h"

namespace engram {

PixelMap::PixelMap(ImageShape in, const PixelScale& scale, int pad)
    : in_(in), out_{in.height + 2 * pad, in.width + 2 * pad, in.channels}, pad_(pad) {
  ENGRAM_INVARIANT(in.height > 0 && in.width > 0 && in.channels > 0 && in.channels <= 4);
  ENGRAM_INVARIANT(pad >= 0);
  for (std::size_t c = 0; c < static_cast<std::size_t>(in.channels); ++c)
    for (int byte = 0; byte < 256; ++byte)
      scaled_.push_back(static_cast<real>((byte / 255.0 - scale.mean[c]) / scale.deviation[c]));
  background_.resize(static_cast<std::size_t>(out_.size()));
  for (std::size_t p = 0; p < background_.size(); ++p)
    background_[p] = scaled_[256 * (p % static_cast<std::size_t>(in.channels))];
}

/// Output pixel p = pixel padded_source[p] of the padded image.
void PixelMap::set_sources(std::span<const std::uint32_t> padded_source) {
  const auto n = static_cast<std::size_t>(out_.size());
  ENGRAM_INVARIANT(padded_source.size() == n);
  std::vector<bool> taken(n);
  source_.resize(n);
  table_.resize(n);
  target_.resize(static_cast<std::size_t>(in_.size()));
  for (std::size_t p = 0; p < n; ++p) {
    ENGRAM_INVARIANT(padded_source[p] < n && !taken[padded_source[p]]);
    taken[padded_source[p]] = true;
    const int at = static_cast<int>(padded_source[p]);
    const int c = at % out_.channels;
    const int x = at / out_.channels % out_.width - pad_;
    const int y = at / out_.channels / out_.width - pad_;
    const bool inside = x >= 0 && x < in_.width && y >= 0 && y < in_.height;
    source_[p] = inside ? (y * in_.width + x) * in_.channels + c : -1;
    table_[p] = static_cast<std::uint16_t>(256 * c);
    if (inside) target_[static_cast<std::size_t>(source_[p])] = static_cast<std::int32_t>(p);
  }
  kind_ = pad_ > 0 ? Kind::Padded : Kind::Moved;
}

std::shared_ptr<const PixelMap> PixelMap::identity(ImageShape in, const PixelScale& scale,
                                                   int pad) {
  std::shared_ptr<PixelMap> map(new PixelMap(in, scale, pad));
  if (pad > 0) {
    std::vector<std::uint32_t> same(static_cast<std::size_t>(map->out_.size()));
    std::iota(same.begin(), same.end(), 0u);
    map->set_sources(same);
  }
  return map;
}

std::shared_ptr<const PixelMap> PixelMap::permuted(ImageShape in, const PixelScale& scale, int pad,
                                                   std::span<const std::uint32_t> source) {
  std::shared_ptr<PixelMap> map(new PixelMap(in, scale, pad));
  map->set_sources(source);
  return map;
}

std::shared_ptr<const PixelMap> PixelMap::rotated(ImageShape in, const PixelScale& scale, int pad,
                                                  double degrees) {
  std::shared_ptr<PixelMap> map(new PixelMap(in, scale, pad));
  map->kind_ = Kind::Rotated;
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const auto snapped = [](double v) {  // quarter turns hit pixels exactly in spite of rounding
    return std::abs(v - std::round(v)) < 1e-9 ? std::round(v) : v;
  };
  const ImageShape& out = map->out_;
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      const double dx = x - (out.width - 1) / 2.0, dy = y - (out.height - 1) / 2.0;
      const double sx = snapped((in.width - 1) / 2.0 + dx * cosine - dy * sine);
      const double sy = snapped((in.height - 1) / 2.0 + dx * sine + dy * cosine);
      const int left = static_cast<int>(std::floor(sx)), top = static_cast<int>(std::floor(sy));
      for (int c = 0; c < in.channels; ++c) {
        Taps taps;
        for (int k = 0; k < 4; ++k) {
          const int tx = left + k % 2, ty = top + k / 2;
          if (tx < 0 || tx >= in.width || ty < 0 || ty >= in.height) continue;
          const auto slot = static_cast<std::size_t>(k);
          taps.source[slot] = (ty * in.width + tx) * in.channels + c;
          taps.weight[slot] = static_cast<float>((1 - std::abs(sx - tx)) * (1 - std::abs(sy - ty)));
        }
        map->taps_.push_back(taps);
      }
    }
  }
  return map;
}

/// Grey images are mostly background: it is copied, and only the ink is looked up.
int PixelMap::apply_ink(std::span<const std::uint8_t> image, real* out, std::int32_t* ink) const {
  const int count = kernels::list_nonzero(image, ink);
  std::copy(background_.begin(), background_.end(), out);
  if (kind_ == Kind::Plain)
    for (int j = 0; j < count; ++j)
      out[ink[j]] = scaled_[image[static_cast<std::size_t>(ink[j])]];
  else
    for (int j = 0; j < count; ++j)
      out[target_[static_cast<std::size_t>(ink[j])]] =
          scaled_[image[static_cast<std::size_t>(ink[j])]];
  return count;
}

int PixelMap::apply(std::span<const std::uint8_t> image, real* out, std::int32_t* units) const {
  const bool ink_is_list = kind_ == Kind::Plain && in_.channels == 1 && scaled_[0] == 0;
  if (ink_is_list) return apply_ink(image, out, units);
  apply(image, out);
  return kernels::list_nonzero({out, static_cast<std::size_t>(out_.size())}, units);
}

void PixelMap::apply(std::span<const std::uint8_t> image, real* out) const {
  const std::size_t n = static_cast<std::size_t>(out_.size());
  const std::size_t channels = static_cast<std::size_t>(in_.channels);
  const std::uint8_t* bytes = image.data();
  const real* scaled = scaled_.data();
  if (channels == 1 && kind_ != Kind::Rotated) {
    thread_local std::vector<std::int32_t> ink;
    ink.resize(std::max(ink.size(), image.size() + kernels::kListSlack));
    apply_ink(image, out, ink.data());
    return;
  }
  switch (kind_) {
    case Kind::Plain:
      for (std::size_t p = 0; p < n; p += channels)
        for (std::size_t c = 0; c < channels; ++c)
          out[p + c] = scaled[256 * c + bytes[p + c]];
      break;
    case Kind::Moved:
      for (std::size_t p = 0; p < n; ++p)
        out[p] = scaled[table_[p] + bytes[source_[p]]];
      break;
    case Kind::Padded:
      for (std::size_t p = 0; p < n; ++p)
        out[p] = scaled[table_[p] + (source_[p] < 0 ? 0 : bytes[source_[p]])];
      break;
    case Kind::Rotated:
      for (std::size_t p = 0, c = 0; p < n; ++p, c = c + 1 == channels ? 0 : c + 1) {
        const auto& [source, weight] = taps_[p];
        float byte = 0;
        for (std::size_t k = 0; k < 4; ++k)
          byte += weight[k] * bytes[source[k]];
        const real* table = scaled + 256 * c;  // linear, so its two ends give slope and offset
        out[p] = table[0] + static_cast<real>(byte) * (table[255] - table[0]) / 255;
      }
      break;
  }
}

}  // namespace engram
