#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

namespace ltad {

/// The size of a cache line and of the widest register. Vectors that straddle two lines take twice as long to load, and
/// every one of a row does where the allocator's 16 bytes are all there is.
constexpr std::align_val_t line_size{64};

struct AlignedDelete {
    void operator()(void* memory) const { ::operator delete[](memory, line_size); }
};

/// Memory that starts with a cache line; not initialised, so that the threads that fill it touch it first: std::vector
/// would zero it on one thread, which showed in the profile.
template <typename T>
using Buffer = std::unique_ptr<T[], AlignedDelete>;

template <typename T>
[[nodiscard]] Buffer<T> make_buffer(std::int64_t size) {
    static_assert(std::is_trivial_v<T>);
    return Buffer<T>(static_cast<T*>(::operator new[](static_cast<std::size_t>(size) * sizeof(T), line_size)));
}

}  // namespace ltad
