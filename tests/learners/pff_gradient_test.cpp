// Predictive forward-forward in double precision: every gradient of every update against central
// differences of its local losses, and whole batches against the specification's equations.
#include <gtest/gtest.h>

#include "learners/forward_forward/pff_generator.h"
#include "learners/forward_forward/wrong_labels.h"
#include "learners/registry.h"
#include "models/circuits/circuits.h"
#include "tests/learners/examples.h"
#include "tests/learners/pff_reference.h"

namespace engram {
namespace {

using testing::differences;
using testing::Keys;
using testing::Matrix;
using testing::Parameters;
using testing::PffReference;
using testing::random_batch;
using testing::Ruled;

static_assert(sizeof(real) == 8, "rules are checked in double precision");

constexpr int kPixels = 7, kHidden = 6, kLabels = 3, kRows = 5, kSteps = 4;

PffOptions small() {
  PffOptions o;
  o.steps = kSteps, o.group = 3, o.latents = 4;
  return o;
}
std::vector<LayerPtr> circuit(const PffOptions& options) {
  ModelOptions model;
  model.pff = options, model.hidden_units = kHidden;
  return pff_layers(model, {1, kLabels});
}
Batch images(std::uint64_t seed = 5) {
  Batch batch = random_batch(kRows, kPixels, kLabels, 1, seed);
  for (real& v : batch.x.value().all())
    v = std::abs(v);
  return batch;
}
constexpr const char* kRepresentation[] = {"W1", "W2", "V2", "V", "W", "b1", "b2", "b", "L1", "L2"};
constexpr const char* kGenerative[] = {"G1", "G2", "Gy"};

/// The rule beside the reference, update by update.
struct Pair {
  Pair(const PffOptions& options, const Keys& keys)
      : ruled("pff", keys, {1, 1, kPixels}, circuit(options)), batch(images()) {
    // Dead lateral synapses have no gradient; relus of images that are out of [0, 1] neither.
    ParamStore& store = ruled.net->params();
    store.value(store.find("pff1.L1")).data[4] = -0.01;
    store.value(store.find("pff1.G1")).data[3] = -0.4;
    reference.c.group = options.group;
    reference.c.memory = options.memory, reference.c.strength = options.label_strength;
    reference.c.lateral = options.lateral;
    reference.c.low = options.positive_goodness == PositiveGoodness::Low;
    read_parameters();
    LabelledRows rows;
    draw_wrong_labels(batch, kLabels, Negatives::All, root().fork("negatives"), rows);
    const int n = rows.rows();
    reference.x = Matrix(n, kPixels), reference.y = Matrix(n, kLabels);
    reference.positives = rows.positives;
    for (int i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      for (int j = 0; j < kPixels; ++j)
        reference.x(i, j) = std::as_const(batch.x).value().row(rows.image[at])[j];
      reference.y(i, rows.label[at]) = 1;
      reference.lab.push_back(i < rows.positives);
    }
    reference.sweep();
  }
  static Rng root() { return Rng(77).fork("pass", 0); }

  void read_parameters() {
    const ParamStore& store = ruled.net->params();
    for (int id = 0; id < store.count(); ++id) {
      const CMat w = store.value(id);
      Matrix m(w.rows, w.cols);
      std::copy_n(w.data, w.size(), m.v.begin());
      reference.p[store.param(id).name.substr(std::string("pff1.").size())] = m;
    }
  }
  Matrix noise(Rng rng, double deviation) const {
    Matrix m(reference.x.rows, kHidden);
    if (deviation > 0) rng.normals(deviation, m.v);
    return m;
  }
  BatchStats learn(int update) {
    ruled.net->params().zero_grad();
    return ruled.rule->learn(*ruled.net, batch, {.training = true, .rng = root(), .update = update},
                             {});
  }
  double worst(const char* name, const std::vector<double>& expected) {
    const auto found = ruled.gradient(std::string("pff1.") + name);
    double off = 0;
    for (std::size_t k = 0; k < expected.size(); ++k)
      off = std::max(off, std::abs(found[k] - expected[k]));
    return off;
  }

