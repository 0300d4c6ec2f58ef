// Predictive forward-forward in double precision: scores of labels against the circuit run with
// that label clamped, images and codes, and whole batches with Adam in Keras' form against the
// specification's gradients written out (sections 2 and 4).
#include <limits>

#include <gtest/gtest.h>

#include "learners/forward_forward/wrong_labels.h"
#include "learners/registry.h"
#include "models/circuits/circuits.h"
#include "models/circuits/pff.h"
#include "tests/learners/examples.h"
#include "tests/learners/ff_reference.h"
#include "tests/learners/parameters_of.h"
#include "tests/learners/written_out.h"

namespace engram {
namespace {

using testing::clipped01;
using testing::column_sums;
using testing::farthest;
using testing::FfReference;
using testing::goodness;
using testing::KerasAdam;
using testing::Keys;
using testing::Matrix;
using testing::matrix_of;
using testing::normed;
using testing::Parameters;
using testing::parameters_of;
using testing::PffReference;
using testing::positive;
using testing::product;
using testing::random_batch;
using testing::rectified;
using testing::Ruled;
using testing::times;
using testing::transposed;

static_assert(sizeof(real) == 8, "rules are checked in double precision");

constexpr int kPixels = 7, kHidden = 6, kLabels = 3;

PffOptions small(int steps = 4) {
  PffOptions o;
  o.steps = steps, o.group = 3, o.latents = 4;
  return o;
}
std::vector<LayerPtr> circuit(const PffOptions& options) {
  ModelOptions model;
  model.pff = options, model.hidden_units = kHidden;
  return pff_layers(model, {1, kLabels});
}
/// `scale`: images beyond [0, 1] make gradients that are worth clipping.
Batch some_images(int rows, std::uint64_t seed, double scale = 1) {
  Batch batch = random_batch(rows, kPixels, kLabels, 1, seed);
  for (real& v : batch.x.value().all())
    v = scale * std::abs(v);
  return batch;
}
PffReference::Constants constants(const PffOptions& o) {
  PffReference::Constants c;
  c.group = o.group, c.memory = o.memory, c.strength = o.label_strength, c.lateral = o.lateral;
  c.low = o.positive_goodness == PositiveGoodness::Low;
  return c;
}
void stir(ParamStore& store, double by = 0.2) {
  Rng rng(31);
  for (int id = 0; id < store.count(); ++id)
    for (real& w : store.value(id).all())
      w += by * rng.normal();
}
struct Expected {
  std::vector<double> score, goodness1, goodness2;  ///< per row
};

/// Section 5a for one label: the circuit runs under it from the label-free sweep; steps from .. to.
Expected run_clamped(PffReference reference, int label, int from, int to, double divisor) {
  const int rows = reference.x.rows;
  reference.y = Matrix(rows, kLabels);
  for (int i = 0; i < rows; ++i)
    reference.y(i, label) = 1;
  reference.sweep();
  const Matrix quiet(rows, kHidden);
  const auto size = static_cast<std::size_t>(rows);
  Expected e{std::vector<double>(size), std::vector<double>(size), std::vector<double>(size)};
  for (int k = 0; k <= to; ++k) {
    const Matrix z1 = reference.next(1, reference.p, quiet);
    const Matrix z2 = reference.next(2, reference.p, quiet);
    reference.z1 = z1, reference.z2 = z2;
    if (k < from) continue;
    for (int i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double g1 = goodness(z1, i), g2 = goodness(z2, i);
      e.score[at] += (reference.c.low ? -0.5 : 0.5) * (g1 + g2) / divisor;
      e.goodness1[at] += g1 / (to - from + 1), e.goodness2[at] += g2 / (to - from + 1);
    }
  }
  return e;
}

struct Window {
  PffWindow window;
  int steps, from, to;  ///< of K steps those from .. to, both counted from 0, inclusive
  double divisor;
};

void check_scores(const PffOptions& options, const Window& w, int rows,
                  const std::vector<std::uint8_t>& outputs = {}) {
  SCOPED_TRACE("K = " + std::to_string(w.steps) + ", steps " + std::to_string(w.from) + " to " +
               std::to_string(w.to));
  PffOptions o = options;
  o.steps = w.steps, o.window = w.window;
  Network net({1, 1, kPixels}, circuit(o), Rng(3));
  stir(net.params());
  const Batch batch = some_images(rows, 6);
  Tape tape;
  net.evaluate(batch.x, tape, {.outputs = outputs});
  const Record& found = tape.back();
  PffReference reference;
  reference.c = constants(o), reference.p = parameters_of(net.params());
  reference.x = matrix_of(batch.x.value());
  ASSERT_EQ(found.saved.size(), static_cast<std::size_t>(rows * kLabels * 2));
  for (int label = 0; label < kLabels; ++label) {
    const Expected e = run_clamped(reference, label, w.from, w.to, w.divisor);
    for (int i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double score = found.out.value().row(i)[label];
      const real* saved = &found.saved[(at * kLabels + static_cast<std::size_t>(label)) * 2];
      if (!outputs.empty() && !outputs[static_cast<std::size_t>(label)]) {
        ASSERT_EQ(score, std::numeric_limits<real>::lowest());
        ASSERT_TRUE(std::isnan(saved[0]) && std::isnan(saved[1]));
        continue;
      }
      ASSERT_NEAR(score, e.score[at], 1e-10) << "row " << i << ", label " << label;
      ASSERT_NEAR(saved[0], e.goodness1[at], 1e-10) << "row " << i << ", label " << label;
      ASSERT_NEAR(saved[1], e.goodness2[at], 1e-10) << "row " << i << ", label " << label;
    }
  }
}

/// The authors' loop ends before K/2 + 1, and divides its two steps by three.
const Window kWindows[] = {{PffWindow::Repo, 4, 1, 2, 3},       {PffWindow::Repo, 8, 3, 4, 3},
                           {PffWindow::Repo, 12, 5, 6, 3},      {PffWindow::Repo, 5, 1, 2, 3},
                           {PffWindow::Inclusive, 4, 1, 3, 3},  {PffWindow::Inclusive, 8, 3, 5, 3},
                           {PffWindow::Inclusive, 12, 5, 7, 3}, {PffWindow::All, 4, 0, 3, 4},
                           {PffWindow::All, 8, 0, 7, 8},        {PffWindow::All, 12, 0, 11, 12},
                           {PffWindow::Repo, 2, 0, 1, 3},       {PffWindow::Inclusive, 2, 0, 1, 2}};

TEST(PffForward, ScoresALabelByRunningTheCircuitUnderIt) {
  for (const Window& w : kWindows)
    check_scores(small(), w, 5);
}
TEST(PffForward, DoesSoWithHighGoodnessAndOtherConstants) {
  PffOptions o = small();
  o.positive_goodness = PositiveGoodness::High;
  o.memory = 0.6, o.label_strength = 2, o.lateral = 1.7, o.group = 2;
  for (const Window& w : kWindows)
    check_scores(o, w, 5);
  o.lateral = 0;
  check_scores(o, kWindows[1], 5);
}
TEST(PffForward, DoesSoForGroupsThatFillVectorRegistersAndMore) {
  // Members are handled 16 at a time.
  for (const auto& [group, hidden] : {std::pair{16, 32}, std::pair{17, 34}, std::pair{33, 66}}) {
    PffOptions o = small();
    o.group = group;
    ModelOptions model;
    model.pff = o, model.hidden_units = hidden;
    Network net({1, 1, kPixels}, pff_layers(model, {1, kLabels}), Rng(3));
    stir(net.params(), 0.1);
    const Batch batch = some_images(3, 6);
    Tape tape;
    net.evaluate(batch.x, tape, {});
    PffReference reference;
    reference.c = constants(o), reference.p = parameters_of(net.params());
    reference.x = matrix_of(batch.x.value());
    reference.y = Matrix(3, kLabels);
    for (int i = 0; i < 3; ++i)
      reference.y(i, 1) = 1;
    reference.sweep();
    std::vector<double> score(3);
    const Matrix quiet(3, hidden);
    for (int k = 0; k <= 2; ++k) {
      const Matrix z1 = reference.next(1, reference.p, quiet);
      const Matrix z2 = reference.next(2, reference.p, quiet);
      reference.z1 = z1, reference.z2 = z2;
      for (int i = 0; i < 3 && k > 0; ++i)
        score[static_cast<std::size_t>(i)] -= (goodness(z1, i) + goodness(z2, i)) / 6;
    }
    for (int i = 0; i < 3; ++i)
      EXPECT_NEAR(tape.back().out.value().row(i)[1], score[static_cast<std::size_t>(i)], 1e-10);
  }
}
TEST(PffForward, DoesSoForMoreRowsThanItHandlesAtOnce) {
  check_scores(small(), kWindows[0], 400);
}
TEST(PffForward, TriesNoLabelThatNobodyReads) {
  for (const std::vector<std::uint8_t>& outputs :
       {std::vector<std::uint8_t>{1, 0, 1}, {0, 0, 1}, {0, 1, 0}})
    check_scores(small(), kWindows[0], 5, outputs);
  check_scores(small(), kWindows[7], 600, {0, 1, 1});
}

/// From an active second level to an image.
Matrix painted(const Parameters& p, const Matrix& z2) {
  const Matrix z1 = rectified(times(normed(z2), p.at("G2")));
  return clipped01(times(normed(z1), p.at("G1")));
}

struct Painter {
  explicit Painter(const PffOptions& options = small())
      : net({1, 1, kPixels}, circuit(options), Rng(3)), pff(*find_layer<Pff>(net)) {
    stir(net.params(), 0.5);
    reference.c = constants(options), reference.p = parameters_of(net.params());
    reference.x = matrix_of(batch.x.value());
    reference.y = Matrix(9, kLabels);
    reference.sweep();
  }
  Matrix encoded(const std::vector<std::uint8_t>& outputs = {}) const {
    Signal codes;
    codes.resize(9, pff.latents());
    pff.encode(std::as_const(batch.x).value(), outputs, codes.value());
    return matrix_of(codes.value());
  }
  /// The code of section 4 with the label context `y`, up to its length.
  Matrix expected(const Matrix& y) {
    reference.y = y;
    const Matrix z2 = reference.next(2, reference.p, Matrix(9, kHidden));
    return times(z2, transposed(reference.p.at("Gy")));
  }
  Network net;
  Pff& pff;
  Batch batch = some_images(9, 6);
  PffReference reference;
};

TEST(PffImages, AreDecodedFromCodesOfAnyLength) {
  Painter painter;
  Signal codes, images;
  Rng rng(4);
  for (real& v : codes.resize(9, 4).all())
    v = rng.normal();
  painter.pff.decode(codes.value(), images.resize(9, kPixels));
  const Parameters& p = painter.reference.p;
  const Matrix u = normed(rectified(matrix_of(codes.value())));
  const Matrix expected = painted(p, rectified(times(u, p.at("Gy"))));
  const Matrix found = matrix_of(images.value());
  EXPECT_LT(farthest(found.v, expected.v), 1e-10);
  EXPECT_TRUE(std::ranges::any_of(expected.v, [](double v) { return v > 0.1 && v < 0.9; }));
  EXPECT_TRUE(std::ranges::any_of(expected.v, [](double v) { return v == 0; }));
  for (real& v : codes.value().all())
    v *= 1000;
  painter.pff.decode(codes.value(), images.value());
  EXPECT_LT(farthest(matrix_of(images.value()).v, found.v), 1e-6);
}

TEST(PffImages, AreRebuiltFromTheLabelFreeSweep) {
  Painter painter;
  Signal images;
  painter.pff.reconstruct(std::as_const(painter.batch.x).value(), images.resize(9, kPixels));
  const Matrix expected = painted(painter.reference.p, painter.reference.z2);
  EXPECT_LT(farthest(matrix_of(images.value()).v, expected.v), 1e-10);
  EXPECT_TRUE(std::ranges::any_of(expected.v, [](double v) { return v > 0.1 && v < 0.9; }));
}

TEST(PffCodes, AreTakenUnderTheFastGuess) {
  Painter painter;
  PffReference& r = painter.reference;
  const Matrix logits = PffReference::add_row(times(normed(r.z2), r.p.at("W")), r.p.at("b"));
  Matrix y(9, kLabels);
  for (int i = 0; i < 9; ++i)
    for (int k = 0; k < kLabels; ++k)
      y(i, k) = FfReference::softmax(logits, i)[static_cast<std::size_t>(k)];
  EXPECT_LT(farthest(normed(painter.encoded()).v, normed(painter.expected(y)).v), 1e-9);
}

TEST(PffCodes, AreTakenUnderTheLabelOfBestGoodnessIfThatIsWanted) {
  PffOptions o = small();
  o.code_context = CodeContext::Goodness;
  Painter painter(o);
  for (const std::vector<std::uint8_t>& outputs : {std::vector<std::uint8_t>{}, {1, 0, 1}}) {
    std::vector<Expected> by_label;
    for (int label = 0; label < kLabels; ++label)
      by_label.push_back(run_clamped(painter.reference, label, 1, 2, 3));
    Matrix y(9, kLabels);
    for (std::size_t i = 0; i < 9; ++i) {
      int best = 0;
      for (int label = 1; label < kLabels; ++label)
        if ((outputs.empty() || outputs[static_cast<std::size_t>(label)]) &&
            by_label[static_cast<std::size_t>(label)].score[i] >
                by_label[static_cast<std::size_t>(best)].score[i])
          best = label;
      y(static_cast<int>(i), best) = 1;
    }
    const Matrix found = painter.encoded(outputs);
    EXPECT_LT(farthest(normed(found).v, normed(painter.expected(y)).v), 1e-9);
    painter.reference.sweep();
  }
}

/// LEARN_BATCH of section 7 with gradients as sections 2 and 4 print them.
struct Written {
  PffReference r;
  double step_of_code = 0.025;
  bool closed_form = false;  ///< the code jumps once and stands

