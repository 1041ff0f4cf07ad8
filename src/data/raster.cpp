#include "ltad/data/raster.h"

#include <algorithm>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"
#include "ltad/core/files.h"

namespace ltad {
namespace {

/// Whether a JPEG stream has its end marker; OpenCV fills what is missing with grey and says nothing.
bool jpeg_is_whole(std::string_view bytes) {
    // Headers are skipped by their lengths: a thumbnail inside one has an end marker of its own.
    std::size_t at = 2;
    while (at + 4 <= bytes.size() && static_cast<unsigned char>(bytes[at]) == 0xFF) {
        const auto marker = static_cast<unsigned char>(bytes[at + 1]);
        if (marker == 0xFF) {  // a fill byte
            ++at;
            continue;
        }
        if (marker == 0xDA) return bytes.find("\xFF\xD9", at) != std::string_view::npos;
        at += 2 + static_cast<unsigned char>(bytes[at + 2]) * 256u + static_cast<unsigned char>(bytes[at + 3]);
    }
    return false;
}

/// As stored: grey, BGR or BGRA of 8 or 16 bit. IMREAD_UNCHANGED also ignores the EXIF orientation.
cv::Mat decode(std::string_view bytes, const std::string& name) {
    [[maybe_unused]] static const auto silenced = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    if (bytes.empty()) fail(name, ": the file is empty, a picture was expected");
    cv::Mat picture;
    try {
        const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
        picture = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
    } catch (const cv::Exception&) {
        picture.release();  // reported below, like any other unreadable file
    }
    if (bytes.starts_with("\xFF\xD8") && !jpeg_is_whole(bytes)) picture.release();
    if (picture.empty()) fail(name, ": not a picture that can be read (PNG, JPEG, BMP, TIFF, WebP), or damaged");
    if (picture.depth() != CV_8U && picture.depth() != CV_16U)
        fail(name, ": its samples are neither 8 nor 16 bit whole numbers; convert it first");
    return picture;
}

template <typename T>
void take(const cv::Mat& picture, Raster& raster) {
    const int channels = picture.channels();
    std::uint16_t* out = raster.samples.data();
    for (int y = 0; y < picture.rows; ++y) {
        const T* in = picture.ptr<T>(y);
        for (int x = 0; x < picture.cols; ++x, in += channels, out += raster.channels)
            for (int c = 0; c < raster.channels; ++c) out[c] = in[channels < 3 ? 0 : 2 - c];  // OpenCV's order is BGR
    }
}

}  // namespace

Raster decode_raster(std::string_view bytes, const std::string& name) {
    const cv::Mat picture = decode(bytes, name);
    Raster raster{.width = picture.cols, .height = picture.rows, .channels = picture.channels() < 3 ? 1 : 3,
                  .bits = picture.depth() == CV_8U ? 8 : 16, .lossy = bytes.starts_with("\xFF\xD8"), .samples = {}};
    raster.samples.resize(picture.total() * static_cast<std::size_t>(raster.channels));
    if (raster.bits == 8)
        take<std::uint8_t>(picture, raster);
    else
        take<std::uint16_t>(picture, raster);
    return raster;
}

Raster read_raster(const std::filesystem::path& path) { return decode_raster(read_file(path), path.string()); }

}  // namespace ltad
