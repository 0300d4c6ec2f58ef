// The part of results/REPRODUCED.md that `engram reproduce` writes: one row per figure, between two
// marks. What stands around it is written by hand.
#pragma once

#include <map>
#include <span>
#include <string>

#include "exps/published/published.h"

namespace engram {

inline constexpr std::string_view kPageBegin = "<!-- engram reproduce: begin -->";
inline constexpr std::string_view kPageEnd = "<!-- engram reproduce: end -->";

/// "0.9346 ± 0.0201"; without ± where there is no deviation.
std::string figure_text(double mean, std::optional<double> sd);
/// "0.9146 to 0.9546", "at least 0.12".
std::string band_text(const PublishedFigure& figure);

/// The page with the rows of `done` in it, by name: in the order of `all`; rows of other figures
/// stay as they are, rows of figures that are no more go. The section is put at the end of a page
/// that has none. Error(Data) when one mark stands without the other.
std::string with_reproduced(const std::string& page, std::span<const PublishedFigure> all,
                            const std::map<std::string, Reproduction>& done);

}  // namespace engram
