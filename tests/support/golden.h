#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "ltad/align/weights.h"
#include "ltad/core/json.h"
#include "ltad/core/random.h"

namespace ltad::test {

/// The tensors of tests are tiny: more threads than one only wait for each other, seconds of it where ctest runs many.
class OneThread : public ::testing::Environment {
public:
    void SetUp() override { at::set_num_threads(1); }
};
inline ::testing::Environment* const one_thread = ::testing::AddGlobalTestEnvironment(new OneThread);

inline std::filesystem::path golden_path(const std::string& name) {
    return std::filesystem::path(LTAD_TEST_DATA) / name;
}

/// Standard normals, the same on every machine and in every order of tests.
inline at::Tensor random_tensor(const std::vector<std::int64_t>& shape, std::uint64_t seed,
                                at::ScalarType dtype = at::kFloat) {
    at::Tensor values = at::empty(shape, at::kFloat);
    Random random(RandomUse::test, {seed});
    random.fill_normal({values.mutable_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
    return values.to(dtype);
}

/// A contiguous copy's values as doubles, for plain loops.
inline std::vector<double> values_of(const at::Tensor& tensor) {
    const at::Tensor plain = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
    return {plain.const_data_ptr<double>(), plain.const_data_ptr<double>() + plain.numel()};
}

inline ::testing::AssertionResult close_to(const char* actual_name, const char* reference_name, const char*,
                                           const at::Tensor& actual, const at::Tensor& reference, double tolerance) {
    if (!actual.defined() || !reference.defined())
        return ::testing::AssertionFailure() << actual_name << " or " << reference_name << " is undefined";
    if (actual.sizes() != reference.sizes())
        return ::testing::AssertionFailure() << actual_name << " has shape " << shape_text(actual.sizes().vec()) << ", "
                                             << reference_name << " has " << shape_text(reference.sizes().vec());
    if (reference.numel() == 0) return ::testing::AssertionSuccess();
    const at::Tensor a = actual.detach().to(at::kDouble);
    const at::Tensor r = reference.detach().to(at::kDouble);
    const double largest = r.abs().max().item<double>();
    const double difference = (a - r).abs().max().item<double>();
    if (difference <= tolerance * largest) return ::testing::AssertionSuccess();  // false for NaN
    return ::testing::AssertionFailure() << actual_name << " differs from " << reference_name << " by " << difference
                                         << ", allowed is " << tolerance << " * " << largest;
}

// max|actual − reference| ≤ tolerance · max|reference|. In a loop, stream the tensor's name after it.
#define EXPECT_CLOSE_WITHIN(actual, reference, tolerance) \
    EXPECT_PRED_FORMAT3(::ltad::test::close_to, actual, reference, tolerance)
#define EXPECT_CLOSE(actual, reference) EXPECT_CLOSE_WITHIN(actual, reference, 1e-4)

inline void write_text(const std::filesystem::path& file, const std::string& content) {
    std::filesystem::remove(
        file);  // ext4 flushes a file that is cut to nothing and written again, which takes its time
    std::ofstream(file, std::ios::binary) << content;
}

/// golden/align_tiny as a complete model directory: with a vocabulary of 128 tokens and align-base's preprocessing.
inline void make_align_tiny(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    for (const char* name : {"config.json", "model.safetensors"})
        std::filesystem::copy_file(golden_path("align_tiny") / name, folder / name);
    std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a",     "broken", "object",
                                       "metal", "nut",   "##s",   "good",  "bottle", "##cap", "an",     "."};
    while (tokens.size() < 128) tokens.push_back("[unused" + std::to_string(tokens.size()) + "]");
    std::string vocabulary;
    for (const std::string& token : tokens) vocabulary += token + "\n";
    write_text(folder / "vocab.txt", vocabulary);
    write_text(folder / "preprocessor_config.json",
               R"({"do_rescale": true, "rescale_factor": 0.00784313725490196, "rescale_offset": true,
                   "do_normalize": false, "include_top": false, "size": {"height": 289, "width": 289}, "do_center_crop": true})");
}

/// Merges `patch` (RFC 7396) into a JSON file.
inline void patch_json(const std::filesystem::path& file, const json& patch) {
    json document = read_json(file);
    document.merge_patch(patch);
    write_json(file, document);
}

}  // namespace ltad::test
