#include "exps/commands/run_view.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace engram {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBarWidth = 20;
constexpr auto kRedraw = std::chrono::milliseconds(100);

double since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

std::string bar(double fraction) {
  const double clipped = std::clamp(fraction, 0.0, 1.0);  // NaN never comes: a ratio of counts
  const auto full = static_cast<std::size_t>(std::lround(clipped * kBarWidth));
  return fmt::format("[{:<{}}]", std::string(full, '='), kBarWidth);
}

/// Of an agent: how it did when it was last looked at, and how much of what it does is chance.
std::string acting(const Progress& p) {
  if (std::isnan(p.mean_return)) return p.evaluating ? "evaluating" : "";
  std::string text = fmt::format("return {:<6.4g} score {:5.2f}", p.mean_return, p.score);
  if (p.evaluating) return text + "  evaluating";
  return std::isnan(p.epsilon) ? text : text + fmt::format("  epsilon {:.2f}", p.epsilon);
}

std::string learning(const Progress& p) {
  if (!p.labelled) return "without labels";
  const std::string loss = fmt::format("loss {:<7.4f}", p.loss);
  return std::isnan(p.accuracy) ? loss : loss + fmt::format(" acc {:5.1f} %", 100 * p.accuracy);
}

}  // namespace

RunView::RunView(std::vector<Row> runs, int side_by_side, bool quiet)
    : side_by_side_(side_by_side), quiet_(quiet), begin_(Clock::now()) {
  for (Row& row : runs)
    runs_.push_back({.row = std::move(row), .progress = {}, .begin = begin_, .latest = begin_});
}

std::string RunView::label(std::size_t run) const {
  return fmt::format("{} seed {}", runs_[run].row.experiment, runs_[run].row.seed);
}

void RunView::say(const std::string& line) {
  if (quiet_) return;
  lines_.clear();
  std::fprintf(stderr, "%s\n", line.c_str());
}

void RunView::started(std::size_t run) {
  runs_[run].state = State::Active;
  runs_[run].begin = runs_[run].latest = Clock::now();
  if (!lines_.visible()) say(label(run) + ": started");
}

void RunView::progressed(std::size_t run, const Progress& progress) {
  runs_[run].progress = progress;
  runs_[run].latest = Clock::now();
}

void RunView::ended(std::size_t run, const std::string& how) {
  Run& r = runs_[run];
  r.state = State::Ended;
  r.seconds = since(r.begin);
  say(fmt::format("{}: {} {}", label(run), how, duration(r.seconds)));
}

void RunView::finished(std::size_t run) {
  ended(run, "done in");
}
void RunView::interrupted(std::size_t run) {
  ended(run, "saved and stopped after");
}
void RunView::failed(std::size_t run) {
  ended(run, "FAILED after");
}

double RunView::seconds_left(const Run& r) const {
  return std::max(0.0, r.progress.seconds_left - since(r.latest));
}

double RunView::expected_seconds(const Run& r) const {
  if (r.state == State::Ended) return r.seconds;
  if (r.state == State::Active && r.progress.fraction > 0) return since(r.begin) + seconds_left(r);
  return -1;
}

double RunView::all_seconds_left() const {
  double left = 0, longest = 0;
  for (const Run& r : runs_) {
    if (r.state == State::Ended) continue;
    if (r.state == State::Active && r.progress.fraction > 0) {
      left += seconds_left(r), longest = std::max(longest, seconds_left(r));
      continue;
    }
    // As long as the runs of the same experiment, or else as all runs that say something yet.
    double same = 0, all = 0;
    int same_count = 0, all_count = 0;
    for (const Run& other : runs_) {
      const double expected = expected_seconds(other);
      if (expected < 0) continue;
      all += expected, ++all_count;
      if (other.row.experiment == r.row.experiment) same += expected, ++same_count;
    }
    if (all_count == 0) return -1;
    left += same_count > 0 ? same / same_count : all / all_count;
  }
  return std::max(longest, left / side_by_side_);
}

std::string RunView::run_line(const Run& r, std::size_t label_width, std::size_t columns) const {
  const Progress& p = r.progress;
  const std::string name = fmt::format("{} seed {}", r.row.experiment, r.row.seed);
  std::string line = fmt::format("{:<{}}  ", name, label_width);
  if (p.experiences == 0) return line + "starting";
  line += fmt::format("{} {}/{}  ", p.acts ? "regime" : "task",
                      std::min(p.experience + 1, p.experiences), p.experiences);
  if (p.acts)
    line += fmt::format("{:<36}  ", acting(p));
  else if (p.evaluating)
    line += fmt::format("{:<36}", "evaluating");
  else
    line += fmt::format("epoch {}/{}  {:<24}  ", p.epoch + 1, p.epochs, learning(p));
  const std::string left = p.fraction > 0 ? duration(seconds_left(r)) + " left" : "";
  std::string end = fmt::format(" {:3.0f} %  {}", 100 * p.fraction, left);
  if (line.size() + end.size() > columns) end = left;  // the time matters more than the share
  const std::string picture = bar(p.fraction);
  if (line.size() + picture.size() + end.size() <= columns) line += picture;
  return line + end;
}

std::string RunView::total_line() const {
  std::size_t done = 0, active = 0;
  for (const Run& r : runs_)
    done += r.state == State::Ended, active += r.state == State::Active;
  std::string line =
      fmt::format("{} of {} runs done, {} running, {} waiting  {} so far", done, runs_.size(),
                  active, runs_.size() - done - active, duration(since(begin_)));
  if (const double left = all_seconds_left(); left >= 0)
    line += fmt::format(", about {} left", duration(left));
  return line;
}

void RunView::draw() {
  if (quiet_ || !lines_.visible() || Clock::now() - drawn_ < kRedraw) return;
  drawn_ = Clock::now();
  const auto columns = static_cast<std::size_t>(std::max(20, terminal_width(stderr) - 1));
  std::size_t label_width = 0;
  for (std::size_t i = 0; i < runs_.size(); ++i)
    if (runs_[i].state == State::Active) label_width = std::max(label_width, label(i).size());
  std::string text;
  for (const Run& r : runs_)
    if (r.state == State::Active)
      text += run_line(r, label_width, columns).substr(0, columns) + "\n";
  lines_.show(text + total_line().substr(0, columns));
}

}  // namespace engram
