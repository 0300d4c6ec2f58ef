// GDumb, SLDA, iCaRL and deep generative replay against their equations.
#include <algorithm>
#include <armadillo>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "learners/vae.h"
#include "tests/learners/replay_bench.h"

namespace engram::testing {
namespace {

TEST(Gdumb, LearnsFromItsMemoryAloneAndAnew) {
  const auto trained = [](bool two_tasks, std::vector<real>* start) {
    BenchPlan plan;
    plan.classes = 4, plan.each = 6, plan.scenario = {.scenario = Scenario::Class};
    StrategyBench s(plan, stack(linear(5), relu()));
    Strategy& gdumb = s.add("gdumb", {{"gdumb.memory", "4"}, {"gdumb.passes", "3"}});
    EXPECT_TRUE(gdumb.learns_instead());
    if (start) start->assign(s.net->params().values().begin(), s.net->params().values().end());
    for (int e = 0; e < (two_tasks ? 2 : 1); ++e) {
      auto t = s.training(e);
      t.step = e;
      gdumb.begin_experience(t);
      const auto before = s.weights();
      gdumb.after_step(t, s.batch(e));
      EXPECT_EQ(s.weights(), before);
      gdumb.end_experience(t);
      EXPECT_NE(s.weights(), before);
    }
    return s.weights();
  };
  EXPECT_EQ(trained(true, nullptr), trained(true, nullptr));
  EXPECT_NE(trained(true, nullptr), trained(false, nullptr));
}

TEST(Gdumb, ItsFirstStepsAreThoseOfItsSchedule) {
  // One batch a pass, plain SGD: rates lr / 10, lr, then the cosine over two passes from lr on.
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class};
  const auto after = [&](const char* passes) {
    StrategyBench s(plan);
    Strategy& gdumb = s.add("gdumb", {{"gdumb.memory", "8"},
                                      {"gdumb.passes", passes},
                                      {"gdumb.lr", "0.1"},
                                      {"gdumb.min_lr", "0.02"}});
    auto t = s.training(0);
    gdumb.begin_experience(t);
    gdumb.after_step(t, s.batch(0));
    gdumb.end_experience(t);
    return s.weights();
  };
  StrategyBench s(plan);
  auto t = s.training(0);
  const std::vector<double> rates{0.01, 0.1, 0.1, 0.06, 0.1};
  const std::vector<const char*> passes{"1", "2", "3", "4", "5"};
  for (std::size_t p = 0; p < rates.size(); ++p) {
    const Numbers g = gradient_alone(t, s.batch(0));
    for (std::size_t i = 0; i < g.size(); ++i)
      s.net->params().values()[i] -= static_cast<real>(rates[p] * g[i]);
    const Numbers ours = after(passes[p]), theirs = s.weights();
    for (std::size_t i = 0; i < g.size(); ++i)
      EXPECT_NEAR(ours[i], theirs[i], 1e-5) << "after pass " << p + 1;
  }
}

TEST(Gdumb, BeginsWithTheWeightsOfTheStartAndWithoutMomentum) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class};
  plan.optimizer.momentum = 0.9;
  StrategyBench s(plan, stack(linear(5), relu()));
  Strategy& gdumb = s.add("gdumb", {{"gdumb.memory", "4"}, {"gdumb.passes", "3"}});
  auto t = s.training(0);
  gdumb.begin_experience(t);
  gdumb.after_step(t, s.batch(0));
  gdumb.end_experience(t);
  const Numbers once = s.weights();
  std::ranges::fill(s.net->params().grads(), real{1});  // somebody's step in between
  s.optimizer->step(0.1);
  ASSERT_NE(s.weights(), once);
  gdumb.end_experience(t);
  EXPECT_EQ(s.weights(), once);
}

TEST(Gdumb, TheWholeGradientIsCutToItsNorm) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class};
  StrategyBench s(plan);
  Strategy& gdumb = s.add(
      "gdumb",
      {{"gdumb.memory", "8"}, {"gdumb.passes", "1"}, {"gdumb.lr", "1"}, {"gdumb.clip", "0.01"}});
  auto t = s.training(0);
  const Numbers before = s.weights(), g = gradient_alone(t, s.batch(0));
  double norm = 0;
  for (const double v : g)
    norm += v * v;
  norm = std::sqrt(norm);
  ASSERT_GT(norm, 0.01);
  gdumb.begin_experience(t);
  gdumb.after_step(t, s.batch(0));
  gdumb.end_experience(t);
  const Numbers after = s.weights();
  for (std::size_t i = 0; i < g.size(); ++i)
    EXPECT_NEAR(after[i] - before[i], -0.1 * 0.01 * g[i] / norm, 1e-6);  // the first pass: lr / 10
}

