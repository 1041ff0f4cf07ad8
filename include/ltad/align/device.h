#pragma once

#include <cstdint>
#include <string>

#include <c10/core/Device.h>

namespace ltad {

/// "cpu", "cuda", or "auto": CUDA where LibTorch has it and a device answers. Throws Error when "cuda" is asked for and
/// not there.
[[nodiscard]] at::Device choose_device(const std::string& name);

/// Threads of LibTorch's operators; 0 means as many as there are cores.
void set_threads(std::int64_t threads);

}  // namespace ltad
