// Bytes to network input: table look-ups and four-tap sums, and the bookkeeping of example sets.
#include "benchmarks/dataset.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

#include "utils/error.h"

namespace engram {

PixelMap::PixelMap(ImageShape in, const PixelScale& scale, int pad)
    : in_(in), out_{in.height + 2 * pad, in.width + 2 * pad, in.channels}, pad_(pad) {
  ENGRAM_INVARIANT(in.height > 0 && in.width > 0 && in.channels > 0 && in.channels <= 4);
  ENGRAM_INVARIANT(pad >= 0);
  for (std::size_t c = 0; c < static_cast<std::size_t>(in.channels); ++c)
    for (int byte = 0; byte < 256; ++byte)
      scaled_.push_back(static_cast<real>((byte / 255.0 - scale.mean[c]) / scale.deviation[c]));
}

/// Output pixel p = pixel padded_source[p] of the padded image.
void PixelMap::set_sources(std::span<const std::uint32_t> padded_source) {
  const auto n = static_cast<std::size_t>(out_.size());
  ENGRAM_INVARIANT(padded_source.size() == n);
  std::vector<bool> taken(n);
  source_.resize(n);
  table_.resize(n);
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

void PixelMap::apply(std::span<const std::uint8_t> image, real* out) const {
  const std::size_t n = static_cast<std::size_t>(out_.size());
  const std::size_t channels = static_cast<std::size_t>(in_.channels);
  const std::uint8_t* bytes = image.data();
  const real* scaled = scaled_.data();
  switch (kind_) {
    case Kind::Plain:
      if (channels == 1)
        for (std::size_t p = 0; p < n; ++p)
          out[p] = scaled[bytes[p]];
      else
        for (std::size_t p = 0; p < n; p += channels)
          for (std::size_t c = 0; c < channels; ++c)
            out[p + c] = scaled[256 * c + bytes[p + c]];
      break;
    case Kind::Moved:
      if (channels == 1)
        for (std::size_t p = 0; p < n; ++p)
          out[p] = scaled[bytes[source_[p]]];
      else
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

ExampleSet::ExampleSet(std::shared_ptr<const Images> images,
                       std::shared_ptr<const std::vector<std::uint32_t>> rows,
                       std::shared_ptr<const PixelMap> map, int task)
    : size_(rows->size()) {
  ENGRAM_INVARIANT(images->shape == map->in());
  for (const std::uint32_t row : *rows)
    ENGRAM_INVARIANT(row < images->size());
  parts_.push_back({std::move(images), std::move(rows), std::move(map), task, 0});
}

std::vector<int> ExampleSet::tasks() const {
  std::set<int> tasks;
  for (const Part& part : parts_)
    tasks.insert(part.task);
  return {tasks.begin(), tasks.end()};
}

ImageShape ExampleSet::shape() const {
  return parts_.empty() ? ImageShape{} : parts_[0].map->out();
}

ExampleSet::Pick ExampleSet::pick(std::size_t place) const {
  if (order_) return (*order_)[place];
  std::size_t part = parts_.size() - 1;
  if (part > 0) {
    const auto after = std::upper_bound(parts_.begin(), parts_.end(), place,
                                        [](std::size_t p, const Part& x) { return p < x.begin; });
    part = static_cast<std::size_t>(after - parts_.begin()) - 1;
  }
  const std::size_t at = place - parts_[part].begin;
  return {static_cast<std::uint32_t>(part), (*parts_[part].rows)[at]};
}

std::vector<ExampleSet::Pick> ExampleSet::picks() const {
  std::vector<Pick> all(size_);
  for (std::size_t i = 0; i < size_; ++i)
    all[i] = pick(i);
  return all;
}

void ExampleSet::append(const ExampleSet& other) {
  if (other.empty()) return;
  if (empty()) {
    *this = other;
    return;
  }
  ENGRAM_INVARIANT(shape() == other.shape());
  std::vector<Pick> merged;
  if (order_ || other.order_) {
    merged = picks();
    for (Pick p : other.picks()) {
      p.part += static_cast<std::uint32_t>(parts_.size());
      merged.push_back(p);
    }
  }
  const std::vector<Part> others = other.parts_;  // a copy: `other` may be this very set
  for (Part part : others) {
    part.begin += size_;
    parts_.push_back(std::move(part));
  }
  size_ += other.size_;
  if (!merged.empty()) {
    size_ = merged.size();
    order_ = std::make_shared<const std::vector<Pick>>(std::move(merged));
  }
}

ExampleSet ExampleSet::subset(std::span<const std::uint32_t> places) const {
  ExampleSet out;
  if (parts_.empty()) {
    ENGRAM_INVARIANT(places.empty());
    return out;
  }
  std::vector<Pick> chosen;
  chosen.reserve(places.size());
  bool one_part = true;
  for (const std::uint32_t place : places) {
    ENGRAM_INVARIANT(place < size_);
    chosen.push_back(pick(place));
    one_part = one_part && chosen.back().part == chosen.front().part;
  }
  out.size_ = chosen.size();
  if (!one_part) {
    std::vector<std::uint32_t> new_place(parts_.size(), 0);  // parts without an example are dropped
    for (const Pick& p : chosen)
      new_place[p.part] = 1;
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      if (new_place[k] == 0) continue;
      new_place[k] = static_cast<std::uint32_t>(out.parts_.size());
      out.parts_.push_back(parts_[k]);
    }
    for (Pick& p : chosen)
      p.part = new_place[p.part];
    out.order_ = std::make_shared<const std::vector<Pick>>(std::move(chosen));
    return out;
  }
  std::vector<std::uint32_t> rows;
  rows.reserve(chosen.size());
  for (const Pick& p : chosen)
    rows.push_back(p.row);
  Part part = parts_[chosen.empty() ? 0 : chosen.front().part];
  part.rows = std::make_shared<const std::vector<std::uint32_t>>(std::move(rows));
  part.begin = 0;
  out.parts_.push_back(std::move(part));
  return out;
}

void ExampleSet::gather(std::span<const std::uint32_t> places, Mat x, std::span<int> label,
                        std::span<int> task) const {
  ENGRAM_INVARIANT(static_cast<std::size_t>(x.rows) == places.size() &&
                   (places.empty() || x.cols == shape().size()));
  ENGRAM_INVARIANT(label.empty() || label.size() == places.size());
  ENGRAM_INVARIANT(task.empty() || task.size() == places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    ENGRAM_INVARIANT(places[i] < size_);
    const auto [which, row] = pick(places[i]);
    const Part& part = parts_[which];
    part.map->apply(part.images->image(row), x.row(static_cast<int>(i)));
    if (!label.empty()) label[i] = part.images->labels[row];
    if (!task.empty()) task[i] = part.task;
  }
}

int ExampleSet::label(std::size_t place) const {
  ENGRAM_INVARIANT(place < size_);
  const auto [which, row] = pick(place);
  return parts_[which].images->labels[row];
}

int ExampleSet::task(std::size_t place) const {
  ENGRAM_INVARIANT(place < size_);
  return parts_[pick(place).part].task;
}

}  // namespace engram
