// One run from settings to its files: interrupted and resumed, recognised when complete, refused
// when the settings changed.
#include "exps/run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "exps/run_parts.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"
#include "utils/file_lock.h"

namespace engram {
namespace {

Settings settings(std::vector<std::pair<std::string, std::string>> extra = {}) {
  Config c;
  for (const auto& [key, value] :
       std::initializer_list<std::pair<std::string, std::string>>{{"benchmark", "synthetic"},
                                                                  {"stream", "permuted"},
                                                                  {"tasks", "3"},
                                                                  {"train_limit", "500"},
                                                                  {"test_limit", "200"},
                                                                  {"hidden_units", "40"},
                                                                  {"sparsify", "yes"},
                                                                  {"percent_on_fc", "0.2"},
                                                                  {"boost_strength", "1"},
                                                                  {"lr", "0.1"},
                                                                  {"momentum", "0.9"},
                                                                  {"epochs", "2"},
                                                                  {"batch_size", "25"},
                                                                  {"probe_every", "6"},
                                                                  {"probe_size", "50"}})
    c.set(key, value, "test");
  for (const auto& [key, value] : extra)
    c.set(key, value, "test");
  return read_settings("tiny", std::move(c));
}
const Dataset& data() {
  static const Dataset d = load_dataset("synthetic", {});
  return d;
}
void expect_same(const RunRecord& a, const RunRecord& b) {
  ASSERT_EQ(a.accuracy.shape(), b.accuracy.shape());
  for (std::size_t i = 0; i < a.accuracy.size(); ++i) {
    const double x = a.accuracy.data()[i], y = b.accuracy.data()[i];
    EXPECT_TRUE(x == y || (std::isnan(x) && std::isnan(y))) << i;
  }
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t i = 0; i < a.epochs.size(); ++i) {
    EXPECT_EQ(a.epochs[i].loss, b.epochs[i].loss);
    EXPECT_EQ(a.epochs[i].active_fraction, b.epochs[i].active_fraction);
  }
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 1; i < a.steps.size(); ++i)
    EXPECT_EQ(a.steps[i].prequential_accuracy, b.steps[i].prequential_accuracy);
  EXPECT_EQ(a.layers.at(0).usage_final, b.layers.at(0).usage_final);
  EXPECT_EQ(a.train_macs.executed, b.train_macs.executed);
  EXPECT_EQ(a.test_macs.executed, b.test_macs.executed);
}

TEST(Run, FillsTheWholeRecord) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 4};
  EXPECT_EQ(run_state(files, settings()), RunState::New);
  EXPECT_EQ(execute_run(settings(), data(), {.seed = 4, .files = files}), RunOutcome::Finished);
  const RunRecord r = load_results(files.results());
  EXPECT_TRUE(r.complete);
  EXPECT_EQ(r.seed, 4u);
  EXPECT_EQ(r.tasks(), 3);
  EXPECT_GT(r.accuracy(1, 0), r.accuracy(0, 0) + 0.05);  // learnt something
  EXPECT_EQ(r.epochs.size(), 6u);
  EXPECT_EQ(r.steps.size(), 20u);  // 120 steps, every sixth
  EXPECT_EQ(r.layers.at(0).units, 40);
  for (const Metric& m : compute_metrics(r, ForgettingDefinition::Chaudhry))
    EXPECT_FALSE(std::isnan(m.value)) << m.name;
  EXPECT_NEAR(r.epochs[0].active_fraction.at(0), 0.2, 1e-9);
  EXPECT_FALSE(std::filesystem::exists(files.checkpoint()));
  EXPECT_EQ(run_state(files, settings()), RunState::Complete);
}

