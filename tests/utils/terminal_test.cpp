#include "utils/terminal.h"

#include <cmath>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace engram {
namespace {

/// Sets a variable of the environment and puts the old value back.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old, had_ = true;
    ::setenv(name, value, 1);
  }
  ~Variable() { had_ ? ::setenv(name_, old_.c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

/// A terminal in place of stderr, of which we hold the other end.
class FakeTerminal {
 public:
  FakeTerminal() {
    std::fflush(stderr);
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return;
    const int slave = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    if (slave < 0) return;
    const winsize size{24, 72, 0, 0};
    ::ioctl(slave, TIOCSWINSZ, &size);
    saved_ = ::dup(2);
    ::dup2(slave, 2);
    ::close(slave);
  }
  ~FakeTerminal() {
    if (saved_ >= 0) ::dup2(saved_, 2), ::close(saved_);
    if (master_ >= 0) ::close(master_);
  }
  bool works() const { return saved_ >= 0; }
  std::string seen() const {
    std::string text;
    char chunk[4096];
    for (pollfd wait{master_, POLLIN, 0}; ::poll(&wait, 1, 50) > 0;) {
      const ssize_t got = ::read(master_, chunk, sizeof chunk);
      if (got <= 0) break;
      text.append(chunk, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int master_ = -1, saved_ = -1;
};

TEST(Terminal, LeavesTextAloneWithoutColour) {
  EXPECT_EQ(bold("x", false), "x");
  EXPECT_EQ(dim("x", false), "x");
  EXPECT_EQ(tint("x", 3, false), "x");
  EXPECT_EQ(shade("x", 0.5, false), "x");
}

TEST(Terminal, EndsEveryStyleItBegins) {
  for (const std::string& text : {bold("x", true), dim("x", true), tint("x", 99, true),
                                  shade("x", -3, true), shade("x", 1, true)}) {
    EXPECT_EQ(text.substr(0, 2), "\x1b[");
    EXPECT_EQ(text.substr(text.size() - 5), "x\x1b[0m");
  }
  EXPECT_NE(shade("x", 0.2, true), shade("x", 0.8, true));
  EXPECT_EQ(shade("x", std::nan(""), true), "x");
}

TEST(Terminal, WritesDurationsLikeAClock) {
  EXPECT_EQ(duration(0), "0:00");
  EXPECT_EQ(duration(59.6), "1:00");
  EXPECT_EQ(duration(187), "3:07");
  EXPECT_EQ(duration(3765), "1:02:45");
  EXPECT_EQ(duration(360000), "100:00:00");
  EXPECT_EQ(duration(-1), "0:00");
  EXPECT_EQ(duration(std::nan("")), "?");
}

TEST(Terminal, WritesBytesInTheNearestUnit) {
  EXPECT_EQ(bytes(0), "0 B");
  EXPECT_EQ(bytes(512), "512 B");
  EXPECT_EQ(bytes(999.7), "1.0 kB");
  EXPECT_EQ(bytes(38.2e6), "38.2 MB");
  EXPECT_EQ(bytes(999'960), "1.0 MB");
  EXPECT_EQ(bytes(2e18), "2000.0 PB");
  EXPECT_EQ(bytes(std::nan("")), "?");
}

TEST(Terminal, CountsColumnsAndNotBytes) {
  EXPECT_EQ(columns(""), 0);
  EXPECT_EQ(columns("naïve ±"), 7);
  EXPECT_EQ(columns(bold("naïve", true)), 5);
}

TEST(Terminal, FitsTextIntoAColumn) {
  const Variable locale("LC_ALL", "C.UTF-8");
  EXPECT_EQ(fit("ab", 4), "ab  ");
  EXPECT_EQ(fit_right("ä", 3), "  ä");
  EXPECT_EQ(fit("äöüß", 3), "äö…");
  EXPECT_EQ(fit("abc", 3), "abc");
  EXPECT_EQ(fit("abc", 1), "…");
  EXPECT_EQ(fit("abc", 0), "");
  EXPECT_EQ(fit_right("abcd", 3), "ab…");
}

TEST(Terminal, UsesUnicodeOnlyWhereTheLocaleHasIt) {
  const Variable ctype("LC_CTYPE", "C"), lang("LANG", "C");
  {
    const Variable all("LC_ALL", "en_GB.utf8");
    EXPECT_TRUE(use_unicode());
  }
  const Variable all("LC_ALL", "");
  EXPECT_FALSE(use_unicode());
  EXPECT_EQ(fit("abcd", 3), "ab~");
  const Variable narrower("LC_CTYPE", "");
  const Variable other("LANG", "de_AT.UTF-8");
  EXPECT_TRUE(use_unicode());
}

TEST(Terminal, TakesAPipeForNoTerminal) {
  std::FILE* const file = std::tmpfile();
  EXPECT_FALSE(is_terminal(file));
  EXPECT_FALSE(use_colour(file));
  EXPECT_EQ(terminal_width(file), 80);
  std::fclose(file);
}

TEST(Terminal, WelcomesColourUnlessTheUserDoesNot) {
  const FakeTerminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo terminals here";
  const Variable term("TERM", "xterm");
  EXPECT_TRUE(is_terminal(stderr));
  EXPECT_EQ(terminal_width(stderr), 72);
  {
    const Variable unset("NO_COLOR", "");
    EXPECT_TRUE(use_colour(stderr));
  }
  const Variable no_colour("NO_COLOR", "1");
  EXPECT_FALSE(use_colour(stderr));
}

TEST(LiveLines, AreSilentWithoutATerminal) {
  testing::internal::CaptureStderr();
  {
    LiveLines lines;
    EXPECT_FALSE(lines.visible());
    lines.show("one\ntwo");
    lines.clear();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(LiveLines, AreRewrittenInPlaceAndCleanedUp) {
  const FakeTerminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo terminals here";
  const Variable term("TERM", "xterm");
  {
    LiveLines lines;
    ASSERT_TRUE(lines.visible());
    lines.show("first\nsecond");
    lines.show("dropped: too soon");
    ::usleep(120'000);
    lines.show("third");
  }
  const std::string seen = terminal.seen();
  EXPECT_EQ(seen.find("dropped"), std::string::npos);
  const std::size_t first = seen.find("second"), up = seen.find("\x1b[1A"),
                    third = seen.find("third");
  ASSERT_NE(third, std::string::npos);
  EXPECT_LT(first, up);
  EXPECT_LT(up, third);
  EXPECT_EQ(seen.substr(seen.size() - 4), "\r\x1b[J");
}

TEST(LiveLines, DoNotWriteEscapeCodesToADumbTerminal) {
  const FakeTerminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo terminals here";
  const Variable term("TERM", "dumb");
  LiveLines lines;
  lines.show("x");
  EXPECT_EQ(terminal.seen(), "");
}

}  // namespace
}  // namespace engram
