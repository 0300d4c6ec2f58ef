// Feed-forward networks as the textbook writes them: one sum per output, one example at a time.
// Rules are held against it. It shares nothing with the library but the weights.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "learners/loss.h"
#include "models/network.h"
#include "models/synaptic.h"

namespace engram::testing {

using Numbers = std::vector<double>;

/// A layer with weights: a = f(W a_source + b + a_added), f = relu or nothing.
struct Node {
  int layer = 0;                                    ///< in the network
  int kernel = 0, stride = 1, pad = 0, groups = 1;  ///< kernel 0: fully connected
  int source = -1;                                  ///< node that is read; -1: the input
  int added = -1;                                   ///< node whose activity is added
  bool relu = true;
};

/// Error of one example, 1 / rows included (the specification's table of losses).
inline Numbers error_of(Loss loss, const Numbers& y, int target, int rows) {
  Numbers e(y.size());
  double sum = 0;
  for (const double v : y)
    sum += std::exp(v);
  const double n = static_cast<double>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double wanted = static_cast<int>(i) == target;
    if (loss == Loss::CrossEntropy) e[i] = std::exp(y[i]) / sum - wanted;
    if (loss == Loss::Bce) e[i] = (1 / (1 + std::exp(-y[i])) - wanted) / n;
    if (loss == Loss::Mse) e[i] = 2 / n * (y[i] - wanted);
    e[i] /= rows;
  }
  return e;
}

class Reference {
 public:
  enum class Way { Chain, DirectDense, DirectShared };
  Reference(const Network& net, std::vector<Node> nodes) : net_(net), nodes_(std::move(nodes)) {}

  const Node& node(int n) const { return nodes_[static_cast<std::size_t>(n)]; }
  int size() const { return static_cast<int>(nodes_.size()); }
  std::string name(int n) const { return net_.layer_name(node(n).layer); }
  const SynapticMatrix& matrix(int n) const {
    return *net_.layer(node(n).layer).synapses().front();
  }
  Numbers weight(int n) const { return numbers(matrix(n).weight()); }
  static Numbers numbers(CMat m) { return {m.data, m.data + m.size()}; }

  /// Gradients of weights ("conv1.weight") and biases; `carrier(node)`: the matrix on the way down.
  std::map<std::string, Numbers> gradients(const Batch& batch, Loss loss,
                                           const std::function<Numbers(int)>& carrier,
                                           Way way = Way::Chain) const {
    std::map<std::string, Numbers> all;
    for (int b = 0; b < batch.rows(); ++b)
      example(batch, b, loss, carrier, way, all);
    return all;
  }

 private:
  /// Calls body(output, input, weight) for every synapse, with `outputs` channels.
  template <class Body>
  void synapses(int n, int channels, Body body) const {
    const Node& at = node(n);
    const ImageShape in = net_.input_shape(at.layer), out = net_.output_shape(at.layer);
    if (at.kernel == 0) {
      for (int i = 0; i < in.size(); ++i)
        for (int o = 0; o < channels; ++o)
          body(o, i, i * channels + o);
      return;
    }
    const int below = in.channels / at.groups;
    for (int oy = 0; oy < out.height; ++oy)
      for (int ox = 0; ox < out.width; ++ox)
        for (int ky = 0; ky < at.kernel; ++ky)
          for (int kx = 0; kx < at.kernel; ++kx) {
            const int y = oy * at.stride + ky - at.pad, x = ox * at.stride + kx - at.pad;
            if (y < 0 || x < 0 || y >= in.height || x >= in.width) continue;
            for (int c = 0; c < below; ++c)
              for (int o = 0; o < channels; ++o) {
                const int first = at.groups == 1 ? 0 : o / (channels / at.groups) * below;
                body((oy * out.width + ox) * channels + o,
                     (y * in.width + x) * in.channels + first + c,
                     ((ky * at.kernel + kx) * below + c) * channels + o);
              }
          }
  }

