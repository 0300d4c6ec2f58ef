// One resumable transfer through libcurl. HTTPS only, also after redirects; plain HTTP only to this
// very machine, for tests and local caches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace engram {

struct Transfer {
  std::string url;
  std::filesystem::path part;   ///< grows here; what it holds already is not transferred again
  std::uint64_t max_bytes = 0;  ///< larger is refused
  int connect_seconds = 20, stall_seconds = 60;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  ///< may be empty
};

/// True for https://, and for http://127.0.0.1.
bool is_allowed_address(const std::string& url);

/// Downloads until `part` is complete. An interrupted transfer is taken up again a few times as
/// long as it makes headway; a server without byte ranges is asked from the start. Throws
/// Error(MissingInput) with the reason when the file cannot be had from there (what has arrived
/// stays in `part`), Error(Data) when it is larger than max_bytes, Error(CannotWrite) or Error(Io)
/// when it cannot be written, Error(Config) for an address that is not allowed.
void download(const Transfer& transfer);

}  // namespace engram
