// For *_json.cpp only: values of a results file as JSON.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "exps/analysis/results_json.h"
#include "exps/record.h"

namespace engram::json_parts {

/// JSON has neither NaN nor infinity: what is not a number is null.
nlohmann::json number(double value);
nlohmann::json numbers(const std::vector<double>& values);

template <class T>
nlohmann::json table(const T& values) {
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t i = 0; i < values.shape(0); ++i) {
    nlohmann::json row = nlohmann::json::array();
    for (std::size_t j = 0; j < values.shape(1); ++j)
      row.push_back(number(static_cast<double>(values(i, j))));
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Which of `all` things to show when `most` are wanted, evenly from the first to the last, which
/// are always among them; 0: all.
std::vector<std::size_t> evenly(std::size_t all, std::size_t most);

nlohmann::json measures(const RunRecord&);
nlohmann::json goodness(const RunRecord&);
nlohmann::json pictures(const RunRecord&, const JsonOptions&);
nlohmann::json representations(const RunRecord&);
nlohmann::json plasticity(const RunRecord&);
nlohmann::json embeddings(const RunRecord&, const JsonOptions&);
nlohmann::json returns(const RunRecord&);  ///< null where no agent acts

}  // namespace engram::json_parts
