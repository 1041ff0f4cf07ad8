#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ltad/core/files.h"

namespace ltad {

enum class Dtype { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

[[nodiscard]] std::size_t size_of(Dtype dtype);
/// As safetensors spells it: "F32", "BF16", "I64", …
[[nodiscard]] std::string_view name_of(Dtype dtype);

/// A tensor's bytes, little-endian, row-major, owned by somebody else.
struct TensorBytes {
    Dtype dtype = Dtype::f32;
    std::vector<std::int64_t> shape;
    std::string_view bytes;
};

using Metadata = std::map<std::string, std::string>;

/// A safetensors file, memory-mapped (format: github.com/huggingface/safetensors). The constructor validates all of the
/// header: lengths, dtypes, shapes against byte counts, no overlap, no hole, nothing past the end. Throws Error that
/// names the file and the tensor.
class SafetensorsFile {
public:
    explicit SafetensorsFile(std::filesystem::path path);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] const Metadata& metadata() const { return metadata_; }
    [[nodiscard]] const std::map<std::string, TensorBytes>& tensors() const { return tensors_; }

private:
    std::filesystem::path path_;
    MappedFile file_;
    Metadata metadata_;
    std::map<std::string, TensorBytes> tensors_;
};

/// Writes whole or not at all. Tensors are laid out in name order, so equal content gives equal bytes.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, TensorBytes>& tensors,
                       const Metadata& metadata);

}  // namespace ltad
