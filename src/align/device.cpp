#include "ltad/align/device.h"

#include <algorithm>
#include <thread>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/util/Logging.h>

#include "ltad/core/error.h"

namespace ltad {

at::Device choose_device(const std::string& name) {
    if (name == "cpu") return at::kCPU;
    const bool there = at::hasCUDA() && at::getNumGPUs() > 0;
    if (there) return {at::kCUDA, 0};
    if (name == "cuda")
        fail("device: \"cuda\" was asked for, but no CUDA device answers, or ltad was built without CUDA (scripts/setup.sh ",
             "--cuda brings it); use device \"cpu\" or \"auto\"");
    return at::kCPU;
}

void set_threads(std::int64_t threads) {
    FLAGS_caffe2_use_fatal_for_enforce =
        false;  // memory that cannot be had is an exception, not the end of the process
    const auto cores = static_cast<std::int64_t>(std::max(1u, std::thread::hardware_concurrency()));
    at::set_num_threads(static_cast<int>(threads > 0 ? threads : cores));
}

}  // namespace ltad