  Matrix scaled_sigmoid_error(const Matrix& z) const {
    Matrix d = z;
    for (int i = 0; i < z.rows; ++i) {
      const double g = goodness(z, i), lab = r.lab[static_cast<std::size_t>(i)];
      const double p = 1 / (1 + std::exp(r.c.low ? g - r.c.threshold : r.c.threshold - g));
      for (int j = 0; j < z.cols; ++j)
        d(i, j) *= 2 * (1 - r.c.memory) / z.rows * (r.c.low ? lab - p : p - lab);
    }
    return d;
  }
  /// -lateral (zp.T @ D) * S * 1[L > 0], the blocks within groups alone.
  Matrix lateral(const Matrix& raw, const Matrix& zp, const Matrix& d) const {
    const Matrix whole = product(zp, d);
    Matrix g(raw.rows, raw.cols);
    for (int i = 0; i < raw.rows; ++i)
      for (int j = 0; j < raw.cols; ++j) {
        const int to = i / r.c.group * r.c.group + j;
        if (raw(i, j) > 0) g(i, j) = -r.c.lateral * whole(i, to) * (i == to ? -1 : 1);
      }
    return g;
  }

  /// One inner step: gradients of both circuits, then the states and the code move on.
  void inner_step(bool first, const Matrix xi[2], const Matrix eta[2], Parameters& representation,
                  Parameters& generative) {
    const Parameters p = r.p;
    const Matrix u1 = normed(r.z1), u2 = normed(r.z2);
    const Matrix z1 = r.next(1, p, xi[0]), z2 = r.next(2, p, xi[1]);
    const Matrix d1 = scaled_sigmoid_error(z1), d2 = scaled_sigmoid_error(z2);
    const Matrix logits = PffReference::add_row(times(u2, p.at("W")), p.at("b"));
    Matrix d3(r.x.rows, kLabels);
    for (int i = 0; i < r.positives; ++i)
      for (int k = 0; k < kLabels; ++k)
        d3(i, k) = r.c.strength / r.positives *
                   (FfReference::softmax(logits, i)[static_cast<std::size_t>(k)] - r.y(i, k));
    representation = {{"W1", product(normed(r.x), d1)},
                      {"V2", product(u2, d1)},
                      {"b1", column_sums(d1)},
                      {"W2", product(u1, d2)},
                      {"V", product(r.y, d2, r.c.strength)},
                      {"b2", column_sums(d2)},
                      {"W", product(u2, d3)},
                      {"b", column_sums(d3)},
                      {"L1", lateral(p.at("L1"), r.z1, d1)},
                      {"L2", lateral(p.at("L2"), r.z2, d2)}};
    r.z1 = z1, r.z2 = z2;
    generate(first, eta, generative);
  }

