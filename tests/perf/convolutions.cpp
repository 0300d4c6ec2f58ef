// Times our convolutions beside oneDNN's on the layers of the study's network, and what the
// constants of models/dense_conv2d.cpp rest on.
// usage: convolutions [kernel [threads]], by default 5, and one thread, then two. For 5x5 kernels
// oneDNN has no minimal filtering, for 3x3 it has.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/perf/timing.h"
#include "utils/conv_active.h"
#include "utils/conv_direct.h"
#include "utils/parallel.h"
#include "utils/sparse_kernels.h"
#include "utils/winograd.h"

namespace engram {
namespace {

constexpr int kBatch = 128;

struct Case {
  kernels::Window window;
  int outputs = 0;
  int inputs() const { return window.height * window.width * window.channels; }
  int results() const { return window.out_h() * window.out_w() * outputs; }
  double macs() const { return 1.0 * kBatch * results() * window.patch(); }
};

Case layer(int side, int channels, int outputs, int kernel) {
  Case c{{}, outputs};
  c.window.height = c.window.width = side, c.window.channels = channels;
  c.window.kernel_h = c.window.kernel_w = kernel;
  return c;
}

enum class Direction { Forward, Backward, Gradient };
constexpr const char* kNames[] = {"forward", "backward to input", "gradient of weights"};

void check(dnnl_status_t status) {
  if (status != dnnl_success) throw std::runtime_error("oneDNN: status " + std::to_string(status));
}

/// What a call of oneDNN hands back, to be destroyed.
template <class T>
using Owner = std::unique_ptr<T, dnnl_status_t (*)(T*)>;

/// A convolution of oneDNN with memory of its own, in the layouts that its primitive asks for.
class OneDnn {
 public:
  /// Nothing if there is no such primitive. `plain`: images are NHWC as ours, and only the weights
  /// have the layout that suits it; otherwise everything has.
  static std::optional<OneDnn> make(const Case& c, Direction direction, bool plain,
                                    dnnl_alg_kind_t algorithm) {
    OneDnn made;
    const dnnl_primitive_desc_t forward = described(c, Direction::Forward, plain, algorithm, {});
    if (!forward) return std::nullopt;
    made.hint_ = {forward, dnnl_primitive_desc_destroy};
    if (direction == Direction::Forward)
      return made.prepare(forward, {{DNNL_ARG_SRC, dnnl_query_src_md},
                                    {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                                    {DNNL_ARG_DST, dnnl_query_dst_md}});
    const dnnl_primitive_desc_t back = described(c, direction, plain, algorithm, forward);
    if (!back) return std::nullopt;
    made.back_ = {back, dnnl_primitive_desc_destroy};
    if (direction == Direction::Backward)
      return made.prepare(back, {{DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md},
                                 {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                                 {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md}});
    return made.prepare(back, {{DNNL_ARG_SRC, dnnl_query_src_md},
                               {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md},
                               {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md}});
  }

  void run() const {
    check(dnnl_primitive_execute(primitive_.get(), stream(), static_cast<int>(args_.size()),
                                 args_.data()));
    check(dnnl_stream_wait(stream()));
  }
  const std::string& implementation() const { return implementation_; }

 private:
  static dnnl_engine_t engine() {
    static const dnnl_engine_t cpu = [] {
      dnnl_engine_t made = nullptr;
      check(dnnl_engine_create(&made, dnnl_cpu, 0));
      return made;
    }();
    return cpu;
  }
  static dnnl_stream_t stream() {
    static const dnnl_stream_t only = [] {
      dnnl_stream_t made = nullptr;
      check(dnnl_stream_create(&made, engine(), dnnl_stream_default_flags));
      return made;
    }();
    return only;
  }

  static dnnl_primitive_desc_t described(const Case& c, Direction direction, bool plain,
                                         dnnl_alg_kind_t algorithm, dnnl_primitive_desc_t hint) {
    const auto shape = [](dnnl_dims_t dims, dnnl_format_tag_t tag) {
      dnnl_memory_desc_t made;
      check(dnnl_memory_desc_init_by_tag(&made, 4, dims, dnnl_f32, tag));
      return made;
    };
    const kernels::Window& w = c.window;
    dnnl_dims_t in = {kBatch, w.channels, w.height, w.width};
    dnnl_dims_t kernel = {c.outputs, w.channels, w.kernel_h, w.kernel_w};
    dnnl_dims_t out = {kBatch, c.outputs, w.out_h(), w.out_w()};
    const dnnl_format_tag_t images = plain ? dnnl_nhwc : dnnl_format_tag_any;
    const auto x = shape(in, images), y = shape(out, images);
    const auto weights = shape(kernel, dnnl_format_tag_any);
    const dnnl_dims_t strides = {w.stride, w.stride}, pad = {w.pad, w.pad};
    dnnl_convolution_desc_t d;
    switch (direction) {
      case Direction::Forward:
        check(dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, algorithm, &x, &weights,
                                                 nullptr, &y, strides, pad, pad));
        break;
      case Direction::Backward:
        check(dnnl_convolution_backward_data_desc_init(&d, algorithm, &x, &weights, &y, strides,
                                                       pad, pad));
        break;
      case Direction::Gradient:
        check(dnnl_convolution_backward_weights_desc_init(&d, algorithm, &x, &weights, nullptr, &y,
                                                          strides, pad, pad));
    }
    dnnl_primitive_desc_t made = nullptr;
    const auto status = dnnl_primitive_desc_create(&made, &d, nullptr, engine(), hint);
    if (status != dnnl_unimplemented) check(status);
    return made;
  }

  OneDnn prepare(dnnl_primitive_desc_t description,
                 const std::vector<std::pair<int, dnnl_query_t>>& operands) {
    dnnl_primitive_t primitive = nullptr;
    check(dnnl_primitive_create(&primitive, description));
    primitive_ = {primitive, dnnl_primitive_destroy};
    for (const auto& [arg, query] : operands) {
      const auto* layout = dnnl_primitive_desc_query_md(description, query, 0);
      dnnl_memory_t memory = nullptr;
      check(dnnl_memory_create(&memory, layout, engine(), DNNL_MEMORY_ALLOCATE));
      memories_.emplace_back(memory, dnnl_memory_destroy);
      args_.push_back({arg, memory});
      void* data = nullptr;  // what lay there might be denormal, and slow
      check(dnnl_memory_get_data_handle(memory, &data));
      std::fill_n(static_cast<float*>(data), dnnl_memory_desc_get_size(layout) / sizeof(float),
                  0.1f);
    }
    const char* name = nullptr;
    check(dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name));
    implementation_ = name;
    return std::move(*this);
  }

