// The local rules, one file each; their lines in the table of rules: learners/registry.cpp.
#pragma once

#include "learners/hebbian/local_rule.h"
#include "learners/rules/rules.h"
#include "utils/options.h"

namespace engram {

struct KrotovOptions {
  double power = 2, anti = 0.4;
  int rank = 2;
  template <class V>
  void describe(V&& v) {
    v("krotov.p", power, Range::at_least(1), "the weights of a unit come to have unit p-norm");
    v("krotov.k", rank, Range::at_least(2), "rank of the unit that is pushed away");
    v("krotov.delta", anti, Range::at_least(0), "how strongly it is");
  }
};
std::unique_ptr<LocalRule> make_krotov(const KrotovOptions&);  // krotov.cpp
std::unique_ptr<LocalRule> make_frozen(const NoOptions&);      // frozen.cpp
std::unique_ptr<LocalRule> make_prototypes(const NoOptions&);  // prototypes.cpp

std::unique_ptr<LocalRule> make_hebb(const NoOptions&);  // hebb.cpp

enum class OjaForm { Subspace, Unit };
template <>
struct Choices<OjaForm> {
  static constexpr std::array<std::string_view, 2> names{"subspace", "unit"};
};
/// What correlations are made of.
template <>
struct Choices<Sees> {
  static constexpr std::array<std::string_view, 2> names{"drive", "activity"};
};
struct OjaOptions {
  OjaForm form = OjaForm::Subspace;
  Sees sees = Sees::Activity;
  template <class V>
  void describe(V&& v) {
    v("oja.form", form,
      "subspace: the units span the first principal components; unit: each is the first one");
    v("oja.sees", sees, "y of the rule: input times weights, or what the activation makes of it");
  }
};
std::unique_ptr<LocalRule> make_oja(const OjaOptions&);  // oja.cpp

struct SangerOptions {
  Sees sees = Sees::Activity;
  template <class V>
  void describe(V&& v) {
    v("sanger.sees", sees,
      "y of the rule: input times weights, or what the activation makes of it");
  }
};
std::unique_ptr<LocalRule> make_sanger(const SangerOptions&);  // sanger.cpp

struct GuptaOptions {
  double percentile = 60;
  bool signed_percentile = false, unscaled_mean = false;
  template <class V>
  void describe(V&& v) {
    v("gupta.percentile", percentile, Range::at_least(0).at_most(100),
      "changes below this percentile are dropped");
    v("gupta.signed_percentile", signed_percentile,
      "percentile of the changes with their signs, as in the semi-Hebbian reference, instead of "
      "their sizes");
    v("gupta.unscaled_mean", unscaled_mean,
      "the mean of past products is not multiplied by the learning rate, as in that reference");
  }
};
std::unique_ptr<LocalRule> make_gupta(const GuptaOptions&);  // gupta.cpp

struct WinnerOptions {
  int winners = 1;
  bool cosine = true;
  template <class V>
  void describe(V&& v) {
    v("winner_take_all.k", winners, Range::at_least(1), "units that learn from each example");
    v("winner_take_all.cosine", cosine,
      "they win by the cosine of weights and input, so that long weights win no more than short "
      "ones");
  }
};
std::unique_ptr<LocalRule> make_winner_take_all(const WinnerOptions&);  // winner_take_all.cpp

struct SoftHebbOptions {
  std::vector<double> inverse_temperature{1};
  double norm_power = 0.5;
  bool anti = true;
  template <class V>
  void describe(V&& v) {
    v("softhebb.inverse_temperature", inverse_temperature, Range::above(0),
      "t of softmax(t u), one for each layer, the last one for all above");
    v("softhebb.norm_power", norm_power, Range::at_least(0),
      "the rate of a unit is multiplied by |norm - 1| to this power, so that learning stops by "
      "itself");
    v("softhebb.anti", anti, "all units but the winner learn with the opposite sign");
  }
};
std::unique_ptr<LocalRule> make_softhebb(const SoftHebbOptions&);  // softhebb.cpp

}  // namespace engram
