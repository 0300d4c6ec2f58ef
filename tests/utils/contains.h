// Is a part in a text? For tests of what is said.
#pragma once

#include <string>

#include <gtest/gtest.h>

namespace engram {

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
#define EXPECT_SAYS(text, part) EXPECT_PRED2(contains, text, part)

}  // namespace engram
