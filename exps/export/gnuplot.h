// gnuplot as a process of its own: its terminals, text that it takes literally, and figures drawn
// aside and renamed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "exps/export/figures.h"

namespace engram::gnuplot {

/// Text as an expression of gnuplot that is this text: in single quotes, where it knows no escapes
/// and no commands in backquotes. It misreads a doubled quote at the beginning of a string, so the
/// quotes of the text come from a variable that draw() sets. Control characters become spaces,
/// bytes that are not UTF-8 U+FFFD. Labels still need `noenhanced`, which every terminal below has.
std::string quoted(std::string_view text);

/// Text without control characters, in valid UTF-8.
std::string clean(std::string_view text);

/// Draws `commands` on a sheet of width x height inches and puts the outcome into `file`, which is
/// complete or absent. Fonts are in points, lines of width 1 are a point wide in every format.
/// Error(MissingInput) when there is no gnuplot, Error(Internal) with its words when it fails,
/// Error(CannotWrite) or Error(Io) as save_atomically().
void draw(const std::filesystem::path& file, FigureFormat format, double width, double height,
          std::string_view commands);

/// How many of gnuplot's units of point size make a point of about 7 pt across.
double point_unit(FigureFormat format);

}  // namespace engram::gnuplot