  Owner<dnnl_primitive_desc> hint_{nullptr, dnnl_primitive_desc_destroy};
  Owner<dnnl_primitive_desc> back_{nullptr, dnnl_primitive_desc_destroy};
  Owner<dnnl_primitive> primitive_{nullptr, dnnl_primitive_destroy};
  std::vector<Owner<dnnl_memory>> memories_;
  std::vector<dnnl_exec_arg_t> args_;
  std::string implementation_;
};

void row(const char* what, double ms, double macs, double unit) {
  std::printf("  %-44s %9.2f ms %8.1f GMAC/s %6.2fx\n", what, ms, macs / ms / 1e6, ms / unit);
}

/// One layer and its signals.
struct Data {
  explicit Data(const Case& shape)
      : c(shape),
        x(random_signal(kBatch, c.inputs(), 1, 1)),
        w(random_signal(c.window.patch(), c.outputs, 1, 2)),
        dy(random_signal(kBatch, c.results(), 1, 3)),
        bias(static_cast<std::size_t>(c.outputs)) {
    y.resize(kBatch, c.results()), dx.resize(kBatch, c.inputs());
    dw.resize(c.window.patch(), c.outputs);
  }

  double ours(Direction direction, bool winograd) {
    const auto& window = c.window;
    using namespace kernels;
    return best_ms([&] {
      switch (direction) {
        case Direction::Forward:
          return (winograd ? winograd_forward : direct_forward)(window, x.value(), w.value(), bias,
                                                                y.value());
        case Direction::Backward:
          return (winograd ? winograd_backward : direct_backward)(window, dy.value(), w.value(),
                                                                  dx.value());
        case Direction::Gradient:
          return (winograd ? winograd_gradient : direct_gradient)(window, x.value(), dy.value(),
                                                                  false, dw.value());
      }
    });
  }

