#include "ltad/data/picture_files.h"

#include <algorithm>
#include <array>

namespace ltad {
namespace {

constexpr std::array<std::string_view, 7> read_endings = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"};
constexpr std::array<std::string_view, 27> foreign_endings = {
    ".gif", ".npy",  ".npz",  ".jp2",  ".j2k", ".jpe", ".jfif", ".jxl", ".jxr", ".ppm", ".pgm", ".pbm", ".pnm", ".exr",
    ".hdr", ".heic", ".heif", ".avif", ".dng", ".raw", ".tga",  ".psd", ".dcm", ".mat", ".svg", ".dib", ".ico"};

template <typename Endings>
bool ends_in(const std::filesystem::path& file, const Endings& endings) {
    const std::string ending = lower_case(file.extension().string());
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

}  // namespace

bool has_picture_ending(const std::filesystem::path& file) { return ends_in(file, read_endings); }

bool has_foreign_picture_ending(const std::filesystem::path& file) { return ends_in(file, foreign_endings); }

std::string lower_case(std::string_view words) {
    std::string small(words);
    std::transform(small.begin(), small.end(), small.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return small;
}

}  // namespace ltad
