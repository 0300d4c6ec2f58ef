// What a person sees while and after a run: colours where they help, one live line where there is a
// terminal, nothing but plain text elsewhere.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace engram {

/// True when the stream is a terminal.
bool is_terminal(std::FILE* stream);
/// True when colours are welcome there: a terminal, no NO_COLOR, TERM is not dumb.
bool use_colour(std::FILE* stream);
int terminal_width(std::FILE* stream);  ///< columns, 80 when unknown
bool use_unicode();                     ///< by LC_ALL, LC_CTYPE, LANG; else draw with ASCII

/// Text wrapped in an ANSI style, or as it is when !on.
std::string bold(std::string_view text, bool on);
std::string dim(std::string_view text, bool on);
/// Background shade for a fraction in [0, 1]: dark red (0) over grey to green (1), readable for
/// colour-blind people because brightness rises too.
std::string shade(std::string_view text, double fraction, bool on);

/// One of a few well distinct foreground colours, counted round.
std::string tint(std::string_view text, int which, bool on);

/// How many columns a UTF-8 text takes, escape codes not counted.
int columns(std::string_view text);
/// Cut to `width` columns (the last one "…") or filled with spaces. For text without escape codes.
std::string fit(std::string_view text, int width);
std::string fit_right(std::string_view text, int width);  ///< spaces in front

/// "3:07", "1:02:45".
std::string duration(double seconds);
/// "512 B", "38.2 MB".
std::string bytes(double count);

/// Lines at the bottom of stderr that are rewritten in place. Silent when stderr is no terminal.
class LiveLines {
 public:
  LiveLines();
  LiveLines(const LiveLines&) = delete;
  LiveLines& operator=(const LiveLines&) = delete;
  ~LiveLines();                        ///< leaves the terminal clean
  void show(const std::string& text);  ///< may hold several lines; at most ~10 redraws a second
  void clear();
  bool visible() const { return visible_; }

 private:
  bool visible_;
  int drawn_ = 0;  ///< lines on screen
  double last_ = 0;
};

}  // namespace engram
