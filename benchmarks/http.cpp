#include "benchmarks/http.h"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include <curl/curl.h>
#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

constexpr int kAttempts = 5;
constexpr const char* kUserAgent = "engram";

struct CurlDelete {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// One request and what came back.
struct Attempt {
  Attempt(const Transfer& what, CURL* handle) : transfer(what), curl(handle) {}
  const Transfer& transfer;
  CURL* curl;
  std::unique_ptr<std::FILE, FileClose> file;
  std::uint64_t had = 0;                  ///< bytes of the part before this request
  std::uint64_t done = 0;                 ///< bytes of the part now
  std::optional<std::uint64_t> starts;    ///< first byte that the server says it sends
  std::optional<std::uint64_t> complete;  ///< size of the whole file, as the server says
  bool too_large = false, write_failed = false, wrong_range = false;
  std::chrono::steady_clock::time_point reported{};
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// Content-Range: "bytes 100-199/200", or "bytes */200" when the range was refused.
std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& attempt = *static_cast<Attempt*>(user);
  constexpr std::string_view kName = "content-range:";
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) attempt.starts.reset(), attempt.complete.reset();
  if (line.size() < kName.size() || strncasecmp(data, kName.data(), kName.size()) != 0) return size;
  const std::size_t unit = line.find("bytes"), slash = line.find('/');
  if (unit == std::string_view::npos || slash == std::string_view::npos) return size;
  const std::size_t value = line.find_first_not_of(" =", unit + 5);
  if (value < slash) attempt.starts = number(line.substr(value));
  attempt.complete = number(line.substr(slash + 1));
  return size;
}

/// Before the first byte: does it continue what we have, or begin anew?
bool begin_body(Attempt& attempt, long status) {
  if (status == 206 && attempt.starts == attempt.had) return true;
  attempt.wrong_range = status == 206;
  if (attempt.wrong_range || attempt.had == 0) return !attempt.wrong_range;
  attempt.file.reset(std::freopen(attempt.transfer.part.c_str(), "wb", attempt.file.release()));
  attempt.write_failed = !attempt.file;
  attempt.had = attempt.done = 0;
  return !attempt.write_failed;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& attempt = *static_cast<Attempt*>(user);
  long status = 0;
  curl_easy_getinfo(attempt.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200 && status != 206) return size;  // an error page is not the file
  if (attempt.done == attempt.had && !begin_body(attempt, status)) return 0;
  if (attempt.done + size > attempt.transfer.max_bytes) {
    attempt.too_large = true;
    return 0;
  }
  if (std::fwrite(data, 1, size, attempt.file.get()) != size) {
    attempt.write_failed = true;
    return 0;
  }
  attempt.done += size;
  return size;
}

int on_progress(void* user, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  auto& attempt = *static_cast<Attempt*>(user);
  const auto now = std::chrono::steady_clock::now();
  if (now - attempt.reported < std::chrono::milliseconds(100)) return 0;
  attempt.reported = now;
  const std::uint64_t expected = total > 0 ? attempt.had + static_cast<std::uint64_t>(total) : 0;
  if (attempt.done > 0) attempt.transfer.progress(attempt.done, expected);
  return 0;
}

bool is_plain_http(const std::string& url) {
  return url.starts_with("http://");
}

void configure(CURL* curl, Attempt& attempt, char* error_text) {
  const Transfer& transfer = attempt.transfer;
  curl_easy_setopt(curl, CURLOPT_URL, transfer.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_plain_http(transfer.url) ? "http" : "https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  if (is_plain_http(transfer.url)) curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 8L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, kUserAgent);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(transfer.connect_seconds));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(transfer.stall_seconds));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &attempt);
  if (transfer.progress) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &attempt);
  }
  // CURLOPT_RANGE and not CURLOPT_RESUME_FROM: a server without ranges then answers with the whole
  // file, which begin_body() takes, instead of an error.
  const std::string range = fmt::format("{}-", attempt.had);
  if (attempt.had > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
}

enum class Outcome { Complete, Interrupted, StartAgain, Failed };

/// One request. `why` receives the reason unless it was complete.
Outcome try_once(const Transfer& transfer, std::string& why, std::uint64_t& arrived) {
  const std::unique_ptr<CURL, CurlDelete> curl(curl_easy_init());
  if (!curl) throw Error(Fault::Internal, "libcurl cannot be started");
  std::error_code absent;
  const std::uintmax_t size = fs::file_size(transfer.part, absent);
  Attempt attempt(transfer, curl.get());
  attempt.had = attempt.done = absent ? 0 : size;
  attempt.file.reset(std::fopen(transfer.part.c_str(), "ab"));
  if (!attempt.file)
    throw Error(Fault::CannotWrite,
                fmt::format("{}: {}", transfer.part.string(), std::strerror(errno)));
  char error_text[CURL_ERROR_SIZE] = "";
  configure(curl.get(), attempt, error_text);
  const std::uint64_t before = attempt.had;
  const CURLcode code = curl_easy_perform(curl.get());
  if (attempt.file && std::fflush(attempt.file.get()) != 0) attempt.write_failed = true;
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  arrived = attempt.done;

  if (attempt.write_failed)
    throw Error(Fault::Io, fmt::format("{}: {}", transfer.part.string(), std::strerror(errno)));
  if (attempt.too_large) {
    attempt.file.reset();
    fs::remove(transfer.part, absent);
    throw Error(Fault::Data, fmt::format("{}: larger than the {} bytes expected at most",
                                         transfer.url, transfer.max_bytes));
  }
  if (attempt.wrong_range || (status == 416 && attempt.complete != before)) {
    why = "the server does not continue where the part ends";
    return Outcome::StartAgain;
  }
  if (status == 416) return Outcome::Complete;
  if (code == CURLE_OK && (status == 200 || status == 206)) {
    if (transfer.progress) transfer.progress(attempt.done, attempt.done);
    return Outcome::Complete;
  }
  why = code != CURLE_OK ? (*error_text ? error_text : curl_easy_strerror(code))
                         : fmt::format("the server answered {}", status);
  return attempt.done > attempt.had ? Outcome::Interrupted : Outcome::Failed;
}

}  // namespace

bool is_allowed_address(const std::string& url) {
  if (url.starts_with("https://")) return true;
  constexpr std::string_view kLocal = "http://127.0.0.1";
  if (!url.starts_with(kLocal)) return false;
  const std::string_view rest = std::string_view(url).substr(kLocal.size());
  const std::string_view port = rest.substr(0, rest.find_first_of("/?#"));
  return port.find_first_not_of(":0123456789") == std::string_view::npos &&
         (port.empty() || port[0] == ':');
}

void download(const Transfer& transfer) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw Error(Fault::Internal, "libcurl cannot be started");
  if (!is_allowed_address(transfer.url))
    throw Error(Fault::Config, fmt::format("{}: only https:// addresses (and http://127.0.0.1) are "
                                           "downloaded from",
                                           transfer.url));
  std::string why;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::uint64_t arrived = 0;
    const Outcome outcome = try_once(transfer, why, arrived);
    if (outcome == Outcome::Complete) return;
    if (outcome == Outcome::Failed) break;
    if (outcome == Outcome::StartAgain) {
      std::error_code ignored;
      fs::remove(transfer.part, ignored);
    }
  }
  std::error_code ignored;
  if (fs::file_size(transfer.part, ignored) == 0) fs::remove(transfer.part, ignored);
  throw Error(Fault::MissingInput, fmt::format("{}: {}", transfer.url, why));
}

}  // namespace engram
