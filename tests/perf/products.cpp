// Times the products that layers choose between, and the sweep of an optimiser: the figures behind
// the times of utils/product_times.h, sparse_storage_pays and prefers_onednn.
// usage: products [threads]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "learners/registry.h"
#include "models/layers.h"
#include "models/network.h"
#include "tests/perf/timing.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/sparse_kernels.h"

namespace engram {
namespace {

void row(const char* what, double ms, double macs) {
  std::printf("%-44s %9.3f ms %8.1f GMAC/s\n", what, ms, macs / ms / 1e6);
}

void products(int batch, int in, int out, std::vector<double> shares) {
  std::printf("batch %d, %d inputs, %d outputs\n", batch, in, out);
  const double dense = 1.0 * batch * in * out;
  const auto matrix = [](int rows, int cols) { return random_signal(rows, cols, 1, 7); };
  const Signal w = matrix(in, out), dy = matrix(batch, out), x = matrix(batch, in);
  Signal y, g, dx;
  y.resize(batch, out), g.resize(in, out), dx.resize(batch, in);
  using kernels::GemmLibrary;
  for (const auto& [name, library] :
       {std::pair{"OpenBLAS", GemmLibrary::OpenBlas}, std::pair{"oneDNN", GemmLibrary::OneDnn}}) {
    kernels::use_gemm_library(library);
    std::printf(" %s\n", name);
    row("  forward  x w",
        best_ms([&] { kernels::gemm(false, false, 1, x.value(), w.value(), 0, y.value()); }),
        dense);
    row("  backward dy w^T",
        best_ms([&] { kernels::gemm(false, true, 1, dy.value(), w.value(), 0, dx.value()); }),
        dense);
    row("  gradient x^T dy",
        best_ms([&] { kernels::gemm(true, false, 1, x.value(), dy.value(), 0, g.value()); }),
        dense);
  }
  kernels::use_gemm_library(GemmLibrary::Best);
  for (const double share : shares) {
    const Signal sparse = random_signal(batch, in, share, 3);
    const double macs = dense * sparse.active_share();
    std::printf(" %.2f %% of the inputs active\n", 100 * sparse.active_share());
    SparseRows rows, columns;
    GroupedRows grouped;
    const auto list = [&] { rows.assign(sparse.value(), sparse.active); };
    list();
    std::printf("  lists %.3f ms, transposed %.3f ms, grouped %.3f ms\n", best_ms(list),
                best_ms([&] { columns.assign_transposed(sparse.value(), sparse.active); }),
                best_ms([&] { grouped.assign(rows.view(), 0, in); }));
    row("  spmm forward", best_ms([&] {
          rows.assign(sparse.value(), sparse.active);
          kernels::spmm(rows.view(), w.value(), w.value().row(0), false, y.value());
        }),
        macs);
    row("  spmm gradient", best_ms([&] {
          columns.assign_transposed(sparse.value(), sparse.active);
          kernels::spmm(columns.view(), dy.value(), nullptr, false, g.value());
        }),
        macs);
    row("  sddmm backward",
        best_ms([&] { kernels::sddmm(dy.value(), w.value(), sparse.active, dx.value()); }), macs);
  }
}

/// One layer as a network: what it costs dense, masked and sparse at a density.
void storage(int batch, int in, int out, double density, double share) {
  const Signal x = random_signal(batch, in, share, 3), dy = random_signal(batch, out, 0.05, 4);
  for (const auto kind : {WeightStorage::Dense, WeightStorage::Sparse}) {
    std::vector<LayerPtr> layers;
    layers.push_back(linear(out, {.density = density, .storage = kind}));
    Network net({1, 1, in}, std::move(layers), Rng(1));
    OptimizerOptions o;
    o.momentum = 0.9, o.weight_decay = 1e-4;
    const auto optimizer = make_optimizer(o, net.params());
    Record y;
    Signal dx;
    const double ms = best_ms([&] {
      net.params().zero_grad();
      net.layer(0).forward(x, y, {});
      net.layer(0).accumulate(x, y, dy, {});
      net.layer(0).backward_input(x, y, dy, dx, {}, {});
      optimizer->step(0.1);
    });
    std::printf("%d-%d, density %.2f, inputs %.1f %%, errors 5 %%, stored %s: %.3f ms\n", in, out,
                density, 100 * share, kind == WeightStorage::Dense ? "dense" : "sparse", ms);
  }
}

/// A convolution dense and sparse at a density.
void conv_storage(int stride, double density) {
  const Signal x = random_signal(32, 24 * 24 * 64, 1, 3);
  for (const auto kind : {WeightStorage::Dense, WeightStorage::Sparse}) {
    std::vector<LayerPtr> layers;
    layers.push_back(conv2d(128, 5, stride, 0, {.density = density, .storage = kind}));
    Network net({24, 24, 64}, std::move(layers), Rng(1));
    const Signal dy = random_signal(32, net.outputs(), 1, 4);
    Signal full;  // without active sets
    std::copy_n(x.value().data, x.value().size(), full.resize(x.rows(), x.cols()).data);
    Signal error;
    std::copy_n(dy.value().data, dy.value().size(), error.resize(dy.rows(), dy.cols()).data);
    Record y;
    Signal dx;
    const double ms = best_ms([&] {
      net.params().zero_grad();
      net.layer(0).forward(full, y, {});
      net.layer(0).accumulate(full, y, error, {});
      net.layer(0).backward_input(full, y, error, dx, {}, {});
    });
    std::printf("conv 64-128, 5x5, stride %d, density %.2f, stored %s: %.2f ms\n", stride, density,
                kind == WeightStorage::Dense ? "dense" : "sparse", ms);
  }
}

void sweeps(int rows, int cols) {
  for (const char* name : {"sgd", "adam"}) {
    ParamStore params;
    params.add("w", rows, cols);
    params.allocate();
    OptimizerOptions o;
    o.optimizer = name, o.momentum = 0.9, o.nesterov = true, o.weight_decay = 1e-4;
    const auto optimizer = make_optimizer(o, params);
    const double idle = best_ms([&] { optimizer->step(0.01); });
    std::fill_n(params.open_gradient(0).value.data, params.param(0).size(), real{0.01f});
    const double full = best_ms([&] { optimizer->step(0.01); });
    std::printf("%s over %d x %d: no gradient %.3f ms, full gradient %.3f ms\n", name, rows, cols,
                idle, full);
  }
}

}  // namespace
}  // namespace engram

int main(int argc, char** argv) {
  using namespace engram;
  kernels::use_one_blas_thread();
  set_threads(argc > 1 ? std::max(1, std::atoi(argv[1])) : 1);
  std::printf("%d threads, BLAS core %s, vectors %s\n", threads(), kernels::blas_core(),
              kernels::simd_target());
  products(128, 784, 4000, {0.19, 0.3, 0.5});
  products(256, 2000, 2000, {0.1, 0.3, 0.5});
  products(128, 4000, 4000, {0.0005, 0.05});
  for (const double density : {0.05, 0.1, 0.2, 0.35, 0.5})
    storage(128, 784, 2048, density, 0.19);
  for (const double density : {0.05, 0.1, 0.2})
    storage(128, 2048, 2048, density, 0.025);
  for (const int stride : {1, 2})
    for (const double density : {0.01, 0.02, 0.05, 0.1, 0.2, 0.35})
      conv_storage(stride, density);
  sweeps(784, 4000);
  sweeps(2000, 2800);
}
