// Nearest class mean by cosine (Mensink et al. 2013; in a stream: Rebuffi et al. 2017): the weights
// of a class are the mean of its features so far, at unit length. Learning a class changes no
// other.
#include <cmath>

#include "learners/rules/rules.h"
#include "learners/top_layer.h"

namespace engram {
namespace {

class ClassMeans final : public TopLayerRule {
 protected:
  std::string_view name() const override { return "class_means"; }
  /// A sum, since weights have unit length in any case.
  void take(const real* h, int label, Mat memory) override {
    for (int i = 0; i < memory.cols; ++i)
      memory.row(label)[i] += h[i];
  }
  void weights_of(const real* memory, std::vector<real>& weights) const override {
    double squares = 0;
    for (const real w : weights)
      squares += static_cast<double>(w) * static_cast<double>(w);
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = static_cast<real>(scale * static_cast<double>(memory[i]));
  }
};

}  // namespace

std::unique_ptr<Rule> make_class_means(const NoOptions&, const RuleContext&) {
  return std::make_unique<ClassMeans>();
}

}  // namespace engram
