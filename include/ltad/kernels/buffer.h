#pragma once

#include <cstdint>
#include <memory>

namespace ltad {

/// Memory whose first touch is left to the threads that fill it: std::vector would zero it on one thread, which showed
/// in the profile.
template <typename T>
using Buffer = std::unique_ptr<T[]>;

template <typename T>
[[nodiscard]] Buffer<T> make_buffer(std::int64_t size) {
    return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(size));
}

}  // namespace ltad