TEST(Gdumb, ImagesMoveByUpToTheCropAndTheDarkestComesIn) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class};
  const Numbers image = [&] {
    StrategyBench s(plan);
    const Batch one = s.batch(0, {0});
    const auto x = one.x.value().all();
    return Numbers(x.begin(), x.end());
  }();
  const double dark = std::ranges::min(image);
  ASSERT_GT(dark, 0);
  // Where the pixels of a 2 x 2 image come from when it moves down and right.
  const auto moved = [&](int down, int right) {
    Numbers to(4, dark);
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 2; ++x)
        if (const int v = y - down, u = x - right; v >= 0 && v < 2 && u >= 0 && u < 2)
          to[static_cast<std::size_t>(2 * y + x)] = image[static_cast<std::size_t>(2 * v + u)];
    return to;
  };
  std::set<std::pair<int, int>> met;
  for (int trial = 0; trial < 150; ++trial) {
    StrategyBench s(plan);
    Strategy& gdumb = s.add("gdumb", {{"gdumb.memory", "1"},
                                      {"gdumb.passes", "1"},
                                      {"gdumb.crop", "1"},
                                      {"gdumb.lr", "1"},
                                      {"gdumb.clip", "0"}});
    auto t = s.training(0);
    t.rng = Rng(static_cast<std::uint64_t>(trial));
    gdumb.begin_experience(t);
    gdumb.after_step(t, s.batch(0, {0}));
    const CMat w = std::as_const(*s.net).params().value(0),
               b = std::as_const(*s.net).params().value(1);
    const Numbers from(w.data, w.data + w.size()), bias(b.data, b.data + b.size());
    gdumb.end_experience(t);
    // One image, one step: the step of a weight over that of its unit's bias is its pixel.
    const double whole = static_cast<double>(b.data[0]) - bias[0];
    ASSERT_NE(whole, 0);
    int fits = 0;
    for (int down = -1; down <= 1; ++down)
      for (int right = -1; right <= 1; ++right) {
        double apart = 0;
        const Numbers pixels = moved(down, right);
        for (std::size_t p = 0; p < 4; ++p) {
          const auto at = p * static_cast<std::size_t>(w.cols);
          const double step = static_cast<double>(w.data[at]) - from[at];
          apart = std::max(apart, std::abs(step / whole - pixels[p]));
        }
        if (apart < 1e-4) ++fits, met.emplace(down, right);
      }
    EXPECT_GE(fits, 1) << "trial " << trial;
  }
  EXPECT_EQ(met.size(), 9u);
}

TEST(Slda, MeansAndCovarianceAreThoseOfItsEquations) {
  BenchPlan plan;
  plan.each = 7, plan.scenario = {.scenario = Scenario::Class};
  StrategyBench s(plan);  // no hidden layer: the features are the four pixels
  Strategy& slda = s.add("slda", {{"slda.shrinkage", "0.01"}});
  const Numbers before = s.weights();
  arma::mat sigma(4, 4, arma::fill::zeros), mu(4, 4, arma::fill::zeros);
  std::vector<double> n(4, 0);
  double seen = 0;
  for (int e = 0; e < 2; ++e) {
    auto t = s.training(e);
    for (const auto& places : std::vector<std::vector<std::uint32_t>>{
             {0, 1, 2, 3, 4, 5, 6}, {7, 8, 9}, {10, 11, 12, 13}}) {
      const Batch batch = s.batch(e, places);
      slda.after_step(t, batch);
      for (int b = 0; b < batch.rows(); ++b) {
        const auto c = static_cast<arma::uword>(batch.target[static_cast<std::size_t>(b)]);
        arma::vec phi(4);
        for (arma::uword i = 0; i < 4; ++i)
          phi[i] = static_cast<double>(batch.x.value().row(b)[i]);
        const arma::vec apart = phi - mu.col(c);
        sigma = (seen * sigma + seen / (seen + 1) * apart * apart.t()) / (seen + 1);
        mu.col(c) += apart / (n[c] + 1);
        n[c] += 1, seen += 1;
      }
    }
    t.epoch = 1;
    slda.after_step(t, s.batch(e));  // a second epoch changes nothing
    slda.begin_test(*s.net, 0);
    const arma::mat lambda = arma::inv(0.99 * sigma + 0.01 * arma::eye(4, 4));
    Tape tape;
    const Batch test = s.batch(e);
    const CMat z = logits_of(s, test, tape);
    for (int b = 0; b < z.rows; ++b)
      for (arma::uword c = 0; c < 4; ++c) {
        arma::vec phi(4);
        for (arma::uword i = 0; i < 4; ++i)
          phi[i] = static_cast<double>(test.x.value().row(b)[i]);
        const double score =
            arma::dot(lambda * mu.col(c), phi) - arma::dot(mu.col(c), lambda * mu.col(c)) / 2;
        const auto ours = static_cast<double>(z.row(b)[c]);
        if (n[c] > 0) {
          EXPECT_NEAR(ours, score, 1e-3 * (1 + std::abs(score))) << e << " " << b << " " << c;
        } else {
          EXPECT_LT(ours, -1e6);
        }
      }
    slda.end_test(*s.net);
    EXPECT_EQ(s.weights(), before);
  }
}

