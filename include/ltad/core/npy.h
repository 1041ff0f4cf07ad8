#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "ltad/core/files.h"

namespace ltad {

/// A float32 array in a .npy file (NumPy format 1.0, '<f4', C order), memory-mapped.
/// The constructor checks the header and that the file is exactly as long as its shape needs, so that no later access
/// can end the process with SIGBUS. Throws Error naming the file.
class NpyFile {
public:
    explicit NpyFile(const std::filesystem::path& path);

    [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
    [[nodiscard]] std::span<const float> values() const { return values_; }
    /// The i-th slice along the first dimension.
    [[nodiscard]] std::span<const float> row(std::size_t i) const { return values_.subspan(i * row_size_, row_size_); }

private:
    MappedFile file_;
    std::vector<std::int64_t> shape_;
    std::span<const float> values_;
    std::size_t row_size_ = 0;
};

/// Writes a float32 .npy file row by row, the number of rows not being known at the start.
/// Nothing appears under `path` before `commit`.
class NpyWriter {
public:
    NpyWriter(const std::filesystem::path& path, std::vector<std::int64_t> row_shape);

    /// Throws Error when `row` has not the size of `row_shape`.
    void append(std::span<const float> row);
    void commit();
    [[nodiscard]] std::size_t rows() const { return rows_; }

private:
    AtomicFile file_;
    std::vector<std::int64_t> row_shape_;
    std::size_t row_size_ = 1;
    std::size_t rows_ = 0;
};

}  // namespace ltad
