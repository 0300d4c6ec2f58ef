// iCaRL (Rebuffi et al. 2017, arXiv 1611.07725): exemplars of every class, chosen by herding, are
// learnt with the classes that are new; old outputs go on saying what they said; and a test image
// belongs to the class whose exemplars have the nearest mean.
// - Loss: a sigmoid's cross-entropy of every output that competes, a mean over rows and outputs,
//   with 1 and 0 as targets of new classes and, of classes known before the task, what the network
//   said before it (the sigmoids of its logits over icarl.temperature), of new images and exemplars
//   alike. It takes the place of the run's loss (loss = bce reports nearly the same).
// - Herding: features phi of a class's images and their mean mu are of unit length; the k-th
//   exemplar is the one that brings the mean of the first k nearest to mu. With K = icarl.memory
//   images and C classes so far every class has the first K / C of its list.
// - Test: mu_c, from the exemplars in the features of today, at unit length; nearest for a feature
//   of unit length is the largest mu_c' phi, which is what a linear classifier computes.
// Pitfalls: the authors' learning rate of 2 goes with the mean over outputs; they average over
// mirrored images, too, which is not done here. Batches have their exemplars by draws, in as great
// a share as exemplars have of all that is learnt in a task, where the authors mix one list.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "learners/gather_images.h"
#include "learners/head_in_test.h"
#include "learners/soft_targets.h"
#include "learners/strategies/replay.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr std::size_t kAtOnce = 250;  // images that are looked at together

double sigmoid(real z) {
  return 1 / (1 + std::exp(-static_cast<double>(z)));
}

MemoryOptions chosen_memory(int memory) {
  MemoryOptions o;
  o.memory = memory;
  return o;
}

/// Every row at unit length; rows of zeros stay.
void unit_rows(Mat m) {
  for (int b = 0; b < m.rows; ++b) {
    double squares = 0;
    for (int i = 0; i < m.cols; ++i)
      squares += static_cast<double>(m.row(b)[i]) * static_cast<double>(m.row(b)[i]);
    const auto scale = static_cast<real>(squares > 0 ? 1 / std::sqrt(squares) : 0);
    for (int i = 0; i < m.cols; ++i)
      m.row(b)[i] *= scale;
  }
}

/// The mean of rows, at unit length.
std::vector<real> unit_mean(CMat rows) {
  std::vector<real> mean(static_cast<std::size_t>(rows.cols), 0);
  for (int b = 0; b < rows.rows; ++b)
    for (int i = 0; i < rows.cols; ++i)
      mean[static_cast<std::size_t>(i)] += rows.row(b)[i];
  unit_rows({mean.data(), 1, rows.cols});
  return mean;
}

class Icarl final : public Strategy {
 public:
  Icarl(const IcarlOptions& options, const StrategyContext& context)
      : o_(options),
        head_(context.net, "icarl"),
        memory_(chosen_memory(options.memory), context, "icarl"),
        stream_(context.stream),
        targets_(context.targets) {
    if (!stream_) return;  // refused elsewhere
    if (targets_->scenario() != Scenario::Class || stream_->tasks_share_labels())
      throw Error(Fault::Config,
                  "icarl learns classes one after the other: it needs scenario = class and a "
                  "stream of new classes, such as split");
    if (o_.memory < stream_->labels())
      throw Error(Fault::Config,
                  fmt::format("icarl.memory = {} has not one image for each of {} classes",
                              o_.memory, stream_->labels()));
    check_phases();
    std::size_t most = 0;
    for (int e = 1; e < stream_->experiences(); ++e)
      most = std::max(most, stream_->experience(e).train.size());
    const auto width = static_cast<std::size_t>(head_.outputs());
    said_.resize(most * width), said_of_past_.resize(static_cast<std::size_t>(o_.memory) * width);
  }

