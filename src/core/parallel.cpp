#include "ltad/core/parallel.h"

#include <algorithm>
#include <future>
#include <vector>

namespace ltad {

void for_each_index(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
    std::vector<std::future<void>> workers;
    for (std::size_t first = 0; first < std::min(threads, count); ++first)
        workers.push_back(std::async(std::launch::async, [&work, first, count, threads] {
            for (std::size_t i = first; i < count; i += threads) work(i);
        }));
    for (const auto& worker : workers) worker.wait();
    for (auto& worker : workers) worker.get();
}

}  // namespace ltad
