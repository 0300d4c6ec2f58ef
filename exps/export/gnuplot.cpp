// Without a shell: gnuplot gets the name of a script in a folder that is removed afterwards.
#include "exps/export/gnuplot.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "utils/error.h"
#include "utils/files.h"

namespace engram::gnuplot {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr const char *kScript = "figure.gp", *kDrawn = "figure.out", *kWords = "figure.err";

/// A folder of our own, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code failure;
    std::string name = (fs::temp_directory_path(failure) / "engram-figure-XXXXXX").string();
    if (!failure && !::mkdtemp(name.data())) failure = {errno, std::generic_category()};
    if (failure)
      throw Error(Fault::CannotWrite,
                  fmt::format("cannot make a folder for what gnuplot draws: {}; set TMPDIR to a "
                              "folder that can be written",
                              failure.message()));
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// What a started process sees: its folder, nothing to read, its words in a file.
class FileActions {
 public:
  explicit FileActions(const fs::path& folder) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, kWords,
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::string text_of(const fs::path& file) {
  if (!fs::exists(file)) return {};
  const auto bytes = read_file(file, kMostBytes);
  return {bytes.begin(), bytes.end()};
}

/// The words of gnuplot in one line, without the marks under the place.
std::string words_of(const fs::path& folder) {
  std::string out;
  for (const char c : clean(text_of(folder / kWords)))
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  return out.substr(0, 500);
}

void run_gnuplot(const fs::path& folder) {
  // -d: what the user's own start-up file sets would change the figure.
  char name[] = "gnuplot", defaults[] = "-d";
  std::string script = kScript;
  char* const arguments[] = {name, defaults, script.data(), nullptr};
  const FileActions actions(folder);
  pid_t process = 0;
  const int failure = ::posix_spawnp(&process, name, actions.get(), nullptr, arguments, environ);
  if (failure == ENOENT)
    throw Error(Fault::MissingInput,
                "figures need gnuplot, which is not there; install the package gnuplot-nox");
  if (failure != 0)
    throw Error(Fault::Internal, std::string("cannot start gnuplot: ") + std::strerror(failure));
  int status = 0;
  while (::waitpid(process, &status, 0) < 0)
    if (errno != EINTR) throw Error(Fault::Internal, "lost sight of gnuplot");
  if (status == 0) return;
  const std::string how = WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status))
                                              : fmt::format("code {}", WEXITSTATUS(status));
  throw Error(Fault::Internal, fmt::format("gnuplot failed ({}): {}", how, words_of(folder)));
}

constexpr double kPointsPerInch = 72, kPngDots = 300, kCssDots = 96;

/// cairo counts fonts in 96ths of an inch, lines in its own units; all are brought to points.
std::string terminal(FigureFormat format, double width, double height) {
  constexpr const char* kFont = "font 'Helvetica,8' noenhanced background rgb 'white'";
  switch (format) {
    case FigureFormat::Svg:
      return fmt::format("set terminal svg size {},{} {} fontscale {:.4f} linewidth {:.4f}\n",
                         std::lround(width * kCssDots), std::lround(height * kCssDots), kFont,
                         kCssDots / kPointsPerInch, kCssDots / kPointsPerInch);
    case FigureFormat::Pdf:
      return fmt::format(
          "set terminal pdfcairo size {:.4f}in,{:.4f}in {} fontscale 0.75 linewidth 2 "
          "dashlength 2\n",
          width, height, kFont);
    case FigureFormat::Png:
      return fmt::format(
          "set terminal pngcairo size {},{} {} fontscale {:.4f} linewidth {:.4f} "
          "pointscale {:.4f} dashlength 2.4\n",
          std::lround(width * kPngDots), std::lround(height * kPngDots), kFont, kPngDots / kCssDots,
          kPngDots / kPointsPerInch, kPngDots / kPointsPerInch);
  }
  throw Error(Fault::Internal, "a format of figures without a terminal");
}

/// The same data give the same file: the date that cairo writes is blanked, in place, because a PDF
/// counts its bytes. (A cairo that packs this object keeps its date.)
void blank_date(std::string& pdf) {
  const std::size_t from = pdf.find("/CreationDate (");
  if (from == std::string::npos) return;
  const std::size_t to = pdf.find(')', from);
  if (to != std::string::npos) pdf.replace(from, to + 1 - from, to + 1 - from, ' ');
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

/// What gnuplot forgets to escape in the text of an SVG; of its own it writes neither.
void escape_rest(std::string& svg) {
  replace_all(svg, "]]>", "]]&gt;");
  replace_all(svg, "&#x", "&amp;#x");
}

}  // namespace

std::string clean(std::string_view text) {
  using nlohmann::json;
  const std::string valid =
      json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
  std::string out;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const std::string_view three = std::string_view(valid).substr(i, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF")  // no characters of XML
      out += "\xEF\xBF\xBD", i += 2;
    else
      out += static_cast<unsigned char>(valid[i]) < ' ' || valid[i] == '\x7f' ? ' ' : valid[i];
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : clean(text))
    out += c == '\'' ? std::string("'.apostrophe.'") : std::string(1, c);
  return out + "'";
}

double point_unit(FigureFormat format) {
  return format == FigureFormat::Svg ? 1.4 : 1.0;
}

void draw(const fs::path& file, FigureFormat format, double width, double height,
          std::string_view commands) {
  const TemporaryFolder folder;
  save_text(folder.path() / kScript,
            fmt::format(
                "set encoding utf8\napostrophe = \"\\047\"\n{}set output '{}'\n{}\nunset output\n",
                terminal(format, width, height), kDrawn, commands));
  run_gnuplot(folder.path());
  std::string drawn = text_of(folder.path() / kDrawn);
  if (drawn.empty())
    throw Error(Fault::Internal, "gnuplot drew nothing: " + words_of(folder.path()));
  if (format == FigureFormat::Pdf) blank_date(drawn);
  if (format == FigureFormat::Svg) escape_rest(drawn);
  save_text(file, drawn);
}

}  // namespace engram::gnuplot