TEST(Run, GoesOnAfterAnInterruptionToTheSameBits) {
  const TempFolder folder;
  const RunFiles whole{folder.path() / "whole", 1}, cut{folder.path() / "cut", 1};
  execute_run(settings(), data(), {.seed = 1, .files = whole});
  for (const int steps : {1, 20, 44, 87}) {
    std::atomic<bool> stop = false;
    int seen = 0;
    RunRequest request{.seed = 1, .files = cut};
    request.stop = &stop;
    request.progress = [&](const Progress& p) { stop = !p.evaluating && ++seen >= steps; };
    EXPECT_EQ(execute_run(settings(), data(), request), RunOutcome::Interrupted);
    EXPECT_EQ(run_state(cut, settings()), RunState::Resumable);
    EXPECT_FALSE(load_results(cut.results()).complete);
    EXPECT_EQ(execute_run(settings(), data(), {.seed = 1, .files = cut}), RunOutcome::Finished);
    expect_same(load_results(whole.results()), load_results(cut.results()));
    std::filesystem::remove_all(cut.folder);
  }
}

TEST(Run, ACheckpointAfterEveryStepIsAsGood) {
  const TempFolder folder;
  const RunFiles a{folder.path() / "a", 1}, b{folder.path() / "b", 1};
  execute_run(settings(), data(), {.seed = 1, .files = a});
  execute_run(settings(), data(), {.seed = 1, .files = b, .checkpoint_seconds = 0});
  expect_same(load_results(a.results()), load_results(b.results()));
}

TEST(Run, LargeCheckpointsAreWrittenLessOften) {
  EXPECT_EQ(checkpoint_interval(30, 0.1), 30);
  EXPECT_EQ(checkpoint_interval(30, 4), 80);  // a twentieth of the time
  EXPECT_EQ(checkpoint_interval(0, 4), 0);    // whenever there may be one
}

TEST(Run, FilesOfOtherSettingsAreRecognised) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  execute_run(settings(), data(), {.seed = 0, .files = files});
  std::string why;
  EXPECT_EQ(run_state(files, settings({{"hidden_units", "41"}}), &why), RunState::Other);
  EXPECT_NE(why.find("other settings: hidden_units = 40 instead of 41"), std::string::npos) << why;
}

/// The text without the line of a setting, as versions wrote it that did not have this option.
std::string without(const std::string& settings, const std::string& key) {
  const auto line = settings.find("\n" + key + " = ");
  EXPECT_NE(line, std::string::npos);
  return settings.substr(0, line) + settings.substr(settings.find('\n', line + 1));
}

TEST(Run, AFileOlderThanAnOptionIsOfTheSameSettingsWhileTheOptionIsAtItsDefault) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  execute_run(settings(), data(), {.seed = 0, .files = files});
  RunRecord r = load_results(files.results());
  r.config_text = without(r.config_text, "loss_clip");
  save_results(files.results(), r, ForgettingDefinition::Chaudhry);
  EXPECT_EQ(run_state(files, settings()), RunState::Complete);
  EXPECT_EQ(run_state(files, settings({{"loss_clip", "0"}})), RunState::Complete);
  EXPECT_EQ(run_state(files, settings({{"loss_clip", "0.1"}})), RunState::Other);
}

TEST(Run, SeedsDifferAndTheSameSeedDoesNot) {
  const TempFolder folder;
  const auto accuracy = [&](const char* name, std::uint64_t seed) {
    const RunFiles files{folder.path() / name, seed};
    execute_run(settings(), data(), {.seed = seed, .files = files});
    return load_results(files.results()).accuracy;
  };
  const Table a = accuracy("a", 1), b = accuracy("b", 1), c = accuracy("c", 2);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

TEST(Run, AFailureKeepsWhatWasSavedAndSaysWhichRun) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  try {
    execute_run(settings({{"lr", "1e30"}}), data(), {.seed = 0, .files = files});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Numerical);
    EXPECT_NE(std::string(e.what()).find("tiny (seed 0)"), std::string::npos);
  }
  EXPECT_FALSE(load_results(files.results()).complete);
}

