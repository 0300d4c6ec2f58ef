// Layers that learn from their own activity, under a head that learns by another rule. The lowest
// weight layers belong to a local rule, the rest to the head's rule; no error crosses the border.
// Both learn from the same batches, or the local rule first, without labels, and the head after it
// on features that stand still.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "learners/hebbian/local_update.h"
#include "learners/rule.h"
#include "models/init.h"
#include "utils/options.h"

namespace engram {

enum class Anneal { None, Linear };
template <>
struct Choices<Anneal> {
  static constexpr std::array<std::string_view, 2> names{"none", "linear"};
};

struct HebbianOptions {
  int layers = 1;
  std::string head = "backprop";
  int epochs = 0, batch_size = 0;
  std::vector<double> rate;
  std::optional<Anneal> anneal;
  std::optional<Divide> divide;
  double later_rate = 1;
  std::optional<double> norm;
  std::optional<WeightInit> init;
  double init_scale = 1;
  bool blocks = false, only_first_batch = false, raw_input = true;

  template <class V>
  void describe(V&& v) {
    v("hebbian.layers", layers, Range::at_least(1),
      "weight layers, from the input on, that learn by the local rule; those above learn by the "
      "head's rule, to which no error from below is known");
    v("hebbian.head", head, "rule of `engram list rules` for the layers above");
    v("hebbian.epochs", epochs, Range::at_least(0),
      "first epochs of every task in which the local rule alone learns, without labels; the head "
      "learns in the others, from features that stand still; 0: both learn from every batch");
    v("hebbian.batch_size", batch_size, Range::at_least(0),
      "examples per mini-batch in those epochs; 0: as batch_size");
    v("hebbian.lr", rate, Range::at_least(0),
      "learning rate of the local rule, one for each layer, the last one for all above; empty: "
      "the rule's own");
    v("hebbian.anneal", anneal,
      "linear: in epoch e of E the rate is multiplied by 1 - e / E; auto: what the rule was "
      "published with");
    v("hebbian.divide", divide,
      "what a batch's change is divided by: the number of samples, nothing, or its largest entry; "
      "auto: as the rule was published");
    v("hebbian.norm", norm, Range::at_least(0),
      "after every change the weights of a unit are brought to this L2 norm, which bounds rules "
      "that have no decay; 0: they are not; auto: 1 for hebb and gupta, else 0");
    v("hebbian.later_rate", later_rate, Range::at_least(0),
      "multiplies the rate after the first task: 0 freezes the features, 1 leaves them plastic");
    v("hebbian.init", init,
      "how the weights of its layers start, whatever `init` says of the others; auto: as init "
      "says");
    v("hebbian.init_scale", init_scale, Range::above(0),
      "multiplies them if that law has a scale (init_scale)");
    v("hebbian.blocks", blocks,
      "every task has units of its own, as many as each other: they alone compete and learn in it, "
      "and are silent before");
    v("hebbian.only_first_batch", only_first_batch,
      "the local rule learns from the first batch of each epoch alone, as in the semi-Hebbian "
      "reference, whose features therefore stay random");
    v("hebbian.raw_input", raw_input,
      "a competition right above a unit_norm layer learns from the images as they were before it");
  }
};

/// `head` learns what lies above. Config errors name the keys above.
std::unique_ptr<Rule> make_hebbian(const HebbianOptions&, std::unique_ptr<LocalRule>,
                                   std::unique_ptr<Rule> head);

}  // namespace engram
