#include "exps/looks/attributions.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/evaluator.h"
#include "exps/looks/pictures.h"
#include "learners/gather_images.h"
#include "models/walk_down.h"
#include "utils/error.h"

namespace engram {
namespace {

/// Where patches begin along a side.
std::vector<int> starts(int side, const OcclusionWindow& window) {
  std::vector<int> all;
  for (int at = 0; at + window.patch < side; at += window.stride)
    all.push_back(at);
  all.push_back(side - window.patch);
  return all;
}

struct Patch {
  int y, x;
};
std::vector<Patch> patches(const ImageShape& shape, const OcclusionWindow& window) {
  std::vector<Patch> all;
  for (const int y : starts(shape.height, window))
    for (const int x : starts(shape.width, window))
      all.push_back({y, x});
  return all;
}

template <class Visit>
void for_pixels(const Patch& patch, int side, int width, Visit visit) {
  for (int y = patch.y; y < patch.y + side; ++y)
    for (int x = patch.x; x < patch.x + side; ++x)
      visit(y * width + x);
}

/// Margins of the target for every row of x.
std::vector<double> margins(const Network& net, const Signal& x, const Explained& what, int target,
                            Tape& tape) {
  const std::vector<int> tasks(static_cast<std::size_t>(x.rows()), what.task);
  net.evaluate(x, tape, {.training = false, .tasks = tasks, .outputs = what.mask});
  const CMat logits = std::as_const(tape.back().out).value();
  std::vector<double> out;
  for (int b = 0; b < logits.rows; ++b)
    out.push_back(
        target_margin({logits.row(b), static_cast<std::size_t>(logits.cols)}, target, what.mask));
  return out;
}

double largest(CMat values) {
  double most = 0;
  for (const real v : values.all())
    most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}

/// Input values as bytes: the least of all images is black, the greatest full.
void append_image(std::span<const real> image, int channels, std::span<const real> all,
                  std::vector<std::uint8_t>& pixels) {
  const auto [low, high] = std::ranges::minmax(all);
  const double span = static_cast<double>(high) - static_cast<double>(low);
  for (const real v : image) {
    const double share = span > 0 ? (static_cast<double>(v) - static_cast<double>(low)) / span : 0;
    pixels.insert(pixels.end(), channels == 1 ? 3 : 1,
                  static_cast<std::uint8_t>(std::lround(255 * share)));
  }
}

}  // namespace

double target_margin(std::span<const real> logits, int target, std::span<const std::uint8_t> mask) {
  if (logits.size() == 1) return static_cast<double>(target == 1 ? logits[0] : -logits[0]);
  double others = 0, count = 0;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    if (static_cast<int>(c) == target || (!mask.empty() && mask[c] == 0)) continue;
    others += static_cast<double>(logits[c]), count += 1;
  }
  return static_cast<double>(logits[static_cast<std::size_t>(target)]) -
         (count > 0 ? others / count : 0);
}

void occlusion_maps(const Network& net, const Explained& what, const OcclusionWindow& window,
                    Signal& maps) {
  const ImageShape& shape = net.in();
  const int pixels = shape.height * shape.width, channels = shape.channels;
  const std::vector<Patch> all = patches(shape, window);
  const int n = what.images.rows, step = rows_at_once(net);
  const Mat out = maps.resize(n, pixels);
  Signal x;
  Tape tape;
  for (int i = 0; i < n; ++i) {
    const int target = what.target[static_cast<std::size_t>(i)];
    const real* image = what.images.row(i);
    std::copy_n(image, shape.size(), x.resize(1, shape.size()).data);
    const double whole = margins(net, x, what, target, tape)[0];
    std::vector<double> sum(static_cast<std::size_t>(pixels)), count(sum.size());
    for (std::size_t first = 0; first < all.size(); first += static_cast<std::size_t>(step)) {
      const std::size_t rows = std::min(all.size() - first, static_cast<std::size_t>(step));
      const Mat hidden = x.resize(static_cast<int>(rows), shape.size());
      for (std::size_t p = 0; p < rows; ++p) {
        real* row = hidden.row(static_cast<int>(p));
        std::copy_n(image, shape.size(), row);
        for_pixels(all[first + p], window.patch, shape.width,
                   [&](int pixel) { std::fill_n(row + pixel * channels, channels, real{0}); });
      }
      const std::vector<double> left = margins(net, x, what, target, tape);
      for (std::size_t p = 0; p < rows; ++p)
        for_pixels(all[first + p], window.patch, shape.width, [&](int pixel) {
          sum[static_cast<std::size_t>(pixel)] += whole - left[p];
          count[static_cast<std::size_t>(pixel)] += 1;
        });
    }
    for (std::size_t p = 0; p < sum.size(); ++p)
      out.row(i)[p] = static_cast<real>(count[p] > 0 ? sum[p] / count[p] : 0);
  }
}

