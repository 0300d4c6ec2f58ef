// Pictures of what a generating network knows: images that it paints by itself, test images that it
// rebuilds, and where their codes lie.
#pragma once

#include <vector>

#include "benchmarks/stream.h"
#include "exps/experiment.h"
#include "exps/moment.h"
#include "exps/record.h"
#include "models/goodness.h"

namespace engram {

class Portrait {
 public:
  Portrait(const Network& net, const Targets& targets, const TaskStream& stream,
           const EvaluationOptions& options, Rng rng);
  /// True for networks that generate.
  bool on() const { return model_ != nullptr; }
  /// For a row of the accuracy matrix, before training or after the phase `experience`: paints
  /// from a mixture of the codes of that phase's training images (the first one's before training),
  /// and rebuilds the same test images of all tasks every time. Row 0 makes the records; the last
  /// row adds the codes of test images. Nothing for networks that do not generate.
  void take(const Moment&, const Experience& experience, RunRecord& run) const;

 private:
  void paint(const Moment&, const Experience& experience, PictureRecord& set,
             const std::string& moment) const;
  void rebuild(PictureRecord& set, const std::string& moment) const;
  void embed(RunRecord& run) const;
  PictureRecord start(const char* name, std::string description) const;
  void gather_tests(int most, Signal& images, std::vector<std::int32_t>& labels) const;

  const Network& net_;
  const Targets& targets_;
  const TaskStream& stream_;
  const ImageModel* model_;
  EvaluationOptions o_;
  Rng rng_;
};

}  // namespace engram