TEST(Icarl, HerdsWhatKeepsTheMeanAndClassifiesByIt) {
  BenchPlan plan;
  plan.each = 6, plan.scenario = {.scenario = Scenario::Class};
  StrategyBench s(plan);  // the features are the pixels
  Strategy& icarl = s.add("icarl", {{"icarl.memory", "8"}});
  const auto unit = [](arma::vec v) { return arma::vec(v / arma::norm(v)); };
  const auto phi_of = [&](int e, std::uint32_t place) {
    const Batch one = s.batch(e, {place});
    arma::vec phi(4);
    for (arma::uword i = 0; i < 4; ++i)
      phi[i] = static_cast<double>(one.x.value().row(0)[i]);
    return unit(phi);
  };
  // By all subsets in order: the first k exemplars of a class.
  const auto herd = [&](int e, std::uint32_t first, std::size_t count) {
    std::vector<std::uint32_t> places, chosen;
    for (std::uint32_t p = first; p < 12; p += 2)
      places.push_back(p);
    arma::vec mean(4, arma::fill::zeros), sum = mean;
    for (const auto p : places)
      mean += phi_of(e, p);
    mean = unit(mean);
    while (chosen.size() < count) {
      const auto distance = [&](std::uint32_t p) {
        return arma::norm(mean - (sum + phi_of(e, p)) / static_cast<double>(chosen.size() + 1));
      };
      const auto best = *std::ranges::min_element(places, {}, distance);
      std::erase(places, best);
      sum += phi_of(e, best), chosen.push_back(best);
    }
    return chosen;
  };
  auto t = s.training(0);
  icarl.begin_experience(t), icarl.end_experience(t);
  const auto place = [&](std::size_t slot) {
    return static_cast<std::uint32_t>(icarl.state()[1][3 * slot + 1]);
  };
  for (std::uint32_t c = 0; c < 2; ++c) {
    const auto list = herd(0, c, 4);
    for (std::size_t k = 0; k < 4; ++k)
      EXPECT_EQ(place(4 * c + k), list[k]) << c << " " << k;
  }
  go_on(s, t, 1);
  icarl.begin_experience(t), icarl.end_experience(t);
  EXPECT_EQ(icarl.state()[0][0], 8);
  const Numbers before = s.weights();
  icarl.begin_test(*s.net, 0);
  Tape tape;
  const Batch test = s.batch(0);
  const CMat z = logits_of(s, test, tape);
  for (int e = 0; e < 2; ++e)
    for (std::uint32_t c = 0; c < 2; ++c) {
      const auto list = herd(e, c, 2);  // the first two of four; new classes have two
      arma::vec mean(4, arma::fill::zeros);
      for (std::size_t k = 0; k < 2; ++k) {
        EXPECT_EQ(place(4 * static_cast<std::size_t>(e) + 2 * c + k), list[k]);
        mean += phi_of(e, list[k]);
      }
      mean = unit(mean);
      for (int b = 0; b < z.rows; ++b) {
        arma::vec x(4);
        for (arma::uword i = 0; i < 4; ++i)
          x[i] = static_cast<double>(test.x.value().row(b)[i]);
        EXPECT_NEAR(static_cast<double>(z.row(b)[2 * e + static_cast<int>(c)]), arma::dot(mean, x),
                    1e-5);
      }
    }
  icarl.end_test(*s.net);
  EXPECT_EQ(s.weights(), before);
}