TEST(Run, IsDoneByOneProcessAtATime) {
  const TempFolder folder;
  const RunFiles files{folder / "new", 0}, other{folder / "new", 1};
  const auto run = [](const RunFiles& of, bool resume = true) {
    return execute_run(settings(), data(), {.seed = of.seed, .files = of, .resume = resume});
  };
  std::filesystem::create_directories(files.folder);
  {
    const FileLock elsewhere(files.lock());
    const std::string said = error_of([&] { run(files); }, Fault::CannotWrite);
    EXPECT_SAYS(said, "tiny (seed 0): process " + std::to_string(::getpid()));
    error_of([&] { run(files, false); }, Fault::CannotWrite);
    EXPECT_FALSE(std::filesystem::exists(files.results()));
    EXPECT_EQ(run(other), RunOutcome::Finished);
  }
  EXPECT_EQ(run(files), RunOutcome::Finished);
  EXPECT_FALSE(std::filesystem::exists(files.lock()));
}

TEST(Run, ThatAnotherProcessCompletedMeanwhileIsNotRepeated) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  int reports = 0;
  RunRequest request{.seed = 0, .files = files};
  request.progress = [&](const Progress&) { ++reports; };
  ASSERT_EQ(execute_run(settings(), data(), request), RunOutcome::Finished);
  EXPECT_GT(reports, 0);
  reports = 0;
  EXPECT_EQ(execute_run(settings(), data(), request), RunOutcome::Finished);
  EXPECT_EQ(reports, 0);
  request.resume = false;
  EXPECT_EQ(execute_run(settings(), data(), request), RunOutcome::Finished);
  EXPECT_GT(reports, 0);
}

TEST(Run, JointTrainingFillsTheFirstAndTheLastRow) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  execute_run(settings({{"protocol", "joint"}}), data(), {.seed = 0, .files = files});
  const RunRecord r = load_results(files.results());
  EXPECT_FALSE(std::isnan(r.accuracy(0, 0)));
  EXPECT_TRUE(std::isnan(r.accuracy(1, 0)));
  for (std::size_t t = 0; t < 3; ++t)
    EXPECT_GT(r.accuracy(3, t), 0.2);
}

TEST(Run, EveryScenarioAndHeadRuns) {
  for (const auto& [scenario, head] :
       std::initializer_list<std::pair<std::string, std::string>>{{"task", "per_task"},
                                                                  {"task", "masked"},
                                                                  {"domain", "shared"},
                                                                  {"class", "masked"},
                                                                  {"class", "shared"}})
    for (const std::string protocol : {"sequential", "cumulative", "joint"}) {
      const TempFolder folder;
      const RunFiles files{folder.path(), 0};
      const Settings s = settings({{"stream", "split"},
                                   {"tasks", "5"},
                                   {"scenario", scenario},
                                   {"head", head},
                                   {"protocol", protocol},
                                   {"probe_every", "0"},
                                   {"epochs", "1"}});
      EXPECT_EQ(execute_run(s, data(), {.seed = 0, .files = files}), RunOutcome::Finished);
      const RunRecord r = load_results(files.results());
      for (std::size_t t = 0; t < 5; ++t)
        EXPECT_FALSE(std::isnan(r.accuracy(5, t))) << scenario << head << protocol;
    }
}

/// The same images under another digest: as if one picture had changed.
Dataset changed_data() {
  Dataset other = data();
  other.sha256 = std::string(64, 'b');
  return other;
}

void interrupt(const Settings& s, const Dataset& of, const RunFiles& files) {
  std::atomic<bool> stop = false;
  RunRequest request{.seed = files.seed, .files = files};
  request.stop = &stop;
  request.progress = [&](const Progress& p) { stop = !p.evaluating; };
  ASSERT_EQ(execute_run(s, of, request), RunOutcome::Interrupted);
}

TEST(Run, GoesOnWithNoOtherData) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  Dataset before = data();
  before.sha256 = std::string(64, 'a');
  interrupt(settings(), before, files);
  const auto run = [&](const Dataset& of, bool resume) {
    return execute_run(settings(), of, {.seed = 0, .files = files, .resume = resume});
  };
  const std::string said = error_of([&] { run(changed_data(), true); }, Fault::Data);
  EXPECT_SAYS(said, "seed-0.checkpoint.h5 is of other data: SHA-256 aaaaaaaaaaaa...");
  EXPECT_SAYS(said, "bbbbbbbbbbbb...; put the data back, or start over with --force");
  EXPECT_EQ(run_state(files, settings()), RunState::Resumable);  // nothing was lost
  EXPECT_EQ(run(before, true), RunOutcome::Finished);
  EXPECT_EQ(run(changed_data(), false), RunOutcome::Finished);
}

