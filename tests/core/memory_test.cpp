#include "ltad/core/memory.h"

#include <sys/resource.h>

#include <cstddef>
#include <memory>

#include <gtest/gtest.h>

namespace ltad {
namespace {

/// Page faults of allocating and writing `bytes`.
long faults_of(std::size_t bytes) {
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    const auto memory = std::make_unique_for_overwrite<volatile char[]>(bytes);
    for (std::size_t i = 0; i < bytes; i += 4096) memory[i] = 1;
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

TEST(Memory, FreedMemoryIsUsedAgain) {
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "another allocator";
#endif
    constexpr std::size_t bytes = std::size_t{96} << 20;  // more than glibc keeps by itself
    keep_freed_memory();
    (void)faults_of(bytes);
    EXPECT_LT(faults_of(bytes), 100);
}

}  // namespace
}  // namespace ltad
