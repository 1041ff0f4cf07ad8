#pragma once

#include <functional>

#include <ATen/core/Tensor.h>

#include "ltad/core/image.h"

namespace ltad {

/// `count` pictures of side `size` as one tensor, [count, size, size, 3] uint8; `picture` is called from several
/// threads, once for each index. The first Error of any of them is thrown on.
[[nodiscard]] at::Tensor make_pictures(std::size_t count, int size, const std::function<Image(std::size_t)>& picture);

}  // namespace ltad
