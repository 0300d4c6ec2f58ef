// A small quadratic program, as gradient episodic memory has one in each step.
#pragma once

#include <span>
#include <vector>

namespace engram {

/// The v [n] that minimises vᵀ P v / 2 + qᵀ v under v_i >= lowest, for a symmetric positive
/// definite P [n, n] by rows. An active-set method (Lawson & Hanson 1974, chapter 23): exact up to
/// rounding after finitely many solutions of systems of at most n equations. Error(Numerical) when
/// P is not positive definite.
std::vector<double> solve_bounded_qp(std::span<const double> p, std::span<const double> q,
                                     double lowest);

}  // namespace engram
