#include "exps/published/reproduced_page.h"

#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

constexpr const char* kHead =
    "\n\n## Judged by the program\n\n"
    "`engram reproduce NAME` runs what is missing and writes these rows (`--write`); the figures "
    "are\n"
    "those of `exps/published/`. V: read in a primary source, V2: the same in an independent\n"
    "transcription, rerun: a run of the authors' code or equations by somebody else. ± is the "
    "SD.\n\n"
    "| figure | experiment | measure | source | published | band | ours | n | verdict |\n"
    "|---|---|---|---|---|---|---|---|---|\n";

/// '|' would end a cell.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

std::string begin_of_row(const std::string& name) {
  return fmt::format("| `{}` |", name);
}

std::string row_of(const PublishedFigure& f, const Reproduction& r) {
  const PublishedOptions& o = f.options;
  std::string run = fmt::format("`{}`", o.run);
  if (!o.set.empty()) run += fmt::format(" with {}", fmt::join(o.set, ", "));
  return fmt::format(
      "{} {} | {} | {} [{}] | {} | {} | {} | {} | {} |\n", begin_of_row(f.name), cell(run),
      cell(f.measure()), cell(o.source), name_of(o.evidence), figure_text(*o.published, o.sd),
      band_text(f),
      figure_text(r.ours.mean, r.ours.n > 1 ? std::optional(r.ours.sd) : std::nullopt), r.ours.n,
      r.verdict());
}

}  // namespace

std::string figure_text(double mean, std::optional<double> sd) {
  if (std::isnan(mean)) return "–";
  return sd ? fmt::format("{:.4f} ± {:.4f}", mean, *sd) : fmt::format("{:.4f}", mean);
}

std::string band_text(const PublishedFigure& f) {
  if (std::isinf(f.low)) return fmt::format("at most {:.6g}", f.high);
  if (std::isinf(f.high)) return fmt::format("at least {:.6g}", f.low);
  return fmt::format("{:.4f} to {:.4f}", f.low, f.high);
}

std::string with_reproduced(const std::string& page, std::span<const PublishedFigure> all,
                            const std::map<std::string, Reproduction>& done) {
  const auto begin = page.find(kPageBegin), end = page.find(kPageEnd);
  const bool is_there = begin != std::string::npos;
  if (is_there != (end != std::string::npos) || (is_there && end < begin))
    throw Error(Fault::Data,
                fmt::format("'{}' and '{}' do not stand in this order", kPageBegin, kPageEnd));
  std::map<std::string, std::string> rows;  // of the page, by their beginning
  if (is_there) {
    std::istringstream lines(page.substr(begin, end - begin));
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("| `")) rows[line.substr(0, line.find('|', 1) + 1)] = line + "\n";
  }
  std::string section = std::string(kPageBegin) + kHead;
  for (const PublishedFigure& f : all) {
    const auto fresh = done.find(f.name);
    if (fresh != done.end())
      section += row_of(f, fresh->second);
    else if (const auto old = rows.find(begin_of_row(f.name)); old != rows.end())
      section += old->second;
  }
  section += kPageEnd;
  if (is_there) return page.substr(0, begin) + section + page.substr(end + kPageEnd.size());
  std::string out = page;
  while (out.ends_with('\n'))
    out.pop_back();
  return out + (out.empty() ? "" : "\n\n") + section + "\n";
}

}  // namespace engram
