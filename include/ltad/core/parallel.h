#pragma once

#include <cstddef>
#include <functional>

namespace ltad {

/// Calls work(0) … work(count − 1), each once, by so many threads of its own; for work that waits for the disk or
/// takes unevenly long, which LibTorch's threads are not for. The first exception of each thread ends that thread; one
/// of them is thrown on when all have ended.
void for_each_index(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work);

}  // namespace ltad