TEST(Icarl, OldOutputsGoOnSayingWhatTheySaidAndNewOnesLearnLabels) {
  auto s = three_tasks(Head::Masked);
  Strategy& icarl =
      s.add("icarl", {{"icarl.memory", "12"}, {"icarl.batch", "3"}, {"icarl.temperature", "2"}});
  auto t = s.training(0);
  icarl.begin_experience(t), icarl.end_experience(t);
  go_on(s, t, 1), t.step = 1;
  Batch batch = s.batch(1);
  icarl.extend_batch(t, batch);
  ASSERT_EQ(batch.rows(), 9);
  Tape tape;
  const CMat z = logits_of(s, batch, tape);
  std::vector<Numbers> said;
  for (int b = 0; b < 9; ++b)
    said.emplace_back(z.row(b), z.row(b) + 6);
  icarl.begin_experience(t);
  for (real& v : s.net->params().values())
    v *= 2;
  const CMat now = logits_of(s, batch, tape);
  Signal error;
  const Mat e = error.resize(9, 6);
  std::ranges::fill(e.all(), real{7});
  icarl.shape_error(t, batch, now, e);
  const auto sigmoid = [](double a) { return 1 / (1 + std::exp(-a)); };
  for (int b = 0; b < 9; ++b)
    for (int y = 0; y < 6; ++y) {
      const auto row = static_cast<std::size_t>(b);
      const double target = y < 2 ? sigmoid(said[row][static_cast<std::size_t>(y)] / 2)
                                  : (batch.target[row] == y ? 1 : 0);
      const double expected =
          y < 4 ? (sigmoid(static_cast<double>(now.row(b)[y])) - target) / 4 / 9 : 0;
      EXPECT_NEAR(static_cast<double>(e.row(b)[y]), expected, 1e-6) << b << " " << y;
    }
}

TEST(Icarl, ABatchHasExemplarsInTheShareThatTheyHaveOfATask) {
  auto s = three_tasks(Head::Masked);
  Strategy& icarl = s.add("icarl", {{"icarl.memory", "6"}});  // six images in a task
  auto t = s.training(0);
  icarl.begin_experience(t), icarl.end_experience(t);
  go_on(s, t, 1), t.step = 1;
  icarl.begin_experience(t);
  Batch batch = s.batch(1, {0, 1, 2, 3, 4});
  icarl.extend_batch(t, batch);
  EXPECT_EQ(batch.rows(), 5 + 5);
  icarl.end_experience(t);
  EXPECT_EQ(icarl.state()[0][0], 4);  // six are not to be shared by four classes
  go_on(s, t, 2), t.step = 2;
  icarl.begin_experience(t);
  batch = s.batch(2, {0, 1, 2, 3, 4});
  icarl.extend_batch(t, batch);
  EXPECT_EQ(batch.rows(), 5 + 4);  // 4 / 6 of five, rounded up
}

TEST(Icarl, MeansAreOfTheFeaturesOfToday) {
  // What a test says does not depend on whether there was one before.
  const auto said = [](bool tested_before, bool after_step) {
    auto s = three_tasks(Head::Masked);
    Strategy& icarl = s.add("icarl", {{"icarl.memory", "6"}});
    Tape tape;
    const auto test = [&] {
      icarl.begin_test(*s.net, 0);
      const CMat z = logits_of(s, s.batch(0), tape);
      Numbers all(z.data, z.data + z.size());
      icarl.end_test(*s.net);
      return all;
    };
    auto t = s.training(0);
    icarl.begin_experience(t), icarl.end_experience(t);
    go_on(s, t, 1);
    icarl.begin_experience(t);
    if (tested_before) test();
    Rng rng(3);
    for (real& v : s.net->params().values())
      v += static_cast<real>(rng.normal());
    if (after_step)
      icarl.after_step(t, s.batch(1));
    else
      icarl.end_experience(t);
    return test();
  };
  for (const bool after_step : {true, false})
    EXPECT_EQ(said(true, after_step), said(false, after_step));
}

