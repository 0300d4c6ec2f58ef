// `benchmark = own`: a user's own images, in a file or folder that says by its content what it is.
#pragma once

#include <filesystem>
#include <string_view>

#include "benchmarks/catalog.h"
#include "benchmarks/dataset.h"
#include "benchmarks/stream_options.h"

namespace engram {

inline constexpr std::string_view kOwnData = "own";

/// What is read of a user's data.
enum class Reading {
  Everything,
  Outline,  ///< labels and the shape: pictures are looked at up to the first in colour, not kept
};

/// A folder of pictures (PNG, JPEG), of IDX files or of CIFAR's binary files, an HDF5 file or an
/// .npz. Throws Error(MissingInput) when there is nothing at `path`, Error(Data) naming the file
/// and what is wrong with it, or what is understood when nothing is. benchmarks/README.md tells
/// what each must hold.
Dataset read_own(const std::filesystem::path& path, ImageLayout, Reading = Reading::Everything);

/// Where data_path leads: as it is, or below the first place of the search that has it.
/// Error(MissingInput) with all that were tried.
std::filesystem::path find_own(const std::string& data_path, const DataSearch&);

/// Error(Config) when `benchmark` is no data set, or data_path is missing or has no effect.
void check_benchmark(const StreamOptions&);

/// The data set of the options: one of the catalogue, or the user's own.
Dataset load_benchmark(const StreamOptions&, const DataSearch&, Reading = Reading::Everything);

/// Mean and standard deviation of every channel over the images, as shares of 255. Of images that
/// are not kept decoded, over the first thousands.
PixelScale measured_scale(const Images&);

}  // namespace engram
