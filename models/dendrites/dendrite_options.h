// Active dendrites (Iyer et al. 2022): segments of hidden units that see a context, and where the
// context comes from.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "utils/options.h"

namespace engram {

enum class ContextSource { Prototype, Clusters };
template <>
struct Choices<ContextSource> {
  static constexpr std::array<std::string_view, 2> names{"prototype", "clusters"};
};

struct DendriteOptions {
  int segments = 0;
  ContextSource context = ContextSource::Prototype;
  double init_share = 0.1;
  int pixels = 256, exemplars = 256;
  std::optional<int> most_clusters;
  double join_below = 0.9;

  bool on() const { return segments > 0; }

  template <class V>
  void describe(V&& v) {
    v("dendrites.segments", segments, Range::at_least(0),
      "mlp: every hidden unit has so many dendrite segments, the strongest of which gates it; 0: "
      "none");
    v("dendrites.context", context,
      "what segments see. prototype: in training the mean image of the task, at test the nearest "
      "mean of those that were learnt; clusters: the mean of the cluster that a batch seems to "
      "belong to, whose tasks nobody names");
    v("dendrites.init_share", init_share, Range::above(0).at_most(1),
      "segments start as U(+-1/sqrt(this * length of a context))");
    v("dendrites.pixels", pixels, Range::at_least(1),
      "clusters: a context is the mean of so many pixels, which are drawn once");
    v("dendrites.exemplars", exemplars, Range::at_least(2),
      "clusters: images of each that are remembered to compare batches with");
    v("dendrites.most_clusters", most_clusters, Range::at_least(1),
      "clusters: when there are so many, batches join the most alike (auto: 8 + twice the tasks)");
    v("dendrites.join_below", join_below, Range::above(0).at_most(1),
      "clusters: a batch joins the first cluster with which Hotelling's F lies below this quantile "
      "of its distribution, or founds a new one");
  }
};

}  // namespace engram
