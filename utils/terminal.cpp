// ANSI escape codes, the few that every terminal of the last decades knows.
#include "utils/terminal.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace engram {
namespace {

std::string styled(std::string_view text, std::string_view codes, bool on) {
  return on ? fmt::format("\x1b[{}m{}\x1b[0m", codes, text) : std::string(text);
}

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

double now() {
  using namespace std::chrono;
  return duration_cast<std::chrono::duration<double>>(steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

bool is_terminal(std::FILE* stream) {
  return ::isatty(::fileno(stream)) == 1;
}

bool use_colour(std::FILE* stream) {
  return is_terminal(stream) && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

int terminal_width(std::FILE* stream) {
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool use_unicode() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = variable(name);
    if (locale.empty()) continue;  // the next one decides
    for (const std::string_view spelling : {"UTF-8", "utf-8", "UTF8", "utf8"})
      if (locale.find(spelling) != std::string_view::npos) return true;
    return false;
  }
  return false;
}

std::string bold(std::string_view text, bool on) {
  return styled(text, "1", on);
}

std::string dim(std::string_view text, bool on) {
  return styled(text, "2", on);
}

std::string shade(std::string_view text, double fraction, bool on) {
  // Of the 256-colour palette, by rising luminance (0.02 to 0.83); hue alone would not do.
  constexpr std::array<int, 10> kRamp{52, 88, 95, 241, 65, 71, 108, 114, 150, 157};
  constexpr std::size_t kFirstBright = 5;  // from here black letters read better than white ones
  if (!on || std::isnan(fraction)) return std::string(text);
  const double place = std::clamp(fraction, 0.0, 1.0) * static_cast<double>(kRamp.size());
  const std::size_t step = std::min(static_cast<std::size_t>(place), kRamp.size() - 1);
  return styled(text, fmt::format("38;5;{};48;5;{}", step < kFirstBright ? 231 : 16, kRamp[step]),
                on);
}

std::string tint(std::string_view text, int which, bool on) {
  // After Okabe and Ito: told apart with every kind of colour vision, on dark and light ground.
  constexpr std::array<int, 7> kColours{208, 75, 36, 178, 32, 175, 166};
  const std::size_t pick = static_cast<std::size_t>(which) % kColours.size();
  return styled(text, fmt::format("38;5;{}", kColours[pick]), on);
}

int columns(std::string_view text) {
  int count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i + 1 < text.size() && text[i] != 'm')
        ++i;
    } else if (!continues_character(text[i])) {
      ++count;
    }
  }
  return count;
}

std::string fit(std::string_view text, int width) {
  const int have = columns(text);
  if (have <= width) return std::string(text) + std::string(width - have, ' ');
  if (width <= 0) return "";
  std::size_t end = 0;
  for (int kept = 0; end < text.size(); ++end)
    if (!continues_character(text[end]) && ++kept == width) break;
  return std::string(text.substr(0, end)) + (use_unicode() ? "…" : "~");
}

std::string fit_right(std::string_view text, int width) {
  const int have = columns(text);
  return have < width ? std::string(width - have, ' ') + std::string(text) : fit(text, width);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  const auto whole = static_cast<long long>(std::round(std::clamp(seconds, 0.0, 1e15)));
  const long long h = whole / 3600, m = whole / 60 % 60, s = whole % 60;
  return h > 0 ? fmt::format("{}:{:02}:{:02}", h, m, s) : fmt::format("{}:{:02}", m, s);
}

std::string bytes(double count) {
  if (!std::isfinite(count)) return "?";
  constexpr std::array<const char*, 5> kUnits{"kB", "MB", "GB", "TB", "PB"};
  if (std::round(count) < 1000) return fmt::format("{:.0f} B", count);
  std::size_t unit = 0;
  // 999.95 would be printed as 1000.0.
  for (count /= 1000; count >= 999.95 && unit + 1 < kUnits.size(); ++unit)
    count /= 1000;
  return fmt::format("{:.1f} {}", count, kUnits[unit]);
}

LiveLines::LiveLines() : visible_(is_terminal(stderr) && variable("TERM") != "dumb") {}

LiveLines::~LiveLines() {
  clear();
}

void LiveLines::show(const std::string& text) {
  constexpr double kPause = 0.1;
  if (!visible_ || (drawn_ > 0 && now() - last_ < kPause)) return;
  last_ = now();
  clear();
  // Without wrapping at the right edge a long line stays one line, so `drawn_` is right.
  std::fprintf(stderr, "\x1b[?7l%s\x1b[?7h", text.c_str());
  std::fflush(stderr);
  drawn_ = 1 + static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

void LiveLines::clear() {
  if (!visible_ || drawn_ == 0) return;
  if (drawn_ > 1) std::fprintf(stderr, "\x1b[%dA", drawn_ - 1);
  std::fprintf(stderr, "\r\x1b[J");
  std::fflush(stderr);
  drawn_ = 0;
}

}  // namespace engram
