// Work in a process of its own: its memory is counted apart, and what it breaks stays there.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>

namespace engram {

/// Forks, calls work() there and returns what it returned; calls wait() every now and then until it
/// ends. Empty when a stop signal came that the caller catches (StopSignals): the process is then
/// killed. Throws the Error that left work(), or Error(Internal) when the process died. Call it
/// before this process starts threads.
std::optional<std::string> bytes_from_own_process(const std::function<std::string()>& work,
                                                  const std::function<void()>& wait);

/// The same for plain data.
template <class T>
std::optional<T> from_own_process(const std::function<T()>& work,
                                  const std::function<void()>& wait) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto answer = bytes_from_own_process(
      [&] {
        const T value = work();
        return std::string(reinterpret_cast<const char*>(&value), sizeof value);
      },
      wait);
  if (!answer) return std::nullopt;
  T value;
  answer->copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

}  // namespace engram
