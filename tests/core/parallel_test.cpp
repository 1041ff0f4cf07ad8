#include "ltad/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace ltad {
namespace {

TEST(ForEachIndex, CallsEachOnce) {
    for (const std::size_t count : {0u, 1u, 7u, 100u})
        for (const std::size_t threads : {1u, 3u, 200u}) {
            std::vector<int> calls(count, 0);
            for_each_index(count, threads, [&](std::size_t i) { ++calls[i]; });
            EXPECT_EQ(std::count(calls.begin(), calls.end(), 1), static_cast<std::ptrdiff_t>(count));
        }
}

TEST(ForEachIndex, AnExceptionIsThrownOnWhenAllHaveEnded) {
    std::atomic<int> calls = 0;
    const auto work = [&](std::size_t i) {
        ++calls;
        if (i == 0) throw std::runtime_error("zero");
    };
    EXPECT_THROW(for_each_index(10, 2, work), std::runtime_error);
    EXPECT_EQ(calls, 6) << "0 by the first thread, 1, 3, 5, 7 and 9 by the second";
}

}  // namespace
}  // namespace ltad