TEST(Dgr, TheOldNetworkLabelsWhatTheOldGeneratorPaints) {
  for (const bool hard : {true, false}) {
    auto s = three_tasks(Head::Masked);
    Strategy& dgr = s.add("dgr", {{"dgr.labels", hard ? "hard" : "soft"},
                                  {"dgr.hidden", "6"},
                                  {"dgr.codes", "3"},
                                  {"dgr.batch", "4"}});
    auto t = s.training(0);
    Batch batch = s.batch(0);
    dgr.begin_experience(t);
    dgr.extend_batch(t, batch);
    EXPECT_EQ(batch.rows(), 6);  // nothing to replay
    dgr.after_step(t, batch);
    for (int e = 1; e < 3; ++e) {
      go_on(s, t, e), t.step = 2 * e;
      dgr.begin_experience(t);
      const auto decoder = dgr.state()[1], painter = dgr.state()[2];
      EXPECT_TRUE(std::ranges::equal(decoder.first(painter.size()), painter));
      batch = s.batch(e);
      const auto before = s.weights();
      dgr.extend_batch(t, batch);
      EXPECT_EQ(s.weights(), before);
      ASSERT_EQ(batch.rows(), 10);
      const int known = 2 * e, seen = known + 2;  // classes
      Tape tape;
      const CMat z = logits_of(s, batch, tape);
      for (int b = 6; b < 10; ++b) {
        const auto best = static_cast<int>(std::max_element(z.row(b), z.row(b) + known) - z.row(b));
        EXPECT_EQ(batch.target[static_cast<std::size_t>(b)], hard ? best : -1);
        for (int p = 0; p < 4; ++p) {
          EXPECT_GT(batch.x.value().row(b)[p], 0);
          EXPECT_LT(batch.x.value().row(b)[p], 1);
        }
      }
      const Numbers all = gradient_with(s, t, batch);
      const Numbers own = gradient_alone(t, rows_of(batch, 0, 6));
      const Batch painted = rows_of(batch, 6, 4);
      Numbers past;
      if (hard) {
        past = gradient_alone(t, painted);
      } else {  // the old network is the network of now, but for classes that it did not know
        std::vector<real> pull;
        gradient_of(t, painted, Rng(0), pull, [&](CMat logits, Mat error) {
          for (int b = 0; b < 4; ++b) {
            const auto softened = [&](int y, int classes) {
              double sum = 0;
              for (int i = 0; i < classes; ++i)
                sum += std::exp(static_cast<double>(logits.row(b)[i]) / 2);
              return y < classes ? std::exp(static_cast<double>(logits.row(b)[y]) / 2) / sum : 0;
            };
            for (int y = 0; y < 6; ++y)
              error.row(b)[y] = static_cast<real>((softened(y, seen) - softened(y, known)) * 2 / 4);
          }
        });
        past.assign(pull.begin(), pull.end());
      }
      expect_near(all, mix(1. / (e + 1), own, e / (e + 1.), past));
      // Network and generator move on; what is painted and said is of before the task.
      for (real& v : s.net->params().values())
        v *= -1;
      dgr.after_step(t, batch);
      Batch again = s.batch(e);
      dgr.extend_batch(t, again);
      EXPECT_EQ(again.target, batch.target);
      for (int b = 6; b < 10; ++b)
        for (int p = 0; p < 4; ++p)
          EXPECT_EQ(again.x.value().row(b)[p], batch.x.value().row(b)[p]);
    }
  }
}

TEST(Dgr, TheGeneratorLearnsItsOwnPicturesAsMuchAsThePastWeighs) {
  auto s = three_tasks();
  Strategy& dgr = s.add(
      "dgr", {{"dgr.hidden", "6"}, {"dgr.codes", "3"}, {"dgr.batch", "4"}, {"dgr.lr", "0.01"}});
  auto t = s.training(0);
  Batch batch = s.batch(0);
  dgr.begin_experience(t), dgr.extend_batch(t, batch), dgr.after_step(t, batch);
  go_on(s, t, 1), dgr.begin_experience(t);
  go_on(s, t, 2), dgr.begin_experience(t);
  t.step = 1;
  // The same autoencoder beside it, with the same moments.
  Vae vae({4, 3, {6}}, Rng(0));
  OptimizerOptions adam;
  adam.optimizer = "adam", adam.lr = 0.01;
  const auto state = dgr.state();
  std::size_t moments = 7;  // after the weights of both, of the painter and of the solver
  std::vector<std::unique_ptr<Optimizer>> optimizers;
  for (Network* net : {&vae.encoder(), &vae.decoder()}) {
    std::ranges::copy(state[optimizers.size()], net->params().raw_values().begin());
    optimizers.push_back(make_adam(adam, net->params()));
    for (const auto& part : optimizers.back()->state())
      std::ranges::copy(state[moments++], part.begin());
  }
  ASSERT_EQ(moments, state.size());
  batch = s.batch(2);
  dgr.extend_batch(t, batch);
  ASSERT_EQ(batch.rows(), 10);
  std::vector<real> weight(10, real{1} / 18);  // a third for six of its own
  std::fill(weight.begin() + 6, weight.end(), real{1} / 6);
  vae.learn(batch.x, weight, t.rng.fork("dgr", 1).fork("noise"));
  dgr.after_step(t, batch);
  for (std::size_t i = 0; i < 2; ++i) {
    optimizers[i]->set_steps(1);
    optimizers[i]->step(0.01);
    const Network& net = i == 0 ? vae.encoder() : vae.decoder();
    const auto expected = net.params().values();
    for (std::size_t w = 0; w < expected.size(); ++w)
      EXPECT_NEAR(dgr.state()[i][w], expected[w], 1e-6) << i << " " << w;
  }
}

}  // namespace
}  // namespace engram::testing
