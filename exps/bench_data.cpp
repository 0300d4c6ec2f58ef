#include "exps/bench_data.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "utils/rng.h"

namespace engram {
namespace {

constexpr int kTrain = 60'000, kTest = 10'000, kLabels = 10;  // as MNIST
constexpr std::uint32_t kInked = 49;                          // of 256: MNIST has 19.1 % ink

std::vector<Label> cycled_labels(int count) {
  std::vector<Label> labels(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<Label>(i % kLabels);
  return labels;
}

std::shared_ptr<const Images> draw_images(int count, Rng rng) {
  auto out = std::make_shared<Images>();
  out->shape = {28, 28, 1};
  out->labels = cycled_labels(count);
  out->pixels.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(out->shape.size()));
  for (std::size_t i = 0; i + 1 < out->pixels.size(); i += 2) {  // 784 is even
    const std::uint32_t bits = rng.bits32();
    const auto pixel = [](std::uint32_t half) {
      return static_cast<std::uint8_t>(half % 256 < kInked ? std::max(1u, half / 256) : 0);
    };
    out->pixels[i] = pixel(bits % 65536), out->pixels[i + 1] = pixel(bits / 65536);
  }
  return out;
}

}  // namespace

Dataset generated_images(int train, int test) {
  Dataset out;
  out.name = "generated", out.classes = kLabels;
  out.train = draw_images(train, Rng(1).fork("bench train"));
  out.test = draw_images(test, Rng(1).fork("bench test"));
  return out;
}

BenchData load_bench_data(const DataSearch& search) {
  const DatasetEntry& mnist = dataset_entry("mnist");
  if (const auto found = find_dataset(mnist, search))
    return {load_dataset(mnist, search), fmt::format("mnist in {}", found->folder.string())};
  return {generated_images(kTrain, kTest), "generated images, 81 % zeros (there is no mnist)"};
}

Dataset blank_examples(int inputs, int examples) {
  auto images = std::make_shared<Images>();
  images->shape = {1, inputs, 1};
  images->labels = cycled_labels(examples);
  images->pixels.resize(static_cast<std::size_t>(examples) * static_cast<std::size_t>(inputs));
  Dataset out;
  out.name = "blank", out.classes = kLabels;
  out.train = out.test = std::move(images);
  return out;
}

std::vector<Signal> winner_signals(int signals, int rows, int units, int winners) {
  std::vector<Signal> out(static_cast<std::size_t>(signals));
  Rng rng = Rng(1).fork("bench winners");
  std::vector<std::int32_t> all(static_cast<std::size_t>(units));
  std::iota(all.begin(), all.end(), 0);
  for (Signal& signal : out) {
    const Mat x = signal.resize(rows, units);
    std::fill(x.data, x.data + x.size(), real{0});
    signal.active.begin();
    for (int i = 0; i < rows; ++i) {
      rng.shuffle(std::span(all));
      std::vector<std::int32_t> chosen(all.begin(), all.begin() + winners);
      std::sort(chosen.begin(), chosen.end());
      for (const std::int32_t unit : chosen) {
        x.row(i)[unit] = static_cast<real>(rng.uniform(0.5, 1.5));
        signal.active.push(unit);
      }
      signal.active.end_row();
    }
  }
  return out;
}

}  // namespace engram