  /// Checks the gradients of update u, then moves the reference's states on.
  void check(int u, double rep_noise, double gen_noise, bool all_rows = true) {
    const Matrix xi[2] = {
        noise(root().fork("noise", static_cast<std::uint64_t>(2 * u + 1)), rep_noise),
        noise(root().fork("noise", static_cast<std::uint64_t>(2 * u + 2)), rep_noise)};
    learn(u);
    const Parameters& p = reference.p;
    for (const char* name : kRepresentation) {
      const auto g = differences(
          p, name, [&](const Parameters& q) { return reference.representation_loss(q, xi); });
      EXPECT_LT(worst(name, g), 1e-7) << name << " in update " << u;
      EXPECT_TRUE(std::ranges::any_of(g, [](double v) { return std::abs(v) > 1e-5; }))
          << name << " has nothing to learn";
    }
    const Matrix z1 = reference.next(1, p, xi[0]), z2 = reference.next(2, p, xi[1]);
    const Rng eta = root().fork("generative", static_cast<std::uint64_t>(u));
    const Matrix noises[2] = {noise(eta.fork("level", 1), gen_noise),
                              noise(eta.fork("level", 2), gen_noise)};
    if (all_rows)
      for (const char* name : kGenerative) {
        const auto g = differences(p, name, [&](const Parameters& q) {
          return reference.generative_loss(q, reference.code, z1, z2, noises);
        });
        EXPECT_LT(worst(name, g), 1e-7) << name << " in update " << u;
      }
    if (u == 0) reference.code = times_transposed(z2, p.at("Gy"));
    reference.z1 = z1, reference.z2 = z2;
  }
  static Matrix times_transposed(const Matrix& a, const Matrix& b) {
    Matrix c(a.rows, b.rows);
    for (int i = 0; i < a.rows; ++i)
      for (int j = 0; j < b.rows; ++j)
        for (int k = 0; k < a.cols; ++k)
          c(i, j) += a(i, k) * b(j, k);
    return c;
  }

