#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <vector>

#include <jpeglib.h>
// Needs what jpeglib.h has declared.
#include <jerror.h>

#include "codecs.h"
#include "ltad/core/error.h"

namespace ltad {
namespace {

bool begins_as_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }

bool starts_frame(unsigned marker) {  // SOF0 to SOF15, without the three markers among them that mean other things
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Headers are skipped by their lengths: a thumbnail inside one has a frame of its own.
PictureHeader jpeg_header(ByteSource& source, const std::string& name) {
    constexpr int most_steps = 1 << 16;  // of segments and fill bytes: a file of nothing else must not take hours
    std::uint64_t at = 2;
    for (int step = 0; step < most_steps; ++step) {
        const std::string bytes = source.part(at, 9);
        if (bytes.size() < 9) fail_damaged(name, "JPEG", "it ends within its headers");
        const std::uint32_t marker = big_endian(bytes, 1, 1);
        if (big_endian(bytes, 0, 1) != 0xFF || marker == 0xFF) {  // fill bytes, which libjpeg passes over
            ++at;
            continue;
        }
        if (starts_frame(marker))
            return {.format = "JPEG", .width = big_endian(bytes, 7, 2), .height = big_endian(bytes, 5, 2)};
        if (marker == 0xDA || marker == 0xD9) fail_damaged(name, "JPEG", "it has no frame");
        const bool alone = marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8);
        at += alone ? 2 : 2 + std::max<std::uint64_t>(2, big_endian(bytes, 2, 2));
    }
    fail_damaged(name, "JPEG", text("no frame is among its first ", most_steps, " segments"));
}

/// libjpeg at work on bytes in memory. It reports an error by a jump past our frames: the functions that call it hold
/// nothing that has a destructor.
class JpegReader {
public:
    explicit JpegReader(std::string_view bytes) : bytes_(bytes) {
        info_.err = jpeg_std_error(&errors_);
        info_.client_data = this;
        errors_.error_exit = on_error;
        errors_.emit_message = on_message;
        errors_.output_message = [](j_common_ptr) {};
    }
    ~JpegReader() { jpeg_destroy_decompress(&info_); }
    JpegReader(const JpegReader&) = delete;
    JpegReader& operator=(const JpegReader&) = delete;

    /// What comes before the pixels. False: see `reason`.
    bool read_header() {
        if (setjmp(jump_) != 0) return false;
        jpeg_create_decompress(&info_);
        jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
        jpeg_read_header(&info_, TRUE);
        in_pixels_ = true;
        info_.out_color_space = info_.num_components == 1   ? JCS_GRAYSCALE
                                : info_.num_components == 4 ? JCS_CMYK
                                                            : JCS_RGB;
        jpeg_calc_output_dimensions(&info_);
        return true;
    }

    /// Fills rows of `stride` bytes, then reads to the end of the file. False: see `reason`.
    bool read_rows(unsigned char* rows, std::size_t stride) {
        if (setjmp(jump_) != 0) return false;
        jpeg_start_decompress(&info_);
        while (info_.output_scanline < info_.output_height) {
            JSAMPROW row = rows + info_.output_scanline * stride;
            jpeg_read_scanlines(&info_, &row, 1);
        }
        jpeg_finish_decompress(&info_);
        return true;
    }

    [[nodiscard]] const jpeg_decompress_struct& info() const { return info_; }
    [[nodiscard]] const char* reason() const { return reason_; }

private:
    static JpegReader& self(j_common_ptr info) { return *static_cast<JpegReader*>(info->client_data); }

    static void on_error(j_common_ptr info) {
        info->err->format_message(info, self(info).reason_);
        std::longjmp(self(info).jump_, 1);
    }

    /// Warnings about the pixels' data are damage: libjpeg goes on with grey, and we should not.
    static void on_message(j_common_ptr info, int level) {
        const JpegReader& reader = self(info);
        if (level >= 0) return;
        switch (info->err->msg_code) {
            case JWRN_ADOBE_XFORM:
            case JWRN_NOT_SEQUENTIAL:
            case JWRN_JFIF_MAJOR:
                return;
            case JWRN_EXTRANEOUS_DATA:
                if (!reader.in_pixels_ || reader.skipped_padding(info->err->msg_parm.i[0])) return;
                [[fallthrough]];
            default:
                on_error(info);
        }
    }

    /// Cameras put zeros before a marker; other bytes that nobody has asked for are pixels that were lost.
    [[nodiscard]] bool skipped_padding(int count) const {
        const auto* const first = reinterpret_cast<const unsigned char*>(bytes_.data());
        const auto* const end = info_.src->next_input_byte;
        if (end < first || end - first < count) return false;
        return std::all_of(end - count, end, [](unsigned char c) { return c == 0 || c == 0xFF; });
    }

    std::string_view bytes_;
    jpeg_decompress_struct info_{};
    jpeg_error_mgr errors_{};
    std::jmp_buf jump_{};
    bool in_pixels_ = false;
    char reason_[JMSG_LENGTH_MAX] = "";
};

/// `cmyk` four samples a pixel. Adobe's programs store the inks turned round, and mark their files.
std::vector<std::uint8_t> cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, bool inverted) {
    const std::uint8_t turn = inverted ? 255 : 0;
    std::vector<std::uint8_t> rgb(cmyk.size() / 4 * 3);
    const std::uint8_t* in = cmyk.data();
    for (auto out = rgb.begin(); out != rgb.end(); in += 4)
        for (int c = 0; c < 3; ++c) *out++ = static_cast<std::uint8_t>(light_through(in[c] ^ turn, in[3] ^ turn, 255));
    return rgb;
}

StoredPicture decode_jpeg(std::string_view bytes, const PictureHeader& header, const std::string& name) {
    JpegReader reader(bytes);
    if (!reader.read_header()) fail_damaged(name, "JPEG", reader.reason());
    const auto& info = reader.info();
    const int stored = info.num_components;
    if (stored != 1 && stored != 3 && stored != 4)
        fail(name, ": a JPEG of ", stored, " components, neither grey, RGB nor CMYK; convert it first");
    StoredPicture picture{.width = static_cast<int>(info.output_width),
                          .height = static_cast<int>(info.output_height),
                          .channels = stored == 1 ? 1 : 3,
                          .lossy = true};
    check_same_size(header, picture, name);
    const std::size_t stride = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(stored);
    picture.bytes.resize(stride * static_cast<std::size_t>(picture.height));
    if (!reader.read_rows(picture.bytes.data(), stride)) fail_damaged(name, "JPEG", reader.reason());
    if (stored == 4) picture.bytes = cmyk_to_rgb(picture.bytes, info.saw_Adobe_marker != 0);
    return picture;
}

}  // namespace

const Codec& jpeg_codec() {
    static constexpr Codec codec{"JPEG", begins_as_jpeg, jpeg_header, decode_jpeg};
    return codec;
}

}  // namespace ltad
