// CelebA (Liu et al. 2015): portraits as JPEG files, and two lists about them.
#pragma once

#include <filesystem>

#include "benchmarks/dataset.h"

namespace engram {

/// Reads `attributes` (list_attr_celeba.txt) and `partition` (list_eval_partition.txt: 0 training,
/// 1 validation, 2 test). Images are read from `folder`/img_align_celeba/ or `folder` when they are
/// needed: all of them decoded would take 19 GB. Validation images follow the training images and
/// are `held_out`. Throws Error(Data) with file and line for lists that are not well formed, and
/// Error(MissingInput) when the first image is in neither place.
Dataset read_celeba(const std::filesystem::path& attributes, const std::filesystem::path& partition,
                    const std::filesystem::path& folder, ImageShape shape);

}  // namespace engram
