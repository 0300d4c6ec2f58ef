#include "exps/portrait.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "exps/looks/pictures.h"
#include "learners/gather_images.h"
#include "learners/image_prior.h"
#include "learners/loss.h"
#include "utils/principal_components.h"

namespace engram {
namespace {

void append_bytes(CMat images, std::vector<std::uint8_t>& pixels) {
  for (const real v : images.all())
    pixels.push_back(
        static_cast<std::uint8_t>(std::lround(255 * std::clamp(static_cast<double>(v), 0., 1.))));
}

}  // namespace

Portrait::Portrait(const Network& net, const Targets& targets, const TaskStream& stream,
                   const EvaluationOptions& options, Rng rng)
    : net_(net),
      targets_(targets),
      stream_(stream),
      model_(find_layer<ImageModel>(net)),
      o_(options),
      rng_(rng) {
  if (model_ && (!model_->generates() || o_.pictures == 0)) model_ = nullptr;
}

PictureRecord Portrait::start(const char* name, std::string description) const {
  PictureRecord set;
  set.name = name, set.description = std::move(description);
  const ImageShape shape = stream_.shape();
  set.height = static_cast<std::size_t>(shape.height);
  set.width = static_cast<std::size_t>(shape.width);
  set.channels = static_cast<std::size_t>(shape.channels);
  return set;
}

void Portrait::take(const Moment& m, const Experience& experience, RunRecord& run) const {
  if (!model_) return;
  if (m.row == 0) {
    run.pictures.push_back(start(
        "samples",
        fmt::format("Painted from a mixture of {} Gaussians over the codes of the phase's training "
                    "images, ordered by component; labels by the network itself",
                    o_.mixture_components)));
    run.pictures.push_back(
        start("reconstructions",
              "Test images of all tasks, and what the network makes of them by way of "
              "its second level; error: squared, summed over pixels, mean"));
  }
  ENGRAM_INVARIANT(run.pictures.size() >= 2);  // others may follow
  const std::string moment = name_of_moment(stream_, m);
  paint(m, experience, run.pictures[0], moment);
  rebuild(run.pictures[1], moment);
  if (m.last) embed(run);
}

void Portrait::paint(const Moment& m, const Experience& experience, PictureRecord& set,
                     const std::string& moment) const {
  const Rng rng = rng_.fork("samples", static_cast<std::uint64_t>(m.row));
  Signal images;
  const auto places = some_places(experience.train.size(), o_.mixture_codes, rng.fork("codes"));
  gather_images(experience.train, places, images);
  const auto codes = codes_of(*model_, images.value());
  const int components = std::min(o_.mixture_components, static_cast<int>(codes.shape(0)));
  const GaussianMixture prior = fit_mixture(codes, {.components = components}, rng.fork("mixture"));
  std::vector<int> from;
  const int count = o_.pictures;
  images.resize(count, net_.in().size());
  paint_images(*model_, prior, count, rng.fork("draws"), images, &from);

  images.densify();
  Tape tape;
  const auto seen = targets_.test_mask(experience.index, std::max(m.seen, 1));
  net_.evaluate(images, tape, {.outputs = seen});
  const CMat scores = std::as_const(tape.back().out).value();
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int i) { return from[static_cast<std::size_t>(i)]; });
  for (const int i : order) {
    append_bytes({std::as_const(images).value().row(i), 1, images.cols()}, set.pixels);
    set.labels.push_back(
        predicted_class({scores.row(i), static_cast<std::size_t>(scores.cols)}, seen));
    set.components.push_back(from[static_cast<std::size_t>(i)]);
  }
  set.moments.push_back(moment);
  set.count = static_cast<std::size_t>(count);
}

void Portrait::gather_tests(int most, Signal& images, std::vector<std::int32_t>& labels) const {
  const int tasks = stream_.tasks(), pixels = net_.in().size();
  std::vector<real> all;
  for (int task = 0; task < tasks; ++task) {
    const ExampleSet set = stream_.test(task);
    const int share = most * (task + 1) / tasks - most * task / tasks;
    const auto places =
        some_places(set.size(), share, rng_.fork("tests", static_cast<std::uint64_t>(task)));
    Signal part;
    gather_images(set, places, part);
    const CMat x = std::as_const(part).value();
    all.insert(all.end(), x.data, x.data + x.size());
    for (const std::uint32_t place : places)
      labels.push_back(targets_.target(task, set.label(place)));
  }
  const Mat x = images.resize(static_cast<int>(labels.size()), pixels);
  std::ranges::copy(all, x.data);
}

void Portrait::rebuild(PictureRecord& set, const std::string& moment) const {
  Signal images, rebuilt;
  std::vector<std::int32_t> labels;
  gather_tests(o_.pictures, images, labels);
  const CMat x = std::as_const(images).value();
  const auto add = [&](CMat what, std::string when) {
    append_bytes(what, set.pixels);
    set.labels.insert(set.labels.end(), labels.begin(), labels.end());
    set.components.insert(set.components.end(), labels.size(), -1);
    set.moments.push_back(std::move(when));
  };
  if (set.moments.empty()) add(x, "test images");
  const Mat y = rebuilt.resize(x.rows, x.cols);
  model_->reconstruct(x, y);
  double error = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = static_cast<double>(y.data[i] - x.data[i]);
    error += off * off / std::max(x.rows, 1);
  }
  add(y, fmt::format("{}, error {:.1f}", moment, error));
  set.count = labels.size();
}

void Portrait::embed(RunRecord& run) const {
  Signal images;
  EmbeddingRecord set;
  gather_tests(o_.embedding_points, images, set.labels);
  if (set.labels.size() < 3 || model_->latents() < 2) return;
  const auto codes = codes_of(*model_, std::as_const(images).value());
  const Projection plane = principal_components(codes, 2);
  set.points = plane.project(codes);
  set.name = "codes";
  set.description = fmt::format(
      "Codes of test images after training on their first two principal components, which hold "
      "{:.0f} and {:.0f} % of the variance",
      100 * plane.explained[0], 100 * plane.explained[1]);
  run.embeddings.push_back(std::move(set));
}

}  // namespace engram