  Provides needs() const override { return Provides::OutputError; }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }
  bool replays() const override { return true; }

  /// What the network says before the task.
  void begin_experience(Training& t) override {
    if (t.phase == 0) return;
    std::vector<std::uint32_t> all(t.experience->train.size());
    std::iota(all.begin(), all.end(), 0u);
    ask(t.net, all, said_,
        [&](auto places, Signal& x) { gather_images(t.experience->train, places, x); });
    ask(t.net, all_slots(), said_of_past_,
        [&](auto slots, Signal& x) { memory_.images(*stream_, slots, x); });
  }

  void extend_batch(Training& t, Batch& batch) override {
    first_ = batch.rows();
    const double share =
        static_cast<double>(memory_.size()) / static_cast<double>(t.experience->train.size());
    const int automatic = static_cast<int>(std::ceil(share * batch.own_rows()));
    memory_.draw(o_.batch > 0 ? o_.batch : automatic,
                 t.rng.fork("icarl", static_cast<std::uint64_t>(t.step)), slots_);
    memory_.append(t, slots_, batch);
  }

  void shape_error(Training& t, const Batch& batch, CMat logits, Mat error) override {
    const auto width = static_cast<std::size_t>(logits.cols);
    const std::vector<bool> old = old_outputs(t);
    const int past = static_cast<int>(slots_.size()), rows = batch.own_rows() + past;
    const auto shape = [&](int b, const real* said) {
      const auto row = static_cast<std::size_t>(b);
      const auto mask = competing(batch, b);
      const auto competes = [&](std::size_t y) { return mask.empty() || mask[y] != 0; };
      int count = 0;
      for (std::size_t y = 0; y < width; ++y)
        count += competes(y);
      for (std::size_t y = 0; y < width; ++y) {
        const double target =
            old[y] ? sigmoid(said[y] / static_cast<real>(o_.temperature))
                   : static_cast<double>(batch.target[row]) == static_cast<double>(y);
        error.row(b)[y] =
            competes(y) ? static_cast<real>((sigmoid(logits.row(b)[y]) - target) / count / rows)
                        : real{0};
      }
    };
    for (int b = 0; b < batch.own_rows(); ++b)
      shape(b, said_.data() + batch.place[static_cast<std::size_t>(b)] * width);
    for (int i = 0; i < past; ++i)
      shape(first_ + i, said_of_past_.data() + slots_[static_cast<std::size_t>(i)] * width);
  }

  void after_step(Training&, const Batch&) override { fresh_ = false; }

  void end_experience(Training& t) override {
    const ExampleSet& train = t.experience->train;
    std::vector<std::vector<std::uint32_t>> of_class(static_cast<std::size_t>(stream_->labels()));
    for (std::uint32_t p = 0; p < train.size(); ++p)
      of_class[static_cast<std::size_t>(train.label(p))].push_back(p);
    std::vector<std::vector<Remembered>> lists(of_class.size());
    for (const std::uint32_t slot : all_slots()) {
      const Remembered r = memory_.remembered(*stream_, slot);
      lists[static_cast<std::size_t>(r.label)].push_back(r);
    }
    std::size_t classes = 0;
    for (std::size_t c = 0; c < lists.size(); ++c)
      classes += !lists[c].empty() || !of_class[c].empty();
    const std::size_t each = static_cast<std::size_t>(o_.memory) / classes;
    std::vector<Remembered> all;
    for (std::size_t c = 0; c < lists.size(); ++c) {
      if (lists[c].empty())
        for (const std::uint32_t p : herd(t.net, train, of_class[c], each))
          lists[c].push_back({t.phase, p, train.task(p), static_cast<int>(c)});
      lists[c].resize(std::min(lists[c].size(), each));
      all.insert(all.end(), lists[c].begin(), lists[c].end());
    }
    memory_.keep(all);
    fresh_ = false;
  }

  void begin_test(Network& net, int) override {
    if (memory_.size() == 0) return;  // within the first task the classifier itself is tested
    if (!fresh_) find_means(net);
    head_.put(net, weights_, biases_);
  }
  void end_test(Network& net) override { head_.take_back(net); }

  std::vector<std::span<real>> state() override {
    auto all = memory_.state();
    all.insert(all.end(), {said_, said_of_past_});
    return all;
  }

 private:
  std::vector<std::uint32_t> all_slots() const {
    std::vector<std::uint32_t> all(static_cast<std::size_t>(memory_.size()));
    std::iota(all.begin(), all.end(), 0u);
    return all;
  }

  /// A class that was met before its phase would count as old there, and its labels would never be
  /// learnt. Only phases of all tasks so far (protocol = cumulative) may bring classes back: their
  /// labels were learnt in a phase before.
  void check_phases() const {
    bool again = false, cumulative = true;
    int met = 0;  // tasks by the end of the phase before
    for (int e = 0; e < stream_->experiences(); ++e) {
      const Experience phase = stream_->experience(e);
      const std::vector<int> tasks = phase.train.tasks();
      if (tasks.empty()) return;  // refused elsewhere
      again = again || tasks.front() < met;
      cumulative = cumulative && static_cast<int>(tasks.size()) == e + 1 && tasks.back() == e;
      met = phase.seen;
    }
    if (again && !cumulative)
      throw Error(Fault::Config,
                  "icarl learns the labels of a class in one phase, in which it is new, but here "
                  "phases share classes; use boundaries = sharp and let no task come back (repeats "
                  "= 1, no task_order)");
  }

  /// Outputs of the classes of past tasks.
  std::vector<bool> old_outputs(const Training& t) const {
    std::vector<bool> old(static_cast<std::size_t>(head_.outputs()), false);
    for (int task = 0; task < t.tasks_before; ++task)
      for (const int label : stream_->classes(task))
        old[static_cast<std::size_t>(targets_->target(task, label))] = true;
    return old;
  }

  /// said [ids][outputs] <- the logits of images that images(ids, x) gathers.
  template <class Images>
  void ask(Network& net, std::span<const std::uint32_t> ids, std::span<real> said,
           const Images& images) {
    for (std::size_t at = 0; at < ids.size(); at += kAtOnce) {
      images(ids.subspan(at, std::min(kAtOnce, ids.size() - at)), x_);
      std::as_const(net).evaluate(x_, tape_, {});
      const CMat out = std::as_const(tape_.back().out).value();
      std::ranges::copy(out.all(), said.begin() + static_cast<std::ptrdiff_t>(
                                                      at * static_cast<std::size_t>(out.cols)));
    }
  }
  /// Features of images at unit length, [ids.size(), features].
  template <class Images>
  std::vector<real> features(const Network& net, std::span<const std::uint32_t> ids,
                             const Images& images) {
    const auto width = static_cast<std::size_t>(head_.features());
    std::vector<real> all(ids.size() * width);
    for (std::size_t at = 0; at < ids.size(); at += kAtOnce) {
      images(ids.subspan(at, std::min(kAtOnce, ids.size() - at)), x_);
      const CMat phi = head_.features_of(net, x_, {}, tape_);
      std::ranges::copy(phi.all(), all.begin() + static_cast<std::ptrdiff_t>(at * width));
    }
    unit_rows({all.data(), static_cast<int>(ids.size()), head_.features()});
    return all;
  }

  /// The first `count` exemplars of a class.
  std::vector<std::uint32_t> herd(const Network& net, const ExampleSet& train,
                                  std::span<const std::uint32_t> places, std::size_t count) {
    const auto all =
        features(net, places, [&](auto some, Signal& x) { gather_images(train, some, x); });
    const auto width = static_cast<std::size_t>(head_.features());
    const CMat phi{all.data(), static_cast<int>(places.size()), head_.features()};
    const std::vector<real> mean = unit_mean(phi);
    std::vector<double> sum(width, 0);
    std::vector<bool> taken(places.size(), false);
    std::vector<std::uint32_t> exemplars;
    for (std::size_t k = 1; k <= std::min(count, places.size()); ++k) {
      std::size_t best = places.size();
      double least = 0;
      for (std::size_t p = 0; p < places.size(); ++p) {
        if (taken[p]) continue;
        const real* const own = phi.row(static_cast<int>(p));
        double distance = 0;
        for (std::size_t i = 0; i < width; ++i) {
          const double d = static_cast<double>(mean[i]) -
                           (sum[i] + static_cast<double>(own[i])) / static_cast<double>(k);
          distance += d * d;
        }
        if (best == places.size() || distance < least) best = p, least = distance;
      }
      taken[best] = true;
      for (std::size_t i = 0; i < width; ++i)
        sum[i] += static_cast<double>(phi.row(static_cast<int>(best))[i]);
      exemplars.push_back(places[best]);
    }
    return exemplars;
  }

  /// The means of exemplars as a classifier.
  void find_means(const Network& net) {
    const auto outputs = static_cast<std::size_t>(head_.outputs());
    const auto width = static_cast<std::size_t>(head_.features());
    weights_.assign(width * outputs, 0), biases_.assign(outputs, kNeverChosen);
    std::vector<std::vector<std::uint32_t>> slots(outputs);
    for (const std::uint32_t slot : all_slots()) {
      const Remembered r = memory_.remembered(*stream_, slot);
      slots[static_cast<std::size_t>(targets_->target(r.task, r.label))].push_back(slot);
    }
    for (std::size_t c = 0; c < outputs; ++c) {
      if (slots[c].empty()) continue;
      const auto phi =
          features(net, slots[c], [&](auto some, Signal& x) { memory_.images(*stream_, some, x); });
      const auto mean =
          unit_mean({phi.data(), static_cast<int>(slots[c].size()), head_.features()});
      for (std::size_t i = 0; i < width; ++i)
        weights_[i * outputs + c] = mean[i];
      biases_[c] = 0;
    }
    fresh_ = true;
  }

  IcarlOptions o_;
  HeadInTest head_;
  ExampleMemory memory_;
  const TaskStream* stream_;
  const Targets* targets_;
  std::vector<real> said_, said_of_past_;  ///< [examples of the task], [slots]; [outputs] each
  std::vector<std::uint32_t> slots_;
  int first_ = 0;
  bool fresh_ = false;  ///< what follows is of the network of now
  std::vector<real> weights_, biases_;
  Signal x_;
  Tape tape_;
};

}  // namespace

std::unique_ptr<Strategy> make_icarl(const IcarlOptions& options, const StrategyContext& context) {
  return std::make_unique<Icarl>(options, context);
}

}  // namespace engram
