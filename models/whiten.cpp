// Inputs whitened by their zero-phase components (Bell & Sejnowski 1997): the linear map, closest
// to doing nothing, after which pixels are uncorrelated and vary alike. Directions of little
// variance are held back by epsilon.
#include <cmath>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/principal_components.h"

namespace engram {
namespace {

class Whiten final : public Layer {
 public:
  explicit Whiten(double epsilon) : epsilon_(epsilon) {}
  std::string kind() const override { return "whiten"; }
  std::string describe() const override { return fmt::format("whitened, epsilon {}", epsilon_); }
  bool fits() const override { return true; }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    if (!place.reads_input)
      throw Error(Fault::Config, place.name + ": whitening reads the input of the network");
    store_ = &store, size_ = in.size();
    shift_ = store.add_state(place.name + ".shift", 1, size_);
    map_ = store.add_state(place.name + ".map", size_, size_);
    return in;
  }
  /// The identity until it has seen images.
  void init(Rng) override {
    const Mat map = store_->state(map_);
    for (int i = 0; i < size_; ++i)
      map.row(i)[i] = 1;
  }

  void fit(CMat images) override {
    xt::xtensor<double, 2> x(
        {static_cast<std::size_t>(images.rows), static_cast<std::size_t>(size_)});
    for (std::size_t i = 0; i < images.size(); ++i)
      x.data()[i] = static_cast<double>(images.data[i]);
    const Projection axes = principal_components(x, size_);
    double total = 0;
    for (const double v : axes.variance)
      total += v;
    const double floor = epsilon_ * total / size_;
    if (!(floor > 0))
      throw Error(Fault::Data, "whiten_input: all images of the first task are the same");
    xt::xtensor<double, 2> scaled = axes.axes;  // rows v / sqrt(variance + floor)
    const auto n = static_cast<std::size_t>(size_);
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t i = 0; i < n; ++i)
        scaled(k, i) /= std::sqrt(axes.variance[k] + floor);
    const Mat map = store_->state(map_);
    std::vector<double> row(n);
    for (std::size_t i = 0; i < n; ++i) {
      std::ranges::fill(row, 0.);
      for (std::size_t k = 0; k < n; ++k)
        for (std::size_t j = 0; j < n; ++j)
          row[j] += axes.axes(k, i) * scaled(k, j);
      for (std::size_t j = 0; j < n; ++j)
        map.row(static_cast<int>(i))[j] = static_cast<real>(row[j]);
    }
    real* const shift = store_->state(shift_).data;
    for (std::size_t j = 0; j < n; ++j) {
      double moved = 0;
      for (std::size_t i = 0; i < n; ++i)
        moved += axes.mean[i] * static_cast<double>(map.row(static_cast<int>(i))[j]);
      shift[j] = static_cast<real>(-moved);
    }
  }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), size_);
    kernels::gemm(false, false, 1, x.value(), std::as_const(*store_).state(map_), 0, out,
                  std::as_const(*store_).state(shift_).data);
    return cost(x);
  }
  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const Mat out = dx.resize(x.rows(), size_);
    kernels::gemm(false, true, 1, dy.value(), std::as_const(*store_).state(map_), 0, out);
    return cost(x);
  }

 private:
  Macs cost(const Signal& x) const {
    const double n = static_cast<double>(x.rows()) * size_ * size_;
    return {n, n};
  }

  double epsilon_;
  ParamStore* store_ = nullptr;
  int size_ = 0, shift_ = -1, map_ = -1;
};

}  // namespace

LayerPtr whiten(double epsilon) {
  return std::make_unique<Whiten>(epsilon);
}

}  // namespace engram
