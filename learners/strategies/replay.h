// Strategies that remember examples, outputs or gradients of the past, or paint them.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "learners/example_memory.h"
#include "learners/strategy.h"

namespace engram {

enum class ReplayLoss { JointMean, Half, ByTasks };
template <>
struct Choices<ReplayLoss> {
  static constexpr std::array<std::string_view, 3> names{"joint_mean", "half", "by_tasks"};
};
struct ErOptions {
  MemoryOptions memory;
  int batch = 0;
  ReplayLoss loss = ReplayLoss::JointMean;
  template <class V>
  void describe(V&& v) {
    memory.describe(v, "er");
    v("er.batch", batch, Range::at_least(0),
      "examples replayed in every batch; 0: as many as it has of its own");
    v("er.loss", loss,
      "one mean over all rows; half the mean over the batch's own and half that over the replayed; "
      "or 1/k and 1 - 1/k of them with k tasks met");
  }
};
std::unique_ptr<Strategy> make_er(const ErOptions&, const StrategyContext&);  // er.cpp

struct GdumbOptions {
  int memory = 500, batch = 16, passes = 128, crop = 0;
  double lr = 0.05, min_lr = 0.0005, clip = 10;
  template <class V>
  void describe(V&& v) {
    v("gdumb.memory", memory, Range::at_least(1).at_most(1 << 24),
      "examples that are remembered, as many of each class");
    v("gdumb.passes", passes, Range::at_least(1), "over the memory at the end of each task");
    v("gdumb.batch", batch, Range::at_least(1), "examples per mini-batch of these passes");
    v("gdumb.lr", lr, Range::above(0), "where the cosines of the learning rate begin");
    v("gdumb.min_lr", min_lr, Range::at_least(0), "where they end");
    v("gdumb.clip", clip, Range::at_least(0), "greatest norm of a whole gradient; 0: any");
    v("gdumb.crop", crop, Range::at_least(0),
      "images are moved by up to so many pixels at random while the memory is learnt");
  }
};
std::unique_ptr<Strategy> make_gdumb(const GdumbOptions&, const StrategyContext&);  // gdumb.cpp

struct DerOptions {
  MemoryOptions memory;
  int batch = 0;
  double alpha = 0.5;
  template <class V>
  void describe(V&& v) {
    memory.describe(v, "der");
    v("der.batch", batch, Range::at_least(0),
      "examples replayed in every batch; 0: as many as it has of its own");
    v("der.alpha", alpha, Range::at_least(0),
      "weight of the mean squared distance to the logits of then");
  }
};
std::unique_ptr<Strategy> make_der(const DerOptions&, const StrategyContext&);  // der.cpp

struct DerppOptions {
  MemoryOptions memory;
  int batch = 0;
  double alpha = 0.5, beta = 0.5;
  template <class V>
  void describe(V&& v) {
    memory.describe(v, "derpp");
    v("derpp.batch", batch, Range::at_least(0),
      "examples in each of the two draws for every batch; 0: as many as it has of its own");
    v("derpp.alpha", alpha, Range::at_least(0),
      "weight of the mean squared distance to the logits of then");
    v("derpp.beta", beta, Range::at_least(0), "weight of the loss of the second draw's labels");
  }
};
std::unique_ptr<Strategy> make_derpp(const DerppOptions&, const StrategyContext&);  // derpp.cpp

struct AgemOptions {
  AgemOptions() { memory.policy = MemoryPolicy::TaskRing, memory.insert = InsertAt::TaskEnd; }
  MemoryOptions memory;
  int batch = 256;
  template <class V>
  void describe(V&& v) {
    memory.describe(v, "agem");
    v("agem.batch", batch, Range::at_least(1),
      "examples that the reference gradient is a mean over");
  }
};
std::unique_ptr<Strategy> make_agem(const AgemOptions&, const StrategyContext&);  // agem.cpp

struct GemOptions {
  int memory = 2560;
  InsertAt insert = InsertAt::TaskEnd;
  double margin = 0.5, ridge = 1e-3;
  template <class V>
  void describe(V&& v) {
    v("gem.memory", memory, Range::at_least(1).at_most(1 << 24),
      "examples that are remembered, an equal part for each task of the stream");
    v("gem.insert", insert,
      "step: after each step what was learnt in it, so that the newest stay; task_end: some of a "
      "task's examples once it is learnt");
    v("gem.margin", margin, Range::at_least(0),
      "least weight of every past task in a step that would harm one (memory strength)");
    v("gem.ridge", ridge, Range::above(0), "added to the diagonal of the quadratic program");
  }
};
std::unique_ptr<Strategy> make_gem(const GemOptions&, const StrategyContext&);  // gem.cpp

struct IcarlOptions {
  int memory = 2000, batch = 0;
  double temperature = 1;
  template <class V>
  void describe(V&& v) {
    v("icarl.memory", memory, Range::at_least(1).at_most(1 << 24),
      "exemplars, an equal part for each class so far");
    v("icarl.batch", batch, Range::at_least(0),
      "exemplars in every batch; 0: in their share of all that a task learns");
    v("icarl.temperature", temperature, Range::above(0),
      "old outputs are to be the sigmoids of what they were, divided by this (1; van de Ven: 2)");
  }
};
std::unique_ptr<Strategy> make_icarl(const IcarlOptions&, const StrategyContext&);  // icarl.cpp

struct SldaOptions {
  double shrinkage = 1e-4;
  template <class V>
  void describe(V&& v) {
    v("slda.shrinkage", shrinkage, Range::fraction(),
      "part of the identity in the covariance that is inverted");
  }
};
std::unique_ptr<Strategy> make_slda(const SldaOptions&, const StrategyContext&);  // slda.cpp

enum class DgrLabels { Hard, Soft };
template <>
struct Choices<DgrLabels> {
  static constexpr std::array<std::string_view, 2> names{"hard", "soft"};
};
struct DgrOptions {
  std::vector<int> hidden{400, 400};
  int codes = 100, batch = 0;
  double lr = 1e-3, temperature = 2;
  DgrLabels labels = DgrLabels::Hard;
  template <class V>
  void describe(V&& v) {
    v("dgr.hidden", hidden, "widths of the generator's encoder; its decoder has them in reverse");
    v("dgr.codes", codes, Range::at_least(1), "numbers that an image is painted from");
    v("dgr.lr", lr, Range::above(0), "learning rate of the generator's Adam");
    v("dgr.batch", batch, Range::at_least(0),
      "images painted for every batch; 0: as many as it has of its own");
    v("dgr.labels", labels,
      "hard: the class that the old network finds most probable; soft: all that it says");
    v("dgr.temperature", temperature, Range::above(0), "soft: of both softmaxes");
  }
};
std::unique_ptr<Strategy> make_dgr(const DgrOptions&, const StrategyContext&);  // dgr.cpp

struct GenerativeReplayOptions {
  int images = 2000, codes = 5000, components = 10;
  double share = 1;
  template <class V>
  void describe(V&& v) {
    v("generative_replay.images", images, Range::at_least(1),
      "images painted after every task, from which later batches are filled up");
    v("generative_replay.share", share, Range::at_least(0),
      "painted images in a batch, relative to its own");
    v("generative_replay.codes", codes, Range::at_least(1),
      "images whose codes the mixture is fitted to, at most; from all tasks alike");
    v("generative_replay.components", components, Range::at_least(1),
      "Gaussians of the mixture for every task");
  }
};
std::unique_ptr<Strategy> make_generative_replay(const GenerativeReplayOptions&,
                                                 const StrategyContext&);

}  // namespace engram
