// Generative replay (Shin et al. 2017) for networks that paint: after every task the network paints
// images of all it has learnt, labels them itself, and mixes them into the batches of later tasks.
// The codes that the mixture is fitted to are those of the task's images and of the images painted
// before, in proportion to the tasks that they stand for. Painting happens once per task, so what
// is replayed does not drift with the generator while the next task is learnt.
#include <algorithm>

#include "learners/gather_images.h"
#include "learners/image_prior.h"
#include "learners/loss.h"
#include "learners/strategies/strategies.h"
#include "models/goodness.h"
#include "utils/error.h"

namespace engram {
namespace {

class GenerativeReplay final : public Strategy {
 public:
  GenerativeReplay(const GenerativeReplayOptions& options, const StrategyContext& context)
      : o_(options),
        pixels_(context.net.in().size()),
        images_(static_cast<std::size_t>(options.images) * static_cast<std::size_t>(pixels_)),
        labels_(static_cast<std::size_t>(options.images)) {
    if (!find_layer<ImageModel>(context.net))
      throw Error(Fault::Config,
                  "strategy generative_replay needs a model that paints images: model = pff");
  }

  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }
  bool follows_steps() const override { return true; }
  void extend_batch(Training& t, Batch& batch) override {
    if (painted_[0] == 0) return;
    const int old = batch.rows();
    const int more = static_cast<int>(o_.share * old + 0.5);
    const Mat x = bigger_.resize(old + more, pixels_);
    std::copy_n(std::as_const(batch.x).value().data, static_cast<std::size_t>(old) * pixels_,
                x.data);
    Rng draw = t.rng.fork("generative_replay", static_cast<std::uint64_t>(t.step));
    for (int i = old; i < old + more; ++i) {
      const auto from = draw.below(static_cast<std::uint32_t>(o_.images));
      std::copy_n(images_.data() + static_cast<std::size_t>(from) * pixels_, pixels_, x.row(i));
      batch.target.push_back(static_cast<int>(labels_[from]));
      batch.task.push_back(t.experience->index);
      if (!batch.mask.empty()) batch.mask.push_back(batch.mask.front());
      batch.own.push_back(t.seen);  // of no task in particular
    }
    std::swap(batch.x, bigger_);
    batch.x.densify();
  }

  void end_experience(Training& t) override {
    const ImageModel& model = *find_layer<ImageModel>(std::as_const(t.net));
    const Rng rng =
        t.rng.fork("generative_replay").fork("task", static_cast<std::uint64_t>(t.phase));
    const int tasks = t.experience->seen;
    const bool first = painted_[0] == 0;
    const int of_task = first ? o_.codes : std::max(1, o_.codes / tasks);
    Signal now;
    gather_images(t.experience->train,
                  some_places(t.experience->train.size(), of_task, rng.fork("codes")), now);
    const int of_past = first ? 0 : std::min(o_.images, now.rows() * (tasks - 1));
    Signal all;
    const Mat x = all.resize(now.rows() + of_past, pixels_);
    std::copy_n(std::as_const(now).value().data, static_cast<std::size_t>(now.rows()) * pixels_,
                x.data);
    int row = now.rows();
    for (const std::uint32_t from : some_places(
             static_cast<std::size_t>(of_past > 0 ? o_.images : 0), of_past, rng.fork("past")))
      std::copy_n(images_.data() + static_cast<std::size_t>(from) * pixels_, pixels_, x.row(row++));
    const auto codes = codes_of(model, x);
    const int components = std::min(o_.components * tasks, static_cast<int>(codes.shape(0)));
    const GaussianMixture prior =
        fit_mixture(codes, {.components = components}, rng.fork("mixture"));
    Signal painted;
    painted.resize(o_.images, pixels_);
    paint_images(model, prior, o_.images, rng.fork("draws"), painted);
    label(t, painted);
    const CMat images = std::as_const(painted).value();
    std::copy_n(images.data, images.size(), images_.begin());
    painted_[0] = 1;
  }

  std::vector<std::span<real>> state() override { return {images_, labels_, painted_}; }

 private:
  /// By the network itself, from the labels that compete so far.
  void label(Training& t, Signal& painted) {
    Tape tape;
    t.net.evaluate(painted, tape, {.outputs = t.seen});
    const CMat scores = std::as_const(tape.back().out).value();
    for (int i = 0; i < scores.rows; ++i)
      labels_[static_cast<std::size_t>(i)] = static_cast<real>(
          predicted_class({scores.row(i), static_cast<std::size_t>(scores.cols)}, t.seen));
  }

  GenerativeReplayOptions o_;
  int pixels_;
  std::vector<real> images_, labels_, painted_ = {0};
  Signal bigger_;
};

}  // namespace

std::unique_ptr<Strategy> make_generative_replay(const GenerativeReplayOptions& options,
                                                 const StrategyContext& context) {
  return std::make_unique<GenerativeReplay>(options, context);
}

}  // namespace engram
