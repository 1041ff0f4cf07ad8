#pragma once

#include <functional>

#include <gtest/gtest.h>

namespace ltad::test {

/// Does the work without its progress and last word, which go to stderr.
inline void quietly(const std::function<void()>& work) {
    testing::internal::CaptureStderr();
    try {
        work();
    } catch (...) {
        (void)testing::internal::GetCapturedStderr();
        throw;
    }
    (void)testing::internal::GetCapturedStderr();
}

}  // namespace ltad::test
