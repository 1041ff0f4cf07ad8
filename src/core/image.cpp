#include "ltad/core/image.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"

namespace ltad {
namespace {

std::string encode(const cv::Mat& picture) {
    std::vector<unsigned char> bytes;
    if (picture.empty() || !cv::imencode(".png", picture, bytes))
        fail("a picture of ", picture.cols, " x ", picture.rows, " could not be encoded");
    return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string encode_png(const Image& image) {
    cv::Mat bgr(image.height, image.width, CV_8UC3);
    const std::uint8_t* in = image.pixels.data();
    for (int y = 0; y < image.height; ++y) {
        std::uint8_t* out = bgr.ptr<std::uint8_t>(y);
        for (int x = 0; x < image.width; ++x, in += 3, out += 3)
            for (int c = 0; c < 3; ++c) out[c] = in[2 - c];
    }
    return encode(bgr);
}

std::string encode_png(const Mask& mask) {
    cv::Mat grey(mask.height, mask.width, CV_8UC1);
    const std::uint8_t* in = mask.pixels.data();
    for (int y = 0; y < mask.height; ++y)
        for (int x = 0; x < mask.width; ++x) grey.at<std::uint8_t>(y, x) = *in++ != 0 ? 255 : 0;
    return encode(grey);
}

}  // namespace ltad
