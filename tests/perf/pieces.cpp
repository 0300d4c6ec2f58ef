// What a training step does around its products, piece by piece: minima over many repetitions, in
// microseconds per batch of 128 and nanoseconds per element. Arguments: the number of threads, and
// a part of the names to measure.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>

#include "benchmarks/dataset.h"
#include "models/layers.h"
#include "models/network.h"
#include "utils/parallel.h"

namespace engram {
namespace {

constexpr int kRows = 128;
const char* wanted = "";

void report(const char* name, double elements, const std::function<void()>& body) {
  if (std::strstr(name, wanted) == nullptr) return;
  using Clock = std::chrono::steady_clock;
  double best = 1e30;
  const auto end = Clock::now() + std::chrono::milliseconds(300);
  for (int i = 0; i < 5 || Clock::now() < end; ++i) {
    const auto start = Clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::printf("%-52s %9.1f us %8.3f ns\n", name, best * 1e6, best * 1e9 / elements);
  std::fflush(stdout);
}

Signal normal_signal(int cols, std::uint64_t seed) {
  Signal s;
  Rng rng(seed);
  for (real& v : s.resize(kRows, cols).all())
    v = static_cast<real>(rng.normal());
  return s;
}

/// One layer forward (with observe, as in training) and backward.
void layer(const std::string& name, LayerPtr l, ImageShape in, const Signal& x) {
  std::vector<LayerPtr> layers;
  layers.push_back(std::move(l));
  Network net(in, std::move(layers), Rng(1));
  const Signal dy = normal_signal(in.size(), 2);
  Tape tape;
  Signal dx;
  const Pass pass{.training = true, .rng = Rng(3), .tasks = {}};
  const double elements = static_cast<double>(x.rows()) * x.cols();
  net.evaluate(x, tape, pass);
  report((name + ", forward").c_str(), elements, [&] { net.evaluate(x, tape, pass); });
  report((name + ", observe").c_str(), elements, [&] { net.layer(0).observe(x, tape[0]); });
  report((name + ", backward").c_str(), elements,
         [&] { net.layer(0).backward_input(x, tape[0], dy, dx, pass); });
}

void winners(const char* name, ImageShape in, double percent_on, double boost, bool local) {
  KWinnersOptions o;
  o.percent_on = percent_on, o.boost_strength = boost, o.local = local;
  layer(std::string(name) + (boost > 0 ? ", boosted" : ""), k_winners(o), in,
        normal_signal(in.size(), 1));
}

Signal relu_of(const Signal& x, double shift) {
  Signal y;
  const Mat out = y.resize(x.rows(), x.cols());
  for (std::size_t i = 0; i < out.size(); ++i)
    out.data[i] = std::max(real{0}, x.value().data[i] - static_cast<real>(shift));
  return y;
}

/// The data of the lists of a signal, as if a relu had left it behind.
void record_active(Signal& x) {
  x.active.begin();
  for (int b = 0; b < x.rows(); ++b) {
    for (int i = 0; i < x.cols(); ++i)
      if (x.value().row(b)[i] != 0) x.active.push(i);
    x.active.end_row();
  }
}

void images(const char* name, ImageShape shape, double ink, bool permute) {
  auto set = std::make_shared<Images>();
  set->shape = shape;
  const auto n = static_cast<std::size_t>(shape.size());
  constexpr std::size_t kCount = 20000;
  Rng rng(5);
  set->pixels.resize(kCount * n), set->labels.resize(kCount, 1);
  for (auto& p : set->pixels) {
    const std::uint32_t bits = rng.bits32();
    p = bits % 1000 < ink * 1000 ? static_cast<std::uint8_t>(1 + (bits >> 12) % 255)
                                 : std::uint8_t{0};
  }
  auto rows = std::make_shared<std::vector<std::uint32_t>>(kCount);
  std::iota(rows->begin(), rows->end(), 0u);
  const auto order = rng.permutation(static_cast<std::uint32_t>(n));
  const auto map =
      permute ? PixelMap::permuted(shape, {}, 0, order) : PixelMap::identity(shape, {});
  const ExampleSet examples(set, rows, map, 0);
  const auto places = rng.permutation(kCount);
  Signal x;
  std::vector<int> label(kRows), task(kRows);
  std::size_t at = 0;
  report(name, 1.0 * kRows * shape.size(), [&] {
    examples.gather(std::span(places).subspan(at, kRows), x.resize(kRows, shape.size()), label,
                    task);
    at = (at + kRows) % (kCount - kRows);
  });
}

}  // namespace
}  // namespace engram

int main(int argc, char** argv) {
  using namespace engram;
  if (argc > 2) wanted = argv[2];
  set_threads(argc > 1 ? std::max(1, std::atoi(argv[1])) : 1);
  winners("k-winners 4 of 4000", {1, 1, 4000}, 0.001, 0, false);
  winners("k-winners 4 of 4000", {1, 1, 4000}, 0.001, 1, false);
  winners("k-winners 102 of 2048", {1, 1, 2048}, 0.05, 1, false);
  winners("k-winners 51 of 1024", {1, 1, 1024}, 0.05, 1, false);
  winners("k-winners 3 of 64 at 576 places", {24, 24, 64}, 0.05, 1, true);
  winners("k-winners 6 of 128 at 64 places", {8, 8, 128}, 0.05, 1, true);
  winners("k-winners 32 of 64 at 144 places", {12, 12, 64}, 0.5, 1, true);
  winners("k-winners 461 of 9216 per image", {12, 12, 64}, 0.05, 1, false);
  const Signal x = normal_signal(4000, 1);
  const Signal half = relu_of(x, 0), quarter = relu_of(x, 0.6745);
  layer("relu, half positive", relu(), {1, 1, 4000}, x);
  layer("relu, a quarter positive", relu(), {1, 1, 4000}, [&] {
    Signal shifted = normal_signal(4000, 1);
    for (real& v : shifted.value().all())
      v -= real{0.6745f};
    return shifted;
  }());
  layer("dropout 0.5, dense", dropout(0.5), {1, 1, 4000}, half);
  Signal listed = quarter;
  record_active(listed);
  layer("dropout 0.5, a quarter active", dropout(0.5), {1, 1, 4000}, listed);
  Signal few = relu_of(x, 3.09);
  record_active(few);
  layer("dropout 0.5, a thousandth active", dropout(0.5), {1, 1, 4000}, few);
  images("images 28x28, a fifth ink", {28, 28, 1}, 0.19, false);
  images("images 28x28, a fifth ink, permuted", {28, 28, 1}, 0.19, true);
  images("images 32x32x3, all ink", {32, 32, 3}, 1, false);
}
