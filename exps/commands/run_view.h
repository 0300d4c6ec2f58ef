// What a person sees of the runs while they go: a live line for each, and one for them all. Where
// stderr is no terminal, a plain line when a run starts and when it ends.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "exps/run.h"
#include "utils/terminal.h"

namespace engram {

class RunView {
 public:
  struct Row {
    std::string experiment;
    std::uint64_t seed = 0;
  };
  RunView(std::vector<Row> runs, int side_by_side, bool quiet);

  void started(std::size_t run);
  void progressed(std::size_t run, const Progress&);
  void finished(std::size_t run);
  void interrupted(std::size_t run);
  void failed(std::size_t run);
  /// A line that stays, above the live ones.
  void say(const std::string& line);
  void draw();
  void clear() { lines_.clear(); }

 private:
  enum class State { Waiting, Active, Ended };
  struct Run {
    Row row;
    State state = State::Waiting;
    Progress progress;
    std::chrono::steady_clock::time_point begin, latest;  ///< latest: of the progress
    double seconds = 0;                                   ///< once ended
  };
  void ended(std::size_t run, const std::string& how);
  std::string label(std::size_t run) const;
  std::string run_line(const Run&, std::size_t label_width, std::size_t columns) const;
  std::string total_line() const;
  double seconds_left(const Run&) const;
  double expected_seconds(const Run&) const;  ///< from start to end; < 0: not known yet
  double all_seconds_left() const;            ///< < 0: not known yet

  std::vector<Run> runs_;
  int side_by_side_;
  bool quiet_;
  LiveLines lines_;
  std::chrono::steady_clock::time_point begin_, drawn_;
};

}  // namespace engram
