// The transforms of Winograd convolution (Lavin & Gray 2016, "Fast algorithms for convolutional
// neural networks") between images and tiles. Every tile is 8 x 8, so one set of points serves all
// kernels: a kernel of r x r gives m x m places a tile with m = 9 - r. The points are 0, 1, -1, 2,
// -2, 1/2, -1/2 and infinity; y = Aᵀ [(G w Gᵀ) * (Bᵀ x B)] A.
#pragma once

#include <cstddef>

#include "utils/real.h"

namespace engram::kernels {

constexpr int kWinogradTile = 8;
constexpr int kWinogradParts = kWinogradTile * kWinogradTile;  ///< numbers of a transformed tile
constexpr bool winograd_knows(int kernel) {
  return kernel == 3 || kernel == 5;
}

/// How tiles lie on an image (height x width x channels). What lies outside reads as zero and is
/// not written.
struct TileGrid {
  int height = 0, width = 0, channels = 0;
  int origin = 0;  ///< row and column of the first tile, negative with padding
  int kernel = 0;  ///< r; tiles lie m = 9 - r apart
  int tiles_y = 0, tiles_x = 0;
};

/// Tiles in transformed form: part i of tile t, channel c is data[i * part + t * tile + c], where
/// `tile` is a multiple of the vector width (16) and channels are padded up to that with zeros.
struct Tiles {
  real* data = nullptr;
  std::ptrdiff_t part = 0, tile = 0;
};

void tiles_of_input(const TileGrid& grid, const real* image, Tiles out);  ///< Bᵀ x B, x 8 x 8
void tiles_of_error(const TileGrid& grid, const real* image, Tiles out);  ///< A dy Aᵀ, dy m x m
/// image <- Aᵀ in A + bias.
void output_of_tiles(const TileGrid& grid, Tiles in, const real* bias, real* image);
/// image += B in Bᵀ, summed over the tiles that overlap: adjoint of tiles_of_input.
void input_error_of_tiles(const TileGrid& grid, Tiles in, real* image);

/// One row of weights: w[tap * tap_stride + j] for r x r taps and j < columns. Writes part i to
/// out[i * part + (j / panel_width()) * panel + j % panel_width()]: G w Gᵀ.
void expand_kernel(int kernel, const real* w, std::ptrdiff_t tap_stride, int columns, real* out,
                   std::ptrdiff_t part, std::ptrdiff_t panel);
/// Adjoint: gradient[tap * tap_stride + j] <- (or += when `add`) Gᵀ in G with in[i * part + j].
void collapse_kernel(int kernel, const real* in, std::ptrdiff_t part, int columns, real* gradient,
                     std::ptrdiff_t tap_stride, bool add);

}  // namespace engram::kernels
