// Each row divided by its Euclidean norm, which makes products with it cosines times the norms of
// weights. Rows of zeros stay, and pass no error. Lists of active units are handed on.
#include <cmath>

#include "models/begun_lists.h"
#include "models/layers.h"

namespace engram {
namespace {

class UnitNorm final : public Layer {
 public:
  std::string kind() const override { return "unit_norm"; }
  std::string describe() const override { return "divided by the norm of each example"; }
  double active_share(double inputs) const override { return inputs; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return in; }

  /// saved = norm [rows].
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const CMat in = x.value();
    const bool listed = x.active.known();
    const Mat out = listed ? y.out.resize_sparse(in.rows, in.cols) : y.out.resize(in.rows, in.cols);
    y.saved.resize(static_cast<std::size_t>(in.rows));
    for_row_tiles(in.rows, in.cols, 0, [&](int b) {
      const real* const from = in.row(b);
      real* const to = out.row(b);
      double squares = 0;
      for_units(x.active, b, in.cols, [&](std::int32_t i) {
        squares += static_cast<double>(from[i]) * static_cast<double>(from[i]);
      });
      y.saved[static_cast<std::size_t>(b)] = static_cast<real>(std::sqrt(squares));
      const auto scale = squares > 0 ? static_cast<real>(1 / std::sqrt(squares)) : real{0};
      for_units(x.active, b, in.cols, [&](std::int32_t i) { to[i] = from[i] * scale; });
    });
    if (listed) y.out.active = x.active;
    return {};
  }

  /// dx = (dy - y <y, dy>) / norm.
  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat value = y.out.value(), error = dy.value();
    const ActiveSet& active = y.out.active;
    const Mat out =
        active.known() ? dx.resize_sparse(dy.rows(), dy.cols()) : dx.resize(dy.rows(), dy.cols());
    for_row_tiles(out.rows, out.cols, 0, [&](int b) {
      const real *const unit = value.row(b), *const above = error.row(b);
      real* const to = out.row(b);
      const auto norm = y.saved[static_cast<std::size_t>(b)];
      double sum = 0;
      for_units(active, b, out.cols, [&](std::int32_t i) {
        sum += static_cast<double>(unit[i]) * static_cast<double>(above[i]);
      });
      const auto along = static_cast<real>(sum);
      const real scale = norm > 0 ? 1 / norm : real{0};
      for_units(active, b, out.cols,
                [&](std::int32_t i) { to[i] = scale * (above[i] - unit[i] * along); });
    });
    if (active.known()) dx.active = active;
    return {};
  }

 private:
  /// Calls body(unit) for the active units of a row, or for all if they are not known.
  template <class Body>
  static void for_units(const ActiveSet& active, int row, int cols, const Body& body) {
    if (active.known()) {
      for (const std::int32_t i : active.row(row))
        body(i);
    } else {
      for (std::int32_t i = 0; i < cols; ++i)
        body(i);
    }
  }
};

}  // namespace

LayerPtr unit_norm() {
  return std::make_unique<UnitNorm>();
}

}  // namespace engram
