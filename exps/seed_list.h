// Seeds as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "utils/error.h"

namespace engram {

/// "3" -> 3; "0..4" -> 0 1 2 3 4; "0,2,5..7". What does not fit is an Error(`fault`) that begins
/// with `where`, and so are more than 10,000 seeds.
std::vector<std::uint64_t> parse_seeds(const std::string& text,
                                       const std::string& where = "--seeds",
                                       Fault fault = Fault::Usage);

}  // namespace engram
