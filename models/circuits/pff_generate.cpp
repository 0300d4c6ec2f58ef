// The generating half of predictive forward-forward: codes, images from codes, reconstructions.
#include <algorithm>

#include "models/circuits/pff.h"
#include "utils/elementwise.h"
#include "utils/kernels.h"

namespace engram {
namespace {

void clip01(Mat x) {
  for (real& v : x.all())
    v = std::clamp(v, real{0}, real{1});
}

/// images <- clip01(norm(relu(norm(z2) G2)) G1), of z2 >= 0 which is overwritten.
void paint(const Pff& net, Mat z2, Mat images) {
  normalise_rows(z2, z2);
  Signal level;
  const Mat z1 = level.resize(z2.rows, net.hidden());
  kernels::gemm(false, false, 1, z2, net.weight(Pff::G2), 0, z1);
  kernels::relu(CMat(z1).all(), z1.data);
  normalise_rows(z1, z1);
  kernels::gemm(false, false, 1, z1, net.weight(Pff::G1), 0, images);
  clip01(images);
}

}  // namespace

void Pff::decode(CMat codes, Mat images) const {
  Signal top, level;
  const Mat u = top.resize(codes.rows, o_.latents), z2 = level.resize(codes.rows, hidden_);
  kernels::relu(codes.all(), u.data);
  normalise_rows(u, u);
  kernels::gemm(false, false, 1, u, weight(Gy), 0, z2);
  kernels::relu(CMat(z2).all(), z2.data);
  paint(*this, z2, images);
}

void Pff::reconstruct(CMat images, Mat rebuilt) const {
  Sweep s;
  sweep(images, s);
  paint(*this, s.z2.value(), rebuilt);
}

void Pff::guess(CMat images, std::span<const std::uint8_t> outputs, const Sweep& s,
                Mat labels) const {
  if (o_.code_context == CodeContext::Goodness) {
    Signal x;
    std::copy_n(images.data, images.size(), x.resize(images.rows, images.cols).data);
    Record scores;
    forward(x, scores, {.outputs = outputs});
    std::ranges::fill(labels.all(), real{0});
    const CMat found = std::as_const(scores.out).value();
    for (int i = 0; i < found.rows; ++i) {
      const real* score = found.row(i);
      labels.row(i)[std::max_element(score, score + labels_) - score] = 1;
    }
    return;
  }
  Signal normed;
  const Mat u = normed.resize(images.rows, hidden_);
  normalise_rows(s.z2.value(), u);
  read_out(u, labels);
  std::vector<real> softmax(static_cast<std::size_t>(labels_));
  for (int i = 0; i < labels.rows; ++i) {
    real* p = labels.row(i);
    // The gradient of the cross-entropy of a label is the softmax, less one at that label.
    kernels::softmax_cross_entropy({p, softmax.size()}, 0, {}, 1, softmax.data());
    softmax[0] += 1;
    std::copy(softmax.begin(), softmax.end(), p);
  }
}

void Pff::encode(CMat images, std::span<const std::uint8_t> outputs, Mat codes) const {
  Sweep s;
  sweep(images, s);
  Signal label, drive, normed, lateral, state;
  const Mat y = label.resize(images.rows, labels_);
  guess(images, outputs, s, y);
  const Mat d = drive.resize(images.rows, hidden_), z2 = state.resize(images.rows, hidden_);
  kernels::gemm(false, false, static_cast<real>(o_.label_strength), y, weight(V), 0, d,
                row(B2).data());
  lateral_weights(2, lateral);
  std::vector<real> goodness(static_cast<std::size_t>(images.rows));
  advance({std::as_const(s.bottom_up).value(), d, std::as_const(s.z2).value(),
           std::as_const(lateral).value(), nullptr, nullptr, nullptr, z2, goodness.data(),
           nullptr});
  // Theirs is 12500 times as long, which nothing that reads a code sees.
  kernels::gemm(false, true, 1, z2, weight(Gy), 0, codes);
}

}  // namespace engram
