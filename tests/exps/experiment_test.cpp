// Settings: the original's 25 keys, and errors that name the place.
#include "exps/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "benchmarks/catalog.h"
#include "benchmarks/stream_table.h"
#include "utils/error.h"

namespace engram {
namespace {

std::string failure(std::vector<std::pair<std::string, std::string>> values) {
  Config c;
  int line = 1;
  for (const auto& [key, value] : values)
    c.set(key, value, "x.cfg:" + std::to_string(line++));
  try {
    read_settings("x", std::move(c));
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Config);
    return e.what();
  }
  return "";
}

TEST(Settings, ReadAll25KeysOfTheOriginal) {
  Config c;
  for (const auto& [key, value] :
       std::initializer_list<std::pair<std::string, std::string>>{{"benchmark", "cifar"},
                                                                  {"mnist_mode", "perm"},
                                                                  {"num_batch", "7"},
                                                                  {"cumul", "True"},
                                                                  {"sparsify", "False"},
                                                                  {"weight_sparsity_fc", "0.2"},
                                                                  {"weight_sparsity_conv", "0.98"},
                                                                  {"percent_on_fc", "0.3"},
                                                                  {"percent_on_conv", "0.97"},
                                                                  {"boost_strength", "1.5"},
                                                                  {"k_inference_factor", "1.25"},
                                                                  {"boost_strength_factor", "0.9"},
                                                                  {"duty_cycle_period", "500"},
                                                                  {"cnn", "True"},
                                                                  {"hidden_units", "77"},
                                                                  {"hidden_layers", "2"},
                                                                  {"dropout", "0.4"},
                                                                  {"lr", "0.02"},
                                                                  {"nesterov", "True"},
                                                                  {"momentum", "0.8"},
                                                                  {"weight_decay", "1e-3"},
                                                                  {"mb_size", "64"},
                                                                  {"train_ep", "3"},
                                                                  {"train_ep_inc", "2"},
                                                                  {"record_stats", "False"}})
    c.set(key, value, "x.cfg:1");
  const Settings s = read_settings("x", std::move(c));
  EXPECT_EQ(s.stream.benchmark, "cifar");
  EXPECT_EQ(s.stream.tasks, 7);
  EXPECT_TRUE(s.stream.cumul);
  EXPECT_FALSE(s.model.sparsify);
  EXPECT_EQ(s.model.weight_sparsity_fc, 0.2);
  EXPECT_EQ(s.model.weight_sparsity_conv, 0.98);
  EXPECT_EQ(s.model.percent_on_fc, 0.3);
  EXPECT_EQ(s.model.percent_on_conv, 0.97);
  EXPECT_EQ(s.model.winners.boost_strength, 1.5);
  EXPECT_EQ(s.model.winners.k_inference_factor, 1.25);
  EXPECT_EQ(s.model.winners.boost_strength_factor, 0.9);
  EXPECT_EQ(s.model.winners.duty_cycle_period, 500);
  EXPECT_TRUE(s.model.cnn);
  EXPECT_EQ(s.model.hidden_units, 77);
  EXPECT_EQ(s.model.hidden_layers, 2);
  EXPECT_EQ(s.model.dropout, 0.4);
  EXPECT_EQ(s.optimizer.lr, 0.02);
  EXPECT_TRUE(s.optimizer.nesterov);
  EXPECT_EQ(s.optimizer.momentum, 0.8);
  EXPECT_EQ(s.optimizer.weight_decay, 1e-3);
  EXPECT_EQ(s.learner.batch_size, 64);
  EXPECT_EQ(s.learner.epochs, 3);
  EXPECT_EQ(s.learner.later_epochs, 2);
  EXPECT_FALSE(s.learner.record_stats);
}

TEST(Settings, NameThePlaceOfAMisspeltKeyAndTheNearestOne) {
  const std::string why = failure({{"lr", "0.1"}, {"percent_onn_fc", "0.1"}});
  EXPECT_NE(why.find("x.cfg:2"), std::string::npos) << why;
  EXPECT_NE(why.find("percent_on_fc"), std::string::npos) << why;
}

TEST(Settings, NameThePlaceOfAnUnknownPart) {
  for (const auto& [key, value, near] :
       std::initializer_list<std::tuple<std::string, std::string, std::string>>{
           {"benchmark", "mnits", "mnist"},
           {"model", "cn", "cnn"},
           {"optimizer", "adm", "adam"},
           {"rule", "backprob", "backprop"},
           {"rule", "kolen_pollack", "weight_decay"},
           {"gating", "top_donw", "top_down"},
           {"strategies", "l3", "l2"}}) {
    const std::string why = failure({{key, value}});
    EXPECT_NE(why.find("x.cfg:1"), std::string::npos) << why;
    EXPECT_NE(why.find(near), std::string::npos) << why;
  }
}

TEST(Settings, NameThePlaceOfAWrongOptionOfAStrategyAlone) {
  EXPECT_THAT(failure({{"strategies", "l2"}, {"l2.lambda", "-1"}}),
              ::testing::StartsWith("x.cfg:2: 'l2.lambda' = -1"));
}

TEST(Settings, StartFromTheDefaultsOfTheirModel) {
  Config c;
  c.set("model", "lenet", "x.cfg:1"), c.set("hidden_units", "20", "x.cfg:2");
  const Settings s = read_settings("x", std::move(c));
  EXPECT_EQ(s.model.conv_channels, (std::vector{6, 16, 120}));
  EXPECT_EQ(s.model.hidden_units, 20);
  EXPECT_EQ(s.model.dropout, 0);
  EXPECT_NE(s.config.resolved_text().find("conv_channels = 6, 16, 120"), std::string::npos);
  EXPECT_EQ(read_settings("x", {}).model.dropout, 0.5);
}

TEST(Settings, RefuseGatesForTasksThatAreNotKnownAtTest) {
  const auto shape = [](const std::string& scenario) {
    Config c;
    c.set("gating", "xdg", "x.cfg:1"), c.set("scenario", scenario, "x.cfg:2");
    c.set("benchmark", "synthetic", "x.cfg:3"), c.set("head", "shared", "x.cfg:4");
    c.set("tasks", "3", "x.cfg:5");
    const Settings s = read_settings("x", std::move(c));
    const auto stream = make_stream(s.stream, load_dataset("synthetic", {}), 0);
    return head_shape(s, Targets(*stream, s.scenario));
  };
  EXPECT_EQ(shape("task").tasks, 3);
  try {
    shape("domain");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("scenario = task"), std::string::npos) << e.what();
  }
}

