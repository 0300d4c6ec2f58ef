// Some options of a struct without the others.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "utils/options.h"

namespace engram {

/// Describes those options of T whose keys are listed. The others keep their defaults and count as
/// not read.
template <Described T>
struct SomeOptions {
  std::span<const std::string_view> keys;
  T options{};

  template <class V>
  void describe(V&& v) {
    options.describe(Chosen<V>{v, keys});
  }

 private:
  template <class V>
  struct Chosen {
    V& visit;
    std::span<const std::string_view> keys;
    template <class... Rest>
    void operator()(std::string_view key, Rest&&... rest) const {
      if (std::ranges::find(keys, option::spellings(key).front()) != keys.end())
        visit(key, std::forward<Rest>(rest)...);
    }
  };
};

}  // namespace engram