bool is_differentiable(const Network& net) {
  for (int l = 0; l < net.depth(); ++l)
    if (!net.layer(l).differentiable()) return false;
  return true;
}

void gradient_times_input(const Network& net, const Explained& what, Signal& maps) {
  ENGRAM_INVARIANT(is_differentiable(net));
  const int n = what.images.rows, inputs = net.in().size(), channels = net.in().channels;
  Signal x, top, below;
  std::copy_n(what.images.data, what.images.size(), x.resize(n, inputs).data);
  Tape tape;
  const std::vector<int> tasks(static_cast<std::size_t>(n), what.task);
  const Pass pass{.training = false, .tasks = tasks};
  net.evaluate(x, tape, pass);
  const Mat error = top.resize(n, net.outputs());
  std::fill_n(error.data, error.size(), real{0});
  for (int i = 0; i < n; ++i) {
    const int target = what.target[static_cast<std::size_t>(i)];
    if (error.cols == 1)
      error.row(i)[0] = target == 1 ? real{1} : real{-1};
    else
      error.row(i)[target] = 1;
  }
  std::vector<double> gradient(what.images.size());
  const auto send = [&](int l, const Signal& above, Signal& to) {
    return net.layer(l).backward_input(input_of(net, l, x, tape), tape[static_cast<std::size_t>(l)],
                                       above, to, pass);
  };
  WalkDown walk;
  walk.run(
      net, top,
      [&](int l, const Signal& above) {
        if (net.source(l) >= 0) return;  // what reads the input is not walked through
        send(l, above, below);
        const CMat part = std::as_const(below).value();
        for (std::size_t k = 0; k < gradient.size(); ++k)
          gradient[k] += static_cast<double>(part.data[k]);
      },
      send,
      [&](int l, const Signal& above, std::span<Signal> past) {
        return net.layer(l).backward_past(input_of(net, l, x, tape),
                                          tape[static_cast<std::size_t>(l)], above, past, pass);
      });
  const Mat out = maps.resize(n, inputs / channels);
  std::fill_n(out.data, out.size(), real{0});
  for (std::size_t k = 0; k < gradient.size(); ++k)
    out.data[k / static_cast<std::size_t>(channels)] +=
        static_cast<real>(gradient[k] * static_cast<double>(what.images.data[k]));
}

Attributions::Attributions(const Network& net, const Targets& targets, const TaskStream& stream,
                           const EvaluationOptions& options)
    : net_(net), targets_(targets), stream_(stream), o_(options) {
  if (!on()) return;
  const ImageShape& in = net.in();
  if (in.flat() || (in.channels != 1 && in.channels != 3))
    throw Error(Fault::Config,
                fmt::format("attributions are of images of 1 or 3 channels, but the network reads "
                            "{}; use attributions = 0",
                            in.text()));
  if (o_.occlusion_patch > std::min(in.height, in.width))
    throw Error(Fault::Config, fmt::format("occlusion_patch = {} does not fit into {} pixels",
                                           o_.occlusion_patch, in.text()));
  if (o_.occlusion_stride > o_.occlusion_patch)
    throw Error(Fault::Config,
                fmt::format("occlusion_stride = {} is more than occlusion_patch = {}: pixels "
                            "between two patches would never be hidden",
                            o_.occlusion_stride, o_.occlusion_patch));
}