  Case c;
  Signal x, w, dy, y, dx, dw;
  std::vector<real> bias;
};

/// The last column is the time relative to the kernel that the layer takes.
void compare(Data& data) {
  const Case& c = data.c;
  const bool suits = kernels::winograd_suits(c.window, c.outputs);
  for (const auto direction : {Direction::Forward, Direction::Backward, Direction::Gradient}) {
    std::printf(" %s\n", kNames[static_cast<int>(direction)]);
    const double direct = data.ours(direction, false);
    const double taken = suits ? data.ours(direction, true) : direct;
    row("conv_direct", direct, c.macs(), taken);
    if (suits) row("winograd", taken, c.macs(), taken);
    for (const auto& [algorithm, name] :
         {std::pair{dnnl_convolution_auto, "auto"}, std::pair{dnnl_convolution_direct, "direct"},
          std::pair{dnnl_convolution_winograd, "winograd"}}) {
      for (const bool plain : {false, true}) {
        omp_set_num_threads(threads());
        const auto peer = OneDnn::make(c, direction, plain, algorithm);
        const std::string what = std::string("oneDNN ") + name + (plain ? ", NHWC" : ", any");
        if (peer) {
          row((what + ": " + peer->implementation()).c_str(), best_ms([&] { peer->run(); }),
              c.macs(), taken);
        } else {
          std::printf("  %-44s has no kernel for this shape\n", what.c_str());
        }
        omp_set_num_threads(1);  // what our own kernels ask of oneDNN is for one thread
      }
    }
  }
}

/// Times of a multiply-add that is executed, relative to one of direct summation.
void constants(Data& data) {
  const Case& c = data.c;
  std::array<double, 3> direct{};
  std::printf(" kWinogradTime:");
  for (int i = 0; i < 3; ++i) {
    direct[i] = data.ours(Direction{i}, false);
    std::printf(" %.2f %s", data.ours(Direction{i}, true) / direct[i], kNames[i]);
  }
  std::printf("\n");
  for (const double share : {0.01, 0.02, 0.05, 0.1, 0.2}) {
    const Signal x = random_signal(kBatch, c.inputs(), share, 4);
    const Signal dy = random_signal(kBatch, c.results(), share, 5);
    const double below = x.active_share(), above = dy.active_share(), pairs = below * above;
    const double forward = best_ms([&] {
      kernels::active_conv_forward(c.window, x.value(), x.active, data.w.value(), data.bias,
                                   data.y.value());
    });
    const double spread = best_ms([&] {
      kernels::active_conv_spread(c.window, dy.value(), dy.active, data.w.value(), data.dx.value());
    });
    const double backward = best_ms([&] {
      kernels::active_conv_backward(c.window, dy.value(), dy.active, data.w.value(), x.active,
                                    data.dx.value());
    });
    const double gradient = best_ms([&] {
      kernels::active_conv_gradient(c.window, x.value(), x.active, dy.value(), dy.active, false,
                                    data.dw.value());
    });
    std::printf(
        " %4.1f %% active; kSpreadTime: forward %.2f (%.1f ms), spread %.2f (%.1f ms); "
        "kScatteredTime: backward %.0f (%.1f ms), gradient %.0f (%.1f ms)\n",
        100 * share, forward / below / direct[0], forward, spread / above / direct[1], spread,
        backward / pairs / direct[1], backward, gradient / pairs / direct[2], gradient);
  }
}

}  // namespace
}  // namespace engram

int main(int argc, char** argv) {
  using namespace engram;
  kernels::use_one_blas_thread();
  const int kernel = argc > 1 ? std::atoi(argv[1]) : 5;
  const std::vector<int> counts =
      argc > 2 ? std::vector{std::max(1, std::atoi(argv[2]))} : std::vector{1, 2};
  for (const int count : counts) {
    set_threads(count);
    for (const Case& c : {layer(28, 1, 64, kernel), layer(29 - kernel, 64, 128, kernel)}) {
      std::printf("%d thread(s), vectors %s: %dx%dx%d to %d channels, %dx%d, batch %d\n", count,
                  kernels::simd_target(), c.window.height, c.window.width, c.window.channels,
                  c.outputs, kernel, kernel, kBatch);
      Data data(c);
      compare(data);
      if (kernels::winograd_suits(c.window, c.outputs)) constants(data);
    }
  }
}