TEST(Settings, GiveTheModelWhatStrategiesBringAlong) {
  Config c;
  c.set("strategies", "si, xdg", "x.cfg:1");
  EXPECT_EQ(read_settings("x", std::move(c)).model.gating.gating, "xdg");
  Config sparse;
  sparse.set("strategies", "rigl", "x.cfg:1"), sparse.set("sparsify", "yes", "x.cfg:2");
  sparse.set("weight_sparsity_fc", "0.1", "x.cfg:3");
  EXPECT_TRUE(read_settings("x", std::move(sparse)).model.rewirable);
  EXPECT_FALSE(read_settings("x", {}).model.rewirable);
}

TEST(Settings, RefuseStrategiesThatTheModelStandsAgainst) {
  EXPECT_NE(failure({{"strategies", "xdg"}, {"gating", "top_down"}}).find("gating = top_down"),
            std::string::npos);
  EXPECT_NE(failure({{"strategies", "si, si"}}).find("si stands there twice"), std::string::npos);
  EXPECT_NE(failure({{"strategies", "rigl"}}).find("all of them exist"), std::string::npos);
  EXPECT_NE(failure({{"strategies", "rigl"},
                     {"sparsify", "yes"},
                     {"weight_sparsity_fc", "0.1"},
                     {"weight_storage", "dense"}})
                .find("use auto or sparse"),
            std::string::npos);
}

TEST(Settings, RefuseInputsOutsideOfWhatTheGeneratorPaints) {
  using Lines = std::vector<std::pair<std::string, std::string>>;
  const Lines pff = {{"model", "pff"}, {"rule", "pff"}};
  const auto with = [&](Lines more) {
    more.insert(more.begin(), pff.begin(), pff.end());
    return failure(more);
  };
  for (const std::string how : {"standard", "imagenet", "hsu", "mnist", "half"}) {
    const std::string why = with({{"normalise", how}});
    EXPECT_NE(why.find("x.cfg:3"), std::string::npos) << why;
    EXPECT_NE(why.find("normalise = " + how), std::string::npos) << why;
    EXPECT_NE(why.find("pff.generative = no"), std::string::npos) << why;
    EXPECT_EQ(with({{"normalise", how}, {"pff.generative", "no"}}), "");
  }
  EXPECT_EQ(with({{"normalise", "none"}}), "");
  EXPECT_EQ(with({}), "");
  // The other rule of this kind has no generator.
  EXPECT_EQ(failure({{"model", "ff"}, {"rule", "ff"}, {"normalise", "standard"}}), "");
}

TEST(Settings, RefuseAStrategyOptionWithoutItsStrategy) {
  EXPECT_NE(failure({{"l2.lambda", "3"}}).find("l2.lambda"), std::string::npos);
}

TEST(Settings, HaveADigestThatFollowsTheirValues) {
  const auto digest = [](const std::string& lr) {
    Config c;
    c.set("lr", lr, "x");
    return read_settings("x", std::move(c)).digest();
  };
  EXPECT_EQ(digest("0.1"), digest("1e-1"));
  EXPECT_NE(digest("0.1"), digest("0.2"));
}

}  // namespace
}  // namespace engram