TEST(Run, SeedsOfOneFolderAreOfTheSameData) {
  const TempFolder folder;
  Dataset before = data();
  before.sha256 = std::string(64, 'a');
  const RunFiles first{folder.path(), 0}, second{folder.path(), 1};
  execute_run(settings(), before, {.seed = 0, .files = first});
  const auto run = [&](const Settings& s, bool resume) {
    return execute_run(s, changed_data(), {.seed = 1, .files = second, .resume = resume});
  };
  EXPECT_SAYS(error_of([&] { run(settings(), true); }, Fault::Data), "seed-0.h5 is of other data");
  EXPECT_FALSE(std::filesystem::exists(second.results()));
  EXPECT_EQ(run(settings({{"lr", "0.2"}}), true), RunOutcome::Finished);  // not averaged with it
  EXPECT_EQ(run(settings(), false), RunOutcome::Finished);
}

TEST(Run, ThatBeginsAnewLeavesNothingOfAnOlderOneToGoOnFrom) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  const Settings keeping = settings({{"keep_weights", "yes"}});
  execute_run(keeping, data(), {.seed = 0, .files = files});
  for (const auto& file : {files.checkpoint(), files.divergence()})
    folder.write(file.filename().string(), "of before");
  bool was_there = false, begun = false;
  RunRequest request{.seed = 0, .files = files, .resume = false};
  request.progress = [&](const Progress& p) {
    begun = begun || !p.evaluating;
    if (!begun) {  // until the first row is known results of before stay, with their weights
      EXPECT_TRUE(peek_results(files.results())->complete);
      EXPECT_TRUE(std::filesystem::exists(files.weights()));
      EXPECT_FALSE(std::filesystem::exists(files.checkpoint()));
      EXPECT_FALSE(std::filesystem::exists(files.divergence()));
      return;
    }
    if (p.evaluating) return;
    for (const auto& file : {files.checkpoint(), files.divergence(), files.weights()})
      was_there = was_there || std::filesystem::exists(file);
    was_there = was_there || peek_results(files.results())->complete;
  };
  EXPECT_EQ(execute_run(keeping, data(), request), RunOutcome::Finished);
  EXPECT_FALSE(was_there);
}

TEST(Run, ThatWasStoppedKeepsTheTimeSinceItsLastRow) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  std::atomic<bool> stop = false;
  RunRequest request{.seed = 0, .files = files};
  request.stop = &stop;
  request.progress = [&](const Progress& p) {
    if (p.evaluating) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    stop = true;
  };
  ASSERT_EQ(execute_run(settings(), data(), request), RunOutcome::Interrupted);
  ASSERT_EQ(execute_run(settings(), data(), {.seed = 0, .files = files}), RunOutcome::Finished);
  EXPECT_GE(std::stod(find_fact(load_results(files.results()).provenance, "seconds")), 0.7);
}

TEST(Run, NotesWithWhatItGoesOn) {
  RunRecord r;
  r.provenance = {{"cpu", "one"}, {"git", "abc"}, {"seconds", "12.5"}};
  for (const char* cpu : {"another", "another", "one"})
    EXPECT_EQ(note_resumed(r, {{"cpu", cpu}, {"git", "abc"}}), 12.5);
  EXPECT_EQ(find_fact(r.provenance, "cpu"), "one");
  EXPECT_EQ(find_fact(r.provenance, "resumed_git"), "");
  EXPECT_EQ(std::ranges::count(find_fact(r.provenance, "resumed"), ';'), 2);  // three dates
  const std::string changes = find_fact(r.provenance, "resumed_cpu");  // there, and back again
  EXPECT_EQ(std::ranges::count(changes, ';'), 1) << changes;
  EXPECT_TRUE(changes.find("Z another; 2") != changes.npos && changes.ends_with("Z one"))
      << changes;
}

}  // namespace
}  // namespace engram