PictureRecord Attributions::start(std::size_t images) const {
  const bool gradient = is_differentiable(net_);
  const std::size_t parts = gradient ? 3 : 2;
  PictureRecord set;
  set.name = kAttributionMaps, set.is_map = true;
  set.description = fmt::format(
      "Test images of {}, and which pixels speak for the right output: beside every image how far "
      "its logit falls against the mean of the others when a patch of {}x{} is hidden{}; red "
      "speaks for it, blue against it",
      stream_.task_name(0), o_.occlusion_patch, o_.occlusion_patch,
      gradient ? ", then gradient times input" : "");
  set.height = static_cast<std::size_t>(net_.in().height);
  set.width = static_cast<std::size_t>(net_.in().width);
  set.channels = 3, set.count = parts * images;
  const double across = std::sqrt(static_cast<double>(images) / static_cast<double>(parts));
  set.columns = std::min(set.count, parts * static_cast<std::size_t>(std::ceil(across)));
  return set;
}

void Attributions::take(const Moment& m, RunRecord& run) const {
  if (!on() || m.row == 0) return;
  const ExampleSet tests = o_.evaluate_validation ? stream_.validation(0) : stream_.test(0);
  // The first examples of every class, a class after the other.
  const std::vector<int> classes = stream_.classes(0);
  std::vector<std::uint32_t> places;
  std::vector<std::vector<std::uint32_t>> of(classes.size());
  for (std::uint32_t i = 0; i < tests.size(); ++i) {
    const auto at = std::ranges::find(classes, tests.label(i)) - classes.begin();
    of.at(static_cast<std::size_t>(at)).push_back(i);
  }
  const auto wanted = std::min(tests.size(), static_cast<std::size_t>(o_.attributions));
  for (std::size_t k = 0; places.size() < wanted; ++k)
    for (const auto& some : of)
      if (k < some.size() && places.size() < wanted) places.push_back(some[k]);
  if (places.empty()) return;

  Signal images, occlusion, gradient;
  gather_images(tests, places, images);
  const CMat x = std::as_const(images).value();
  std::vector<int> target;
  for (const std::uint32_t place : places)
    target.push_back(targets_.target(0, tests.label(place)));
  const Explained what{x, target, 0, targets_.test_mask(0, m.seen)};
  occlusion_maps(net_, what, {o_.occlusion_patch, o_.occlusion_stride}, occlusion);
  std::vector<const Signal*> maps{&occlusion};
  if (is_differentiable(net_)) {
    gradient_times_input(net_, what, gradient);
    maps.push_back(&gradient);
  }

  PictureRecord& set = picture_set(run, start(places.size()));
  std::vector<double> most;
  for (const Signal* map : maps)
    most.push_back(largest(map->value()));
  for (int i = 0; i < x.rows; ++i) {
    append_image({x.row(i), static_cast<std::size_t>(x.cols)}, net_.in().channels, x.all(),
                 set.pixels);
    for (std::size_t k = 0; k < maps.size(); ++k) {
      const CMat map = maps[k]->value();
      append_map({map.row(i), static_cast<std::size_t>(map.cols)}, 1, most[k], set.pixels);
    }
    set.labels.insert(set.labels.end(), 1 + maps.size(), target[static_cast<std::size_t>(i)]);
  }
  set.components.insert(set.components.end(), set.count, -1);
  std::string name = fmt::format("{}, occlusion up to {:.3g}", name_of_moment(stream_, m), most[0]);
  if (maps.size() > 1) name += fmt::format(", gradient times input up to {:.3g}", most[1]);
  set.moments.push_back(std::move(name));
}

}  // namespace engram