  void example(const Batch& batch, int b, Loss loss, const std::function<Numbers(int)>& carrier,
               Way way, std::map<std::string, Numbers>& all) const {
    const real* const row = batch.x.value().row(b);
    const Numbers input(row, row + batch.x.cols());
    std::vector<Numbers> a, t;
    for (int n = 0; n < size(); ++n) {
      const Node& at = node(n);
      const Numbers& x = at.source < 0 ? input : a[static_cast<std::size_t>(at.source)];
      Numbers z(static_cast<std::size_t>(net_.output_shape(at.layer).size()));
      const int channels = matrix(n).fans().outputs;
      for (std::size_t i = 0; i < z.size(); ++i)
        z[i] = matrix(n).bias()[i % static_cast<std::size_t>(channels)];
      const Numbers w = weight(n);
      synapses(n, channels, [&](int o, int i, int s) { z[u(o)] += w[u(s)] * x[u(i)]; });
      for (std::size_t i = 0; i < z.size(); ++i) {
        if (at.added >= 0) z[i] += a[u(at.added)][i];
        if (at.relu && z[i] < 0) z[i] = 0;
      }
      a.push_back(z), t.push_back(Numbers(z.size(), 0));
    }
    const Numbers e = error_of(loss, a.back(), batch.target[u(b)], batch.rows());
    t.back() = e;
    for (int n = size() - 1; n >= 0; --n) {
      const Node& at = node(n);
      Numbers& g = t[u(n)];
      for (std::size_t i = 0; i < g.size(); ++i)
        if (at.relu && !(a[u(n)][i] > 0)) g[i] = 0;
      const Numbers& x = at.source < 0 ? input : a[u(at.source)];
      const int channels = matrix(n).fans().outputs;
      Numbers& dw = all[name(n) + ".weight"];
      Numbers& db = all[name(n) + ".bias"];
      dw.resize(matrix(n).weight().size()), db.resize(u(channels));
      synapses(n, channels, [&](int o, int i, int s) { dw[u(s)] += g[u(o)] * x[u(i)]; });
      for (std::size_t i = 0; i < g.size(); ++i)
        db[i % u(channels)] += g[i];
      if (at.added >= 0)
        for (std::size_t i = 0; i < g.size(); ++i)
          t[u(at.added)][i] += g[i];
      if (at.source >= 0) descend(n, carrier(n), way, g, e, t[u(at.source)]);
    }
  }

  void descend(int n, const Numbers& r, Way way, const Numbers& g, const Numbers& e,
               Numbers& below) const {
    const std::size_t outputs = e.size();
    if (way == Way::DirectDense || (way == Way::DirectShared && node(n).kernel == 0)) {
      for (std::size_t i = 0; i < below.size(); ++i)
        for (std::size_t o = 0; o < outputs; ++o)
          below[i] += r[i * outputs + o] * e[o];
    } else if (way == Way::DirectShared) {  // every place of the output meets the same error
      synapses(n, static_cast<int>(outputs),
               [&](int o, int i, int s) { below[u(i)] += r[u(s)] * e[u(o) % outputs]; });
    } else {
      synapses(n, matrix(n).fans().outputs,
               [&](int o, int i, int s) { below[u(i)] += r[u(s)] * g[u(o)]; });
    }
  }

  static std::size_t u(int i) { return static_cast<std::size_t>(i); }
  const Network& net_;
  std::vector<Node> nodes_;
};

/// Largest difference between the gradients in a network and those of a reference.
inline double worst_difference(Network& net, const std::map<std::string, Numbers>& expected) {
  double worst = 0;
  for (const auto& [name, values] : expected) {
    const int id = net.params().find(name);
    if (id < 0) continue;  // no bias
    const CMat g = net.params().grad(id);
    for (std::size_t i = 0; i < g.size(); ++i)
      worst = std::max(worst, std::abs(g.data[i] - values.at(i)));
  }
  return worst;
}

}  // namespace engram::testing
