#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "codecs.h"
#include "ltad/core/error.h"

namespace ltad {
namespace {

constexpr std::size_t file_header = 14;  // bytes, before the header whose first number is its own length

enum Compression : std::uint32_t { none = 0, rle8 = 1, rle4 = 2, bit_fields = 3, alpha_bit_fields = 6 };

struct BmpHeader {
    std::size_t pixels = 0;  ///< where they begin in the file
    std::size_t length = 0;  ///< of the second header
    std::int64_t width = 0;
    std::int64_t height = 0;
    bool top_down = false;
    std::uint32_t bits = 0;
    std::uint32_t compression = none;
    std::uint32_t colours = 0;  ///< in the palette; 0: as many as there can be
    std::array<std::uint32_t, 3> masks{};

    [[nodiscard]] std::size_t stride() const { return (static_cast<std::size_t>(width) * bits + 31) / 32 * 4; }
};

bool begins_as_bmp(std::string_view bytes) {
    if (!bytes.starts_with("BM") || bytes.size() < file_header + 4) return false;
    const std::uint32_t length = little_endian(bytes, file_header, 4);
    return length == 12 || (length >= 16 && length <= 256);
}

std::array<std::uint32_t, 3> masks_of(std::string_view bytes, const BmpHeader& h, const std::string& name) {
    if (h.compression != bit_fields && h.compression != alpha_bit_fields)
        return h.bits == 16 ? std::array{0x7c00u, 0x3e0u, 0x1fu} : std::array{0xff0000u, 0xff00u, 0xffu};
    std::array<std::uint32_t, 3> masks{};
    if (bytes.size() < 66) fail_damaged(name, "BMP", "it ends within its header");
    for (std::size_t c = 0; c < 3; ++c) {
        masks[c] = little_endian(bytes, 54 + 4 * c, 4);  // behind the header of 40 bytes, or in a longer one
        const auto width = std::popcount(masks[c]);
        if (width < 1 || width > 16 || masks[c] >> std::countr_zero(masks[c]) != (1u << width) - 1)
            fail_damaged(name, "BMP", "its masks of bits are none");
    }
    return masks;
}

/// Bytes of the masks behind a header of 40 bytes; longer ones hold them.
std::uint32_t masks_size(const BmpHeader& h) {
    if (h.length != 40) return 0;
    return h.compression == bit_fields ? 12 : h.compression == alpha_bit_fields ? 16 : 0;
}

std::uint32_t palette_size(const BmpHeader& h) {
    if (h.bits > 8) return 0;
    const std::uint32_t most = 1u << h.bits;
    return (h.colours > 0 ? std::min(h.colours, most) : most) * (h.length == 12 ? 3 : 4);
}

BmpHeader read_header(std::string_view bytes, const std::string& name) {
    BmpHeader h;
    h.pixels = little_endian(bytes, 10, 4);
    h.length = little_endian(bytes, 14, 4);
    if (bytes.size() < file_header + h.length) fail_damaged(name, "BMP", "it ends within its header");
    if (h.length == 12) {  // OS/2
        h.width = little_endian(bytes, 18, 2);
        h.height = little_endian(bytes, 20, 2);
        h.bits = little_endian(bytes, 24, 2);
    } else {
        h.width = static_cast<std::int32_t>(little_endian(bytes, 18, 4));
        h.height = static_cast<std::int32_t>(little_endian(bytes, 22, 4));
        h.bits = little_endian(bytes, 28, 2);
        if (h.length >= 20) h.compression = little_endian(bytes, 30, 4);
        if (h.length >= 36) h.colours = little_endian(bytes, 46, 4);
    }
    h.top_down = h.height < 0;
    h.height = h.top_down ? -h.height : h.height;
    const bool plain = h.compression == none && (h.bits == 1 || h.bits == 2 || h.bits == 4 || h.bits == 8 ||
                                                 h.bits == 16 || h.bits == 24 || h.bits == 32);
    const bool runs = (h.compression == rle8 && h.bits == 8) || (h.compression == rle4 && h.bits == 4);
    const bool fields =
        (h.compression == bit_fields || h.compression == alpha_bit_fields) && (h.bits == 16 || h.bits == 32);
    if (!plain && !runs && !fields)
        fail(name, ": a BMP of ", h.bits, " bits and compression ", h.compression, ", which is not read; convert it");
    h.masks = masks_of(bytes, h, name);
    // Some writers leave 0 there: pixels then follow what stands before them.
    if (h.pixels < file_header + h.length) h.pixels = file_header + h.length + masks_size(h) + palette_size(h);
    return h;
}

PictureHeader bmp_header(ByteSource& source, const std::string& name) {
    const BmpHeader header = read_header(source.part(0, file_header + 256), name);
    return {.format = "BMP", .width = header.width, .height = header.height};
}

using Colour = std::array<std::uint8_t, 3>;

std::vector<Colour> palette_of(std::string_view bytes, const BmpHeader& h) {
    const std::size_t entry = h.length == 12 ? 3 : 4;
    const std::size_t first = file_header + h.length;
    const std::size_t end = std::min(h.pixels, bytes.size());
    std::size_t count = std::size_t{1} << h.bits;
    if (h.colours > 0) count = std::min<std::size_t>(count, h.colours);
    std::vector<Colour> palette;
    for (std::size_t at = first; at + entry <= end && palette.size() < count; at += entry)
        palette.push_back({static_cast<std::uint8_t>(bytes[at + 2]), static_cast<std::uint8_t>(bytes[at + 1]),
                           static_cast<std::uint8_t>(bytes[at])});
    return palette;
}

/// Writes pixels from the file's order of rows to the picture's.
class BmpDecoder {
public:
    BmpDecoder(std::string_view bytes, const BmpHeader& header, const std::string& name)
        : data_(bytes.substr(std::min(header.pixels, bytes.size()))), h_(header), name_(name) {
        if (h_.bits <= 8) palette_ = palette_of(bytes, h_);
        const bool grey = h_.bits <= 8 && std::all_of(palette_.begin(), palette_.end(),
                                                      [](const Colour& c) { return c[0] == c[1] && c[1] == c[2]; });
        picture_.width = static_cast<int>(h_.width);
        picture_.height = static_cast<int>(h_.height);
        picture_.channels = grey ? 1 : 3;
    }