  Ruled ruled;
  Batch batch;
  PffReference reference;
};

const Keys kQuiet = {{"pff.noise", "0"}, {"pff.generative_noise", "0"}, {"pff.negatives", "all"}};

Keys with(Keys keys, std::initializer_list<std::pair<const char*, const char*>> more) {
  keys.insert(keys.end(), more);
  return keys;
}

/// All updates of a batch, each followed by a step along the gradient.
void check_batch(Pair& pair, double rep_noise, double gen_noise) {
  for (int u = 0; u < kSteps; ++u) {
    pair.check(u, rep_noise, gen_noise);
    ParamStore& store = pair.ruled.net->params();
    for (int id = 0; id < store.count(); ++id) {
      const Mat w = store.value(id), g = store.grad(id);
      for (std::size_t k = 0; k < w.size(); ++k)
        w.data[k] -= 0.05 * g.data[k];
    }
    pair.read_parameters();
  }
}

TEST(PffGradients, AreTheDifferencesOfTheLocalLosses) {
  Pair pair(small(), kQuiet);
  check_batch(pair, 0, 0);
}

TEST(PffGradients, AreSoWithNoiseAndDecayOfTheNorms) {
  Pair pair(small(), {{"pff.noise", "0.1"},
                      {"pff.generative_noise", "0.2"},
                      {"pff.norm_decay", "0.03"},
                      {"pff.generative_norm_decay", "0.02"},
                      {"pff.negatives", "all"}});
  pair.reference.c.decay = 0.03, pair.reference.c.generative_decay = 0.02;
  check_batch(pair, 0.1, 0.2);
}

TEST(PffGradients, AreSoWithTheTrueDerivativeOfRelu) {
  Pair pair(small(), with(kQuiet, {{"pff.relu_gradient", "true"}}));
  pair.reference.c.true_relu = true;
  check_batch(pair, 0, 0);
}

TEST(PffGradients, AreSoWithHighGoodnessOfPositivesAndAnotherThreshold) {
  PffOptions o = small();
  o.positive_goodness = PositiveGoodness::High, o.memory = 0.6, o.label_strength = 2, o.lateral = 2;
  Pair pair(o, with(kQuiet, {{"pff.threshold", "2.5"}}));
  pair.reference.c.threshold = 2.5;
  check_batch(pair, 0, 0);
}

TEST(PffGradients, OfTheReadoutMayComeFromTheSweep) {
  Pair pair(small(), with(kQuiet, {{"pff.readout_source", "unclamped"}}));
  pair.reference.c.clamped = false;
  check_batch(pair, 0, 0);
}

// The code starts at 0, where the norm's derivative is 1e8.
TEST(PffCode, OfTheAuthorsJumpsOnceAlongTheTiedWeightsAndStands) {
  PffRuleOptions o;
  o.generative_noise = 0, o.code_mode = CodeMode::Repo;
  Pair pair(small(), kQuiet);
  auto& pff = *find_layer<Pff>(*pair.ruled.net);
  Rng rng(4);
  Signal z1, z2;
  for (real& v : z1.resize(kRows, kHidden).all())
    v = std::abs(rng.normal());
  for (real& v : z2.resize(kRows, kHidden).all())
    v = std::abs(rng.normal());
  const std::vector<int> own = {0, 1, 2, 3, 4};
  PffGenerator repo(o);
  o.code_mode = CodeMode::ClosedForm;
  PffGenerator closed(o);
  Macs macs;
  std::vector<double> first;
  for (int u = 0; u < 3; ++u)
    for (PffGenerator* g : {&repo, &closed}) {
      if (u == 0) g->start(pff, kRows, rng);
      pair.ruled.net->params().zero_grad();
      g->learn(pff, pair.ruled.net->params(), std::as_const(pair.batch.x).value(), own, z1.value(),
               z2.value(), rng, macs);
      const CMat code = g->code();
      for (int i = 0; i < kRows; ++i)
        for (int h = 0; h < pff.latents(); ++h) {
          double tied = 0;
          for (int j = 0; j < kHidden; ++j)
            tied += std::as_const(z2).value().row(i)[j] * pff.weight(Pff::Gy).row(h)[j];
          const double factor = g == &repo ? 2 * 0.025 * 1e8 / kRows : 1;
          EXPECT_NEAR(code.row(i)[h], factor * tied, 1e-9 * factor);
        }
    }
}

TEST(PffCode, MayDescendInstead) {
  PffRuleOptions o;
  o.generative_noise = 0, o.code_mode = CodeMode::Stable, o.code_step = 1e-3;
  Pair pair(small(), kQuiet);
  auto& pff = *find_layer<Pff>(*pair.ruled.net);
  Rng rng(4);
  Signal z;
  for (real& v : z.resize(kRows, kHidden).all())
    v = std::abs(rng.normal());
  const std::vector<int> own = {0, 1, 2, 3, 4};
  PffGenerator generator(o);
  generator.start(pff, kRows, rng);
  Macs macs;
  std::vector<double> losses;
  for (int u = 0; u < 200; ++u) {
    pair.ruled.net->params().zero_grad();
    losses.push_back(generator.learn(pff, pair.ruled.net->params(),
                                     std::as_const(pair.batch.x).value(), own, z.value(), z.value(),
                                     rng, macs));
  }
  // Only the code moves: what it cannot explain stays.
  EXPECT_LT(losses.back(), losses.front() - 0.01);
}

std::vector<real> learnt(bool generative) {
  Ruled r("pff", {{"pff.generative", generative ? "true" : "false"}}, {1, 1, kPixels},
          circuit(small()));
  const auto adam = make_optimizer({.optimizer = "adam", .lr = 0.01}, r.net->params());
  for (std::uint64_t step = 0; step < 3; ++step)
    for (int u = 0; u < kSteps; ++u) {
      r.net->params().zero_grad();
      r.rule->learn(*r.net, images(step),
                    {.training = true, .rng = Rng(1).fork("pass", step), .update = u}, {});
      adam->step(0.01);
    }
  std::vector<real> all;
  for (const char* name : kRepresentation)
    for (const real w : r.value(std::string("pff1.") + name))
      all.push_back(w);
  return all;
}

TEST(Pff, RepresentsTheSameBitsWhetherItGeneratesOrNot) {
  EXPECT_EQ(learnt(true), learnt(false));
}

}  // namespace
}  // namespace engram
