// The constants of predictive forward-forward's two circuits.
#pragma once

#include <array>
#include <string_view>

#include "models/goodness.h"
#include "utils/options.h"

namespace engram {

/// Over which steps of the circuit a label's goodness is averaged, of K with lo = K / 2 - 1 and
/// hi = K / 2 + 1: the code keeps lo .. hi - 1 and runs no further.
enum class PffWindow { Repo, Inclusive, All };
template <>
struct Choices<PffWindow> {
  static constexpr std::array<std::string_view, 3> names{"repo", "inclusive", "all"};
};
enum class CodeContext { Fast, Goodness };
template <>
struct Choices<CodeContext> {
  static constexpr std::array<std::string_view, 2> names{"fast", "goodness"};
};

struct PffOptions {
  int steps = 12, group = 10, latents = 20;
  PffWindow window = PffWindow::Repo;
  double memory = 0.3, label_strength = 5, lateral = 1;
  PositiveGoodness positive_goodness = PositiveGoodness::Low;
  CodeContext code_context = CodeContext::Fast;

  template <class V>
  void describe(V&& v) {
    v("pff.steps", steps, Range::at_least(2),
      "K: steps of the circuit for a batch, each with an update");
    v("pff.window", window,
      "steps whose goodness decides at test: repo: K/2-1 and K/2; inclusive: K/2+1 too; all");
    v("pff.memory", memory, Range::at_least(0).below(1), "share of the old state in the new one");
    v("pff.label_strength", label_strength, Range::at_least(0), "activity of the clamped label");
    v("pff.lateral", lateral, Range::at_least(0),
      "strength of inhibition within groups and of self-excitation; 0: none");
    v("pff.group", group, Range::at_least(1), "units that compete with each other");
    v("pff.positive_goodness", positive_goodness,
      "an image with its true label is to have low goodness (as in the authors' code) or high");
    v("pff.latents", latents, Range::at_least(1), "size of the code on top of the generator");
    v("pff.code_context", code_context,
      "label while a code is taken: the fast classifier's softmax, as in the authors' code, or the "
      "label of best goodness");
  }
};

}  // namespace engram