    StoredPicture decode() {
        const bool runs = h_.compression == rle8 || h_.compression == rle4;
        const std::size_t last_row = (static_cast<std::size_t>(h_.width) * h_.bits + 7) / 8;  // it may lack its filling
        const auto rows = static_cast<std::size_t>(h_.height);
        if (!runs && data_.size() < (rows - 1) * h_.stride() + last_row) damaged("it ends too early");
        picture_.bytes.resize(picture_.count());
        if (runs)
            decode_runs();
        else
            for (std::size_t y = 0; y < rows; ++y) decode_row(data_.substr(y * h_.stride()), row(y));
        return std::move(picture_);
    }

private:
    [[noreturn]] void damaged(const char* reason) const { fail_damaged(name_, "BMP", reason); }

    std::uint8_t* row(std::size_t y) {
        const std::size_t from_top = h_.top_down ? y : static_cast<std::size_t>(h_.height) - 1 - y;
        return picture_.bytes.data() + from_top * static_cast<std::size_t>(picture_.width * picture_.channels);
    }

    void put(std::uint8_t* to, std::uint32_t index) const {
        if (index >= palette_.size()) damaged("a pixel has a colour that its palette lacks");
        std::copy_n(palette_[index].begin(), picture_.channels, to);
    }

    void decode_row(std::string_view in, std::uint8_t* out) const {
        const auto width = static_cast<std::size_t>(h_.width);
        if (h_.bits == 24) {  // blue, green, red
            for (std::size_t i = 0; i < width * 3; ++i) out[i] = static_cast<std::uint8_t>(in[i / 3 * 3 + 2 - i % 3]);
            return;
        }
        for (std::size_t x = 0; x < width; ++x, out += picture_.channels) {
            if (h_.bits <= 8) {
                const std::size_t bit = x * h_.bits;
                const auto byte = static_cast<unsigned char>(in[bit / 8]);
                put(out, byte >> (8 - h_.bits - bit % 8) & ((1u << h_.bits) - 1));
                continue;
            }
            const std::uint32_t value = little_endian(in, x * h_.bits / 8, h_.bits / 8);
            for (std::size_t c = 0; c < 3; ++c) {
                const std::uint32_t mask = h_.masks[c];
                const std::uint32_t most = mask >> std::countr_zero(mask);
                const std::uint32_t sample = (value & mask) >> std::countr_zero(mask);
                out[c] = static_cast<std::uint8_t>(most == 255 ? sample : (sample * 255 + most / 2) / most);
            }
        }
    }

    std::uint32_t next() {
        if (data_.empty()) damaged("it ends too early");
        const auto byte = static_cast<unsigned char>(data_.front());
        data_.remove_prefix(1);
        return byte;
    }

    void put_at(std::int64_t x, std::int64_t y, std::uint32_t index) {
        if (x >= h_.width || y >= h_.height) damaged("its runs of pixels leave the picture");
        put(row(static_cast<std::size_t>(y)) + x * picture_.channels, index);
    }

    /// Pixels that no run reaches have the palette's first colour.
    void decode_runs() {
        for (std::uint8_t* at = picture_.bytes.data(); at != picture_.bytes.data() + picture_.bytes.size();
             at += picture_.channels)
            put(at, 0);
        std::int64_t x = 0;
        std::int64_t y = 0;
        const auto nibble = [&](std::uint32_t byte, std::uint32_t i) {
            return h_.bits == 8 ? byte : (i % 2 == 0 ? byte >> 4 : byte & 15);
        };
        for (;;) {
            const bool full = y >= h_.height || (y == h_.height - 1 && x >= h_.width);
            if (full && data_.empty()) return;  // some lack the mark of the end
            const std::uint32_t count = next();
            const std::uint32_t code = next();
            if (count > 0) {
                for (std::uint32_t i = 0; i < count; ++i) put_at(x++, y, nibble(code, i));
            } else if (code == 0) {
                x = 0;
                ++y;
            } else if (code == 1) {
                return;
            } else if (code == 2) {
                x += next();
                y += next();
            } else {
                const std::uint32_t length = h_.bits == 8 ? code : (code + 1) / 2;
                std::uint32_t byte = 0;
                for (std::uint32_t i = 0; i < code; ++i) {
                    if (h_.bits == 8 || i % 2 == 0) byte = next();
                    put_at(x++, y, nibble(byte, i));
                }
                if (length % 2 != 0) (void)next();  // runs begin at even places
            }
        }
    }

    std::string_view data_;
    const BmpHeader& h_;
    const std::string& name_;
    std::vector<Colour> palette_{};
    StoredPicture picture_{};
};

StoredPicture decode_bmp(std::string_view bytes, const PictureHeader&, const std::string& name) {
    const BmpHeader header = read_header(bytes, name);
    return BmpDecoder(bytes, header, name).decode();
}

}  // namespace

const Codec& bmp_codec() {
    static constexpr Codec codec{"BMP", begins_as_bmp, bmp_header, decode_bmp};
    return codec;
}

}  // namespace ltad
