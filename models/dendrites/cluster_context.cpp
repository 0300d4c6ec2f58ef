// Contexts without tasks (Iyer et al. 2022, appendix): clusters of training batches. A batch joins
// the first cluster from whose exemplars Hotelling's test does not tell it apart, and moves its
// mean; a batch that fits nowhere founds a cluster.
#include <algorithm>

#include <fmt/format.h>

#include "models/checked_state.h"
#include "models/dendrites/context_layer.h"
#include "utils/error.h"
#include "utils/hotelling.h"

namespace engram {
namespace {

class ClusterContext final : public ContextLayer {
 public:
  ClusterContext(const DendriteOptions& o, int most, SharedContexts shared)
      : ContextLayer(most, o.pixels, std::move(shared)), o_(o) {}
  std::string describe() const override {
    return fmt::format("context: mean of a cluster of batches over {} pixels, at most {} clusters",
                       length(), most());
  }
  ImageShape bind(ImageShape in, const Place& place, ParamStore& s) override {
    const ImageShape out = ContextLayer::bind(in, place, s);
    exemplars_ = s.add_state(place.name + ".exemplars", most() * o_.exemplars, length());
    held_ = s.add_state(place.name + ".held", 1, most());
    current_ = s.add_state(place.name + ".current", 1, 1);
    return out;
  }

  void restored() override {
    ContextLayer::restored();
    check_state(store(), held_, Numbers::Whole, 0, o_.exemplars);
    check_state(store(), current_, Numbers::Whole, 0, most());
  }

  void meet(const Signal& x, const Pass& pass) override {
    const int rows = x.rows();
    Samples batch({static_cast<std::size_t>(rows), static_cast<std::size_t>(length())});
    std::vector<real> parts(batch.size());
    std::vector<double> sum(static_cast<std::size_t>(length()), 0);
    for (int b = 0; b < rows; ++b) {
      real* const part = parts.data() + static_cast<std::size_t>(b) * batch.shape(1);
      part_of(x.value().row(b), part);
      for (std::size_t i = 0; i < batch.shape(1); ++i)
        batch(static_cast<std::size_t>(b), i) = static_cast<double>(part[i]),
                                           sum[i] += batch(static_cast<std::size_t>(b), i);
    }
    const int cluster = home_of(batch);
    const CMat images{parts.data(), rows, length()};
    if (held(cluster) == 0)
      keep(cluster, 0, images, std::min(rows, o_.exemplars), nullptr);
    else
      exchange(cluster, images, pass.rng.fork("clusters"));
    add_to(cluster, sum, rows);
    store().state(current_).data[0] = static_cast<real>(cluster + 1);
  }

 protected:
  int chosen(int, const Pass&) const override {
    return static_cast<int>(std::as_const(store()).state(current_).data[0]) - 1;
  }

 private:
  using Samples = xt::xtensor<double, 2>;

  int held(int k) const { return static_cast<int>(std::as_const(store()).state(held_).data[k]); }
  Mat exemplars(int k) const {
    return {store().state(exemplars_).row(k * o_.exemplars), o_.exemplars, length()};
  }

  /// The cluster that a batch belongs to; an empty one: it is new.
  int home_of(const Samples& batch) const {
    int most_alike = 0;
    double least = 2;  // above every quantile
    for (int k = 0; k < most(); ++k) {
      if (held(k) == 0) return k;
      const CMat known = exemplars(k);
      Samples other({static_cast<std::size_t>(held(k)), static_cast<std::size_t>(length())});
      std::transform(known.data, known.data + other.size(), other.data(),
                     [](real v) { return static_cast<double>(v); });
      const double quantile = hotelling_quantile(other, batch);
      if (quantile < o_.join_below) return k;
      if (quantile < least) most_alike = k, least = quantile;
    }
    return most_alike;
  }

  /// Exemplars of a cluster from `first` on <- `count` images, those in `order` or the first ones.
  void keep(int k, int first, CMat images, int count, const std::uint32_t* order) {
    for (int i = 0; i < count; ++i)
      std::copy_n(images.row(order ? static_cast<int>(order[i]) : i), length(),
                  exemplars(k).row(first + i));
    store().state(held_).data[k] = static_cast<real>(first + count);
  }

  /// Exemplars and images of a batch share the places as they are many, which of them at random.
  void exchange(int k, CMat images, const Rng& rng) {
    const int old = held(k), more = images.rows;
    const double share = static_cast<double>(old) / (old + more);
    const int stay = std::min(old, static_cast<int>(o_.exemplars * share));
    const int come =
        std::min({more, static_cast<int>(o_.exemplars * (1 - share)), o_.exemplars - stay});
    auto kept = rng.fork("stay").permutation(static_cast<std::uint32_t>(old));
    kept.resize(static_cast<std::size_t>(stay));
    std::ranges::sort(kept);  // ascending, so that none is overwritten before it moves
    for (int i = 0; i < stay; ++i)
      std::copy_n(exemplars(k).row(static_cast<int>(kept[static_cast<std::size_t>(i)])), length(),
                  exemplars(k).row(i));
    const auto order = rng.fork("come").permutation(static_cast<std::uint32_t>(more));
    keep(k, stay, images, come, order.data());
  }

  DendriteOptions o_;
  int exemplars_ = -1, held_ = -1, current_ = -1;
};

}  // namespace

LayerPtr cluster_context(const DendriteOptions& options, int most, SharedContexts shared) {
  return std::make_unique<ClusterContext>(options, most, std::move(shared));
}

}  // namespace engram
