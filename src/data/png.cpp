#include <bit>
#include <csetjmp>
#include <cstring>

#include <png.h>

#include "codecs.h"
#include "ltad/core/error.h"

namespace ltad {
namespace {

constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";

bool begins_as_png(std::string_view bytes) { return bytes.starts_with(signature); }

PictureHeader png_header(ByteSource& source, const std::string& name) {
    const std::string bytes = source.part(0, 24);
    if (bytes.size() < 24 || bytes.compare(12, 4, "IHDR") != 0) fail_damaged(name, "PNG", "it has no header");
    return {.format = "PNG", .width = big_endian(bytes, 16, 4), .height = big_endian(bytes, 20, 4)};
}

/// libpng at work on bytes in memory. It reports an error by a jump past our frames: the functions that call it hold
/// nothing that has a destructor.
class PngReader {
public:
    explicit PngReader(std::string_view bytes) : rest_(bytes) {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
        if (png_ != nullptr) info_ = png_create_info_struct(png_);
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, &info_, nullptr);
            throw std::bad_alloc();
        }
    }
    ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
    PngReader(const PngReader&) = delete;
    PngReader& operator=(const PngReader&) = delete;

    /// What comes before the pixels. False: see `reason`.
    bool read_header(StoredPicture& picture) {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        png_set_read_fn(png_, this, on_read);
        png_set_user_limits(png_, static_cast<png_uint_32>(longest_side), static_cast<png_uint_32>(longest_side));
        png_set_chunk_malloc_max(png_, 0);  // what is skipped may be long
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        png_read_info(png_, info_);
        const auto type = png_get_color_type(png_, info_);
        bits_per_pixel_ = png_get_bit_depth(png_, info_) * png_get_channels(png_, info_);
        picture.width = static_cast<int>(png_get_image_width(png_, info_));
        picture.height = static_cast<int>(png_get_image_height(png_, info_));
        picture.channels = (type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
        picture.bits = png_get_bit_depth(png_, info_) == 16 ? 16 : 8;
        if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
        if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
        if constexpr (std::endian::native == std::endian::little) png_set_swap(png_);
        png_set_strip_alpha(png_);
        passes_ = png_set_interlace_handling(png_);
        png_read_update_info(png_, info_);
        return true;
    }

    /// Fills rows of `stride` bytes, then reads to the end of the file. False: see `reason`.
    bool read_rows(png_bytep rows, std::size_t stride, int height) {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        if (png_get_rowbytes(png_, info_) != stride)
            png_error(png_, "its rows have another length than its header says");
        for (int pass = 0; pass < passes_; ++pass)
            for (int y = 0; y < height; ++y) png_read_row(png_, rows + static_cast<std::size_t>(y) * stride, nullptr);
        png_read_end(png_, nullptr);
        return reason_[0] == '\0';
    }

    [[nodiscard]] const char* reason() const { return reason_; }
    [[nodiscard]] std::uint64_t bits_per_pixel() const { return bits_per_pixel_; }

private:
    static void on_read(png_structp png, png_bytep to, png_size_t count) {
        auto& rest = static_cast<PngReader*>(png_get_io_ptr(png))->rest_;
        if (count > rest.size()) png_error(png, "it ends too early");
        std::memcpy(to, rest.data(), count);
        rest.remove_prefix(count);
    }
    static void on_error(png_structp png, png_const_charp message) {
        static_cast<PngReader*>(png_get_error_ptr(png))->keep(message);
        png_longjmp(png, 1);
    }
    /// Of the warnings only those about the pixels' own data matter: a checksum that does not fit.
    static void on_warning(png_structp png, png_const_charp message) {
        if (std::strstr(message, "IDAT") != nullptr && std::strstr(message, "check") != nullptr)
            static_cast<PngReader*>(png_get_error_ptr(png))->keep(message);
    }
    void keep(const char* message) { std::strncpy(reason_, message, sizeof reason_ - 1); }

    std::string_view rest_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
    int passes_ = 1;
    std::uint64_t bits_per_pixel_ = 0;  ///< in the file
    char reason_[200] = "";
};

StoredPicture decode_png(std::string_view bytes, const PictureHeader& header, const std::string& name) {
    PngReader reader(bytes);
    StoredPicture picture;
    if (!reader.read_header(picture)) fail_damaged(name, "PNG", reader.reason());
    check_same_size(header, picture, name);
    if (!deflate_may_hold(static_cast<std::uint64_t>(header.width * header.height) * reader.bits_per_pixel() / 8,
                          bytes.size()))
        fail_damaged(name, "PNG",
                     text("its ", bytes.size(), " bytes cannot hold ", header.width, " x ", header.height, " pixels"));
    const std::size_t stride =
        static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels * picture.bits / 8);
    if (picture.bits == 8)
        picture.bytes.resize(picture.count());
    else
        picture.words.resize(picture.count());
    auto* const rows = picture.bits == 8 ? picture.bytes.data() : reinterpret_cast<png_bytep>(picture.words.data());
    if (!reader.read_rows(rows, stride, picture.height)) fail_damaged(name, "PNG", reader.reason());
    return picture;
}

}  // namespace

const Codec& png_codec() {
    static constexpr Codec codec{"PNG", begins_as_png, png_header, decode_png};
    return codec;
}

}  // namespace ltad
