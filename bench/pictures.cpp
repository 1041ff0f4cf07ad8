// Pictures: decoding with resizing, and generated ones with captions.
#include <ATen/ATen.h>
#include <opencv2/imgcodecs.hpp>

#include "ltad/data/image.h"
#include "ltad/features/extract.h"
#include "ltad/synth/pairs.h"
#include "work.h"

namespace ltad::bench {
namespace {

/// A 1024 × 1024 PNG of soft noise, as an inspection camera gives it.
std::string png() {
    at::manual_seed(1);
    const at::Tensor soft = at::upsample_bicubic2d(at::rand({1, 3, 128, 128}) * 255, {1024, 1024}, false);
    const at::Tensor pixels = soft.clamp(0, 255)[0].permute({1, 2, 0}).to(at::kByte).contiguous();
    std::vector<unsigned char> bytes;
    cv::imencode(".png", cv::Mat(1024, 1024, CV_8UC3, pixels.data_ptr()), bytes);
    return {bytes.begin(), bytes.end()};
}

at::Tensor plain_picture(const std::string& bytes) {
    const std::vector<unsigned char> buffer(bytes.begin(), bytes.end());
    const cv::Mat bgr = cv::imdecode(buffer, cv::IMREAD_COLOR);
    const at::Tensor pixels = at::from_blob(bgr.data, {bgr.rows, bgr.cols, 3}, at::kByte).flip({2});
    const at::Tensor planes = pixels.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat);
    return at::_upsample_bilinear2d_aa(planes, {224, 224}, false).round().clamp(0, 255)[0].permute({1, 2, 0});
}

at::Tensor our_picture(const std::string& bytes) {
    return picture_tensor(decode_image(bytes, "picture"), 224).to(at::kFloat);
}

Variant picture(const std::string& name, at::Tensor (*decode)(const std::string&)) {
    return {name, [=] { return [=, bytes = png()] { (void)decode(bytes); }; }, [=] { return decode(png()); },
            1.01 / 255};
}

Work pairs(const std::string& name, PairSide side) {
    const auto draw = [=] {
        return [key = PairKey{.seed = 1, .side = side}]() mutable {
            (void)draw_pair(key);
            ++key.index;
        };
    };
    return {.name = name, .unit = "images", .variants = {{"ours", draw, {}}}, .threads = {1}};
}

}  // namespace

std::vector<Work> pictures_works() {
    return {{.name = "decode and resize, 1024 to 224",
             .unit = "images",
             .variants = {picture("plain", plain_picture), picture("ours", our_picture)},
             .threads = {1}},
            pairs("draw picture-caption pairs", PairSide::training),
            pairs("draw picture-caption pairs, held out", PairSide::held_out)};
}

}  // namespace ltad::bench
