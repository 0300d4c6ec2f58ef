// Which pixels of an image a network's answer rests on.
#pragma once

#include <span>
#include <vector>

#include "benchmarks/scenario.h"
#include "benchmarks/stream.h"
#include "exps/experiment.h"
#include "exps/moment.h"
#include "exps/record.h"
#include "models/network.h"

namespace engram {

inline constexpr const char* kAttributionMaps = "attribution maps";

/// What attributions explain: the target's logit minus the mean of the other outputs that compete
/// (`mask` [outputs]: 1 for those; empty: all). A single logit stands for target 1, its negative
/// for target 0; a target without rivals for itself.
double target_margin(std::span<const real> logits, int target, std::span<const std::uint8_t> mask);

/// Images whose attributions are wanted, of one task.
struct Explained {
  CMat images;                           ///< [n, net.in().size()], as the network reads them
  std::span<const int> target;           ///< [n]: the right outputs
  int task = 0;                          ///< whose head and units they use
  std::span<const std::uint8_t> mask{};  ///< [outputs] that compete; empty: all
};
struct OcclusionWindow {
  int patch = 4;   ///< pixels a side
  int stride = 2;  ///< at most `patch`; the last patch of a row or column ends at the border
};

/// maps [n, height * width] <- for every pixel the mean, over the patches that cover it, of how far
/// the target's margin falls when the patch is set to 0 in all channels of the input (Zeiler &
/// Fergus 2014). 0 is black, or the mean where images are normalised. Needs no gradient.
void occlusion_maps(const Network& net, const Explained& what, const OcclusionWindow& window,
                    Signal& maps);
/// True when errors can be taken down through all layers.
bool is_differentiable(const Network& net);
/// maps [n, height * width] <- derivative of the target's logit by every input, by the true weights
/// whatever the rule, times the input, summed over channels (Shrikumar et al. 2016). A single logit
/// as in target_margin(). Needs is_differentiable().
void gradient_times_input(const Network& net, const Explained& what, Signal& maps);

class Attributions {
 public:
  /// Off when options.attributions = 0. Error(Config) when the input is no image of one or three
  /// channels or the patch does not fit into it, or skips pixels.
  Attributions(const Network& net, const Targets& targets, const TaskStream& stream,
               const EvaluationOptions& options);
  bool on() const { return o_.attributions > 0; }
  /// Of a sheet, at most.
  std::size_t bytes() const {
    return static_cast<std::size_t>(o_.attributions) * 9 *
           static_cast<std::size_t>(net_.in().height * net_.in().width);
  }
  /// After a task: adds a sheet of [image | occlusion | gradient x input] for test images of the
  /// first task, its classes in turn; without the third for networks that are not differentiable.
  /// Nothing at row 0.
  void take(const Moment&, RunRecord& run) const;

 private:
  PictureRecord start(std::size_t images) const;

  const Network& net_;
  const Targets& targets_;
  const TaskStream& stream_;
  EvaluationOptions o_;
};

}  // namespace engram