  void generate(bool first, const Matrix eta[2], Parameters& gradients) {
    const auto predictor = [](Matrix z, const Matrix& noise) {
      for (std::size_t k = 0; k < z.v.size(); ++k)
        z.v[k] = positive(z.v[k] + noise.v[k]);
      return normed(z);
    };
    const auto less = [](Matrix a, const Matrix& b) {
      for (std::size_t k = 0; k < a.v.size(); ++k)
        a.v[k] -= b.v[k];
      return a;
    };
    const Matrix gy = r.p.at("Gy");
    const Matrix r1 = predictor(r.z1, eta[0]), r2 = predictor(r.z2, eta[1]);
    const Matrix u = normed(rectified(r.code)), a0 = times(r1, r.p.at("G1"));
    Matrix e0 = less(clipped01(a0), r.x);
    for (std::size_t k = 0; k < e0.v.size(); ++k)
      e0.v[k] *= a0.v[k] >= 0 && a0.v[k] <= 1;
    const Matrix e1 = less(rectified(times(r2, r.p.at("G2"))), r.z1);
    const Matrix e2 = less(rectified(times(u, gy)), r.z2);
    const double scale = 2. / r.x.rows;
    gradients = {{"G1", product(r1, e0, scale)},
                 {"G2", product(r2, e1, scale)},
                 {"Gy", product(u, e2, scale)}};
    if (closed_form && first) r.code = times(r.z2, transposed(gy));
    if (!closed_form) move_code(times(e2, transposed(gy)), scale);
  }
  void move_code(const Matrix& along, double scale) {
    for (int i = 0; i < r.code.rows; ++i) {
      double squares = 0, sum = 0;
      for (int j = 0; j < r.code.cols; ++j) {
        const double z = positive(r.code(i, j));
        squares += z * z, sum += scale * along(i, j) * z;
      }
      const double s = std::sqrt(squares), w = s + 1e-8;
      const Matrix before = r.code;
      for (int j = 0; j < r.code.cols; ++j) {
        double dz = scale * along(i, j) / w;
        if (s > 0) dz -= positive(before(i, j)) * sum / (s * w * w);
        r.code(i, j) -= step_of_code * dz;
      }
    }
  }
};

struct Noise {
  double representation = 0, generative = 0;
};

/// Two batches of K updates, everything as in training; then all parameters.
void check_batches(const PffOptions& options, Keys keys, Noise noise, bool closed_form) {
  constexpr int kRows = 5;
  keys.insert(keys.end(), {{"pff.negatives", "all"}, {"pff.threshold", "4"}});
  Ruled ruled("pff", keys, {1, 1, kPixels}, circuit(options));
  ParamStore& store = ruled.net->params();
  store.value(store.find("pff1.L2")).data[4] = -0.01;
  const auto optimizer = make_optimizer(
      {.optimizer = "adam", .lr = 0.01, .epsilon = 1e-7, .epsilon_at = EpsilonAt::Moment}, store);
  Written written;
  written.closed_form = closed_form;
  PffReference& r = written.r;
  r.c = constants(options), r.c.threshold = 4, r.p = parameters_of(store);
  const Parameters at_first = r.p;
  KerasAdam representation(0.01), generative(0.02);  // pff.generative_rate = 2

  for (std::uint64_t step = 0; step < 2; ++step) {
    const Batch batch = some_images(kRows, 5 + step, 3);
    const Rng root = Rng(77).fork("pass", step);
    LabelledRows rows;
    draw_wrong_labels(batch, kLabels, Negatives::All, root.fork("negatives"), rows);
    r.x = Matrix(2 * kRows, kPixels), r.y = Matrix(2 * kRows, kLabels);
    r.positives = kRows, r.lab.clear();
    for (int i = 0; i < 2 * kRows; ++i) {
      for (int j = 0; j < kPixels; ++j)
        r.x(i, j) = batch.x.value().row(i % kRows)[j];
      r.y(i, rows.label[static_cast<std::size_t>(i)]) = 1;
      r.lab.push_back(i < kRows);
    }
    r.sweep();
    const auto drawn = [&](const Rng& rng, double deviation) {
      Matrix m(2 * kRows, kHidden);
      if (deviation > 0) rng.normals(deviation, m.v);
      return m;
    };
    for (int u = 0; u < options.steps; ++u) {
      store.zero_grad();
      ruled.rule->learn(*ruled.net, batch, {.training = true, .rng = root, .update = u}, {});
      store.clip_gradients(1);
      optimizer->step(0.01);

      const auto at = static_cast<std::uint64_t>(u);
      const Matrix xi[2] = {drawn(root.fork("noise", 2 * at + 1), noise.representation),
                            drawn(root.fork("noise", 2 * at + 2), noise.representation)};
      const Rng of_generator = root.fork("generative", at);
      const Matrix eta[2] = {drawn(of_generator.fork("level", 1), noise.generative),
                             drawn(of_generator.fork("level", 2), noise.generative)};
      Parameters of_representation, of_generative;
      written.inner_step(u == 0, xi, eta, of_representation, of_generative);
      representation.step(r.p, of_representation);
      generative.step(r.p, of_generative);
      const Parameters found = parameters_of(store);
      ASSERT_EQ(found.size(), static_cast<std::size_t>(Pff::kSlices));
      for (const auto& [name, w] : found)
        ASSERT_LT(farthest(w.v, r.p.at(name).v), 1e-10)
            << name << " after update " << u << " of batch " << step;
    }
  }
  EXPECT_GT(representation.clipped + generative.clipped, 0);
  for (const auto& [name, w] : r.p)
    EXPECT_GT(farthest(w.v, at_first.at(name).v), 1e-3) << name << " did not move";
}

TEST(PffBatches, MoveAllParametersAsTheSpecificationSays) {
  PffOptions o = small();
  check_batches(o,
                {{"pff.noise", "0"},
                 {"pff.generative_noise", "0"},
                 {"pff.generative_rate", "2"},
                 {"pff.code_mode", "repo"}},
                {}, false);
  check_batches(o,
                {{"pff.noise", "0"},
                 {"pff.generative_noise", "0"},
                 {"pff.generative_rate", "2"},
                 {"pff.code_mode", "closed_form"}},
                {}, true);
}

TEST(PffBatches, DoSoWithNoiseHighGoodnessAndOtherConstants) {
  PffOptions o = small(7);
  o.positive_goodness = PositiveGoodness::High;
  o.memory = 0.5, o.label_strength = 2, o.lateral = 1.5, o.group = 2;
  check_batches(o,
                {{"pff.noise", "0.05"},
                 {"pff.generative_noise", "0.1"},
                 {"pff.generative_rate", "2"},
                 {"pff.code_mode", "repo"}},
                {0.05, 0.1}, false);
}

}  // namespace
}  // namespace engram
