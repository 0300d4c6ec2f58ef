// The bookkeeping of example sets.
#include "benchmarks/dataset.h"

#include <algorithm>
#include <set>

#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {

std::shared_ptr<const ImageSource> ImageSource::reduced(int) const {
  throw Error(Fault::Config, "image_scale is for sets with attributes; scale the files");
}

ImageShape reduced_shape(const ImageShape& full, int scale) {
  return {(full.height + scale - 1) / scale, (full.width + scale - 1) / scale, full.channels};
}

ExampleSet::ExampleSet(std::shared_ptr<const Images> images,
                       std::shared_ptr<const std::vector<std::uint32_t>> rows,
                       std::shared_ptr<const PixelMap> map, int task, int view)
    : size_(rows->size()) {
  ENGRAM_INVARIANT(images->shape == map->in());
  for (const std::uint32_t row : *rows)
    ENGRAM_INVARIANT(row < images->size());
  const auto& labels = view < 0 ? images->labels : images->views.at(static_cast<std::size_t>(view));
  ENGRAM_INVARIANT(labels.size() == images->size());
  std::shared_ptr<const std::vector<Label>> shared(images, &labels);
  parts_.push_back(
      {std::move(images), std::move(rows), std::move(map), std::move(shared), task, 0});
}

std::vector<int> ExampleSet::tasks() const {
  std::set<int> tasks;
  for (const Part& part : parts_)
    tasks.insert(part.task);
  return {tasks.begin(), tasks.end()};
}

std::size_t ExampleSet::views() const {
  if (order_) return 0;
  for (const Part& part : parts_) {
    const Part& first = parts_.front();
    const bool same = part.images == first.images && part.map == first.map &&
                      (part.rows == first.rows || *part.rows == *first.rows);
    if (!same) return 0;
  }
  return parts_.size();
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

ExampleSet::Pick ExampleSet::checked_pick(std::size_t place) const {
  ENGRAM_INVARIANT(place < size_);
  return pick(place);
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
                        std::span<int> task, ActiveSet* active) const {
  ENGRAM_INVARIANT(static_cast<std::size_t>(x.rows) == places.size() &&
                   (places.empty() || x.cols == shape().size()));
  ENGRAM_INVARIANT(label.empty() || label.size() == places.size());
  ENGRAM_INVARIANT(task.empty() || task.size() == places.size());
  const auto fill = [&](int begin, int end, bool listed) {
    thread_local std::vector<std::uint8_t> decoded;  // of the image `held`, if there is one
    Pick held{};
    bool holds = false;
    const auto image_of = [&](const Pick& p) -> std::span<const std::uint8_t> {
      const Images& images = *parts_[p.part].images;
      if (!images.source) return images.image(p.row);
      const bool same = holds && held.row == p.row && parts_[held.part].images.get() == &images;
      held = p, holds = true;
      if (same) return decoded;  // several tasks ask about it
      decoded.resize(static_cast<std::size_t>(images.shape.size()));
      images.source->read(p.row, decoded);
      return decoded;
    };
    Pick next = begin < end ? checked_pick(places[static_cast<std::size_t>(begin)]) : Pick{};
    for (int i = begin; i < end; ++i) {
      const Pick pick = next;
      const Part& part = parts_[pick.part];
      if (i + 1 < end) {  // shuffled examples are seldom in the cache
        next = checked_pick(places[static_cast<std::size_t>(i) + 1]);
        const Images& images = *parts_[next.part].images;
        const auto image = images.source ? std::span<const std::uint8_t>{} : images.image(next.row);
        for (std::size_t p = 0; p < image.size(); p += 64)
          __builtin_prefetch(image.data() + p);
      }
      const auto image = image_of(pick);
      if (listed)
        active->set_count(i, part.map->apply(image, x.row(i), active->slots(i)));
      else
        part.map->apply(image, x.row(i));
      if (!label.empty()) label[static_cast<std::size_t>(i)] = (*part.labels)[pick.row];
      if (!task.empty()) task[static_cast<std::size_t>(i)] = part.task;
    }
  };
  // Lists are begun with some rows; the others follow if those had few values that are not zero.
  const auto few = [&](int rows) {
    return static_cast<double>(active->total()) <= kListedShare * rows * x.cols;
  };
  int begun = 0;
  bool listed = false;
  if (active != nullptr && x.rows > 0) {
    active->begin(x.rows, x.cols);
    begun = std::max(1, x.rows / 16);
    fill(0, begun, true);
    listed = few(begun);
  }
  constexpr int kTile = 16;
  parallel_for((x.rows - begun + kTile - 1) / kTile, [&](int tile) {
    const int begin = begun + tile * kTile;
    fill(begin, std::min(x.rows, begin + kTile), listed);
  });
  if (active != nullptr && !(listed && few(x.rows))) active->forget();
}

int ExampleSet::label(std::size_t place) const {
  ENGRAM_INVARIANT(place < size_);
  const auto [which, row] = pick(place);
  return (*parts_[which].labels)[row];
}

int ExampleSet::task(std::size_t place) const {
  ENGRAM_INVARIANT(place < size_);
  return parts_[pick(place).part].task;
}

}  // namespace engram
