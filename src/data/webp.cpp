#include <webp/decode.h>

#include "codecs.h"
#include "ltad/core/error.h"

namespace ltad {
namespace {

const std::uint8_t* raw(std::string_view bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

bool begins_as_webp(std::string_view bytes) {
    return bytes.size() >= 12 && bytes.starts_with("RIFF") && bytes.substr(8).starts_with("WEBP");
}

PictureHeader webp_header(ByteSource& source, const std::string& name) {
    const std::string bytes = source.part(0, 64);
    PictureHeader header{.format = "WebP", .width = 0, .height = 0};
    if (std::string_view(bytes).substr(12).starts_with("VP8X")) {
        if (bytes.size() < 30) fail_damaged(name, "WebP", "it ends within its header");
        if ((bytes[20] & 2) != 0)
            fail(name, ": an animated WebP, of which it is not clear which picture is meant; save that one alone");
        header.width = std::int64_t{little_endian(bytes, 24, 3)} + 1;
        header.height = std::int64_t{little_endian(bytes, 27, 3)} + 1;
        return header;
    }
    WebPBitstreamFeatures features{};
    if (WebPGetFeatures(raw(bytes), bytes.size(), &features) != VP8_STATUS_OK)
        fail_damaged(name, "WebP", "its header cannot be read");
    header.width = features.width;
    header.height = features.height;
    return header;
}

const char* words_of(VP8StatusCode status) {
    switch (status) {
        case VP8_STATUS_OUT_OF_MEMORY:
            return "out of memory";
        case VP8_STATUS_UNSUPPORTED_FEATURE:
            return "it has features that libwebp does not know";
        case VP8_STATUS_NOT_ENOUGH_DATA:
            return "it ends too early";
        default:
            return "its data are not right";
    }
}

StoredPicture decode_webp(std::string_view bytes, const PictureHeader& header, const std::string& name) {
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0) fail(name, ": the libwebp found is not the one that ltad was built with");
    auto status = WebPGetFeatures(raw(bytes), bytes.size(), &config.input);
    if (status != VP8_STATUS_OK) fail_damaged(name, "WebP", words_of(status));
    StoredPicture picture{.width = config.input.width, .height = config.input.height, .channels = 3};
    check_same_size(header, picture, name);
    picture.lossy = config.input.format != 2;
    picture.bytes.resize(picture.count());
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = {picture.bytes.data(), picture.width * 3, picture.bytes.size()};
    status = WebPDecode(raw(bytes), bytes.size(), &config);
    WebPFreeDecBuffer(&config.output);
    if (status != VP8_STATUS_OK) fail_damaged(name, "WebP", words_of(status));
    return picture;
}

}  // namespace

const Codec& webp_codec() {
    static constexpr Codec codec{"WebP", begins_as_webp, webp_header, decode_webp};
    return codec;
}

}  // namespace ltad
