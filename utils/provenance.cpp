// Asks the compiler, the libraries, /proc and git. What cannot be found out is "unknown".
#include "utils/provenance.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <boost/version.hpp>
#include <cblas.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <xsimd/config/xsimd_config.hpp>
#include <xtensor/xtensor_config.hpp>

#include "utils/denormals.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/real.h"

namespace engram {
namespace {

constexpr const char* kUnknown = "unknown";

std::string quoted_for_shell(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "re"),
                                                             ::pclose);
  std::string text;
  std::array<char, 4096> chunk;
  while (pipe) {
    const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe.get());
    if (got == 0) break;
    text.append(chunk.data(), got);
  }
  return text;
}

/// The revision the sources stand at, "+changes" when files differ from it. A folder that lies
/// inside somebody else's repository has none.
std::string ask_git(const std::string& folder) {
  const std::string git = "git --no-optional-locks -C " + quoted_for_shell(folder) + " ";
  const std::string text =
      output_of("(" + git + "rev-parse --show-prefix && " + git + "rev-parse --short=12 HEAD && " +
                git + "status --porcelain) 2>/dev/null");
  const std::size_t prefix_end = text.find('\n');
  if (prefix_end != 0) return kUnknown;
  const std::size_t revision_end = text.find('\n', 1);
  if (revision_end == std::string::npos) return kUnknown;
  const std::string revision = text.substr(1, revision_end - 1);
  return text.size() > revision_end + 1 ? revision + "+changes" : revision;
}

std::string git_revision() {
  static const std::string revision = ask_git(ENGRAM_SOURCE_DIR);
  return revision;
}

/// The value after "key<separator>" in the first line that starts with the key.
std::string line_of(const char* file, const std::string& key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t\"", at + 1);
    const std::size_t end = line.find_last_not_of(" \t\"");
    if (begin != std::string::npos && begin <= end) return line.substr(begin, end - begin + 1);
  }
  return kUnknown;
}

std::string compiler() {
#if defined(__clang__)
  return __VERSION__;
#else
  return "GCC " __VERSION__;
#endif
}

/// CMake may hand the flags over; else what the compiler says about them.
std::string flags() {
#ifdef ENGRAM_COMPILE_FLAGS
  return ENGRAM_COMPILE_FLAGS;
#else
  std::string text = sizeof(real) == 4 ? "float" : "double";
#ifdef __OPTIMIZE__
  text += ", optimised";
#else
  text += ", not optimised";
#endif
#if defined(__AVX512F__)
  text += ", AVX-512";
#elif defined(__AVX2__)
  text += ", AVX2";
#endif
#ifdef __FMA__
  text += ", FMA";
#endif
#ifdef __FAST_MATH__
  text += ", fast-math";
#endif
#ifndef NDEBUG
  text += ", assertions";
#endif
  return text;
#endif
}

std::string hdf5_version() {
  unsigned major = 0, minor = 0, patch = 0;
  H5get_libversion(&major, &minor, &patch);
  return fmt::format("{}.{}.{}", major, minor, patch);
}

std::string operating_system() {
  utsname names{};
  if (::uname(&names) != 0) return line_of("/etc/os-release", "PRETTY_NAME", '=');
  return fmt::format("{}, {} {} {}", line_of("/etc/os-release", "PRETTY_NAME", '='), names.sysname,
                     names.release, names.machine);
}

}  // namespace

std::string engram_version() {
  return ENGRAM_VERSION;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::size_t peak_rss_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;  // Linux counts in kilobytes
}

std::string find_fact(const Facts& facts, std::string_view name) {
  for (const auto& [known, text] : facts)
    if (known == name) return text;
  return "";
}

Facts collect_provenance() {
  return {
      {"engram_version", engram_version()},
      {"git", git_revision()},
      {"compiler", compiler()},
      {"flags", flags()},
      {"cpu", line_of("/proc/cpuinfo", "model name", ':')},
      {"blas_core", kernels::blas_core()},
      {"denormals", flushes_denormals() ? "flushed" : "kept"},
      {"threads", std::to_string(threads())},
      {"os", operating_system()},
      {"openblas", openblas_get_config()},
      {"hdf5", hdf5_version()},
      {"boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                            BOOST_VERSION % 100)},
      {"xtensor", fmt::format("{}.{}.{}", XTENSOR_VERSION_MAJOR, XTENSOR_VERSION_MINOR,
                              XTENSOR_VERSION_PATCH)},
      {"xsimd",
       fmt::format("{}.{}.{}", XSIMD_VERSION_MAJOR, XSIMD_VERSION_MINOR, XSIMD_VERSION_PATCH)},
      {"fmt",
       fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"started", utc_now()},
  };
}

}  // namespace engram
