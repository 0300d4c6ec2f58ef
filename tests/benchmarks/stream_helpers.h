// What the tests of streams share: options, a data set of images that are all different, and what
// an example set holds.
#pragma once

#include <tuple>
#include <vector>

#include "benchmarks/stream_table.h"
#include "tests/benchmarks/helpers.h"

namespace engram {

constexpr std::uint64_t kSeed = 42;

inline StreamOptions options(StreamKind kind, int tasks) {
  StreamOptions o;
  o.stream = kind;
  o.tasks = tasks;
  return o;
}

/// Every example as (its pixels, its label, its task), in order.
using Content = std::vector<std::tuple<std::vector<real>, int, int>>;
inline Content content(const ExampleSet& set) {
  const int n = set.shape().size();
  std::vector<std::uint32_t> places(set.size());
  for (std::size_t i = 0; i < places.size(); ++i)
    places[i] = static_cast<std::uint32_t>(i);
  std::vector<real> x(places.size() * static_cast<std::size_t>(n));
  std::vector<int> label(places.size()), task(places.size());
  set.gather(places, Mat(x.data(), static_cast<int>(places.size()), n), label, task);
  Content out;
  for (std::size_t i = 0; i < places.size(); ++i)
    out.emplace_back(std::vector<real>(x.begin() + static_cast<std::ptrdiff_t>(i) * n,
                                       x.begin() + static_cast<std::ptrdiff_t>(i + 1) * n),
                     label[i], task[i]);
  return out;
}

inline std::vector<int> labels(const ExampleSet& set) {
  std::vector<int> out;
  for (std::size_t i = 0; i < set.size(); ++i)
    out.push_back(set.label(i));
  return out;
}

/// A data set whose images are all different: image i holds i in its first two pixels.
inline Dataset numbered_dataset(int classes = 10) {
  Dataset data = tiny_dataset(classes);
  for (auto* set : {&data.train, &data.test}) {
    auto images = std::make_shared<Images>(**set);
    for (std::size_t i = 0; i < images->size(); ++i) {
      images->pixels[i * 16] = static_cast<std::uint8_t>(i % 256);
      images->pixels[i * 16 + 1] = static_cast<std::uint8_t>(i / 256);
    }
    *set = images;
  }
  return data;
}

}  // namespace engram
