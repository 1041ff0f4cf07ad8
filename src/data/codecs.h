#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "byte_source.h"
#include "ltad/data/raster.h"

namespace ltad {

/// A decoded picture in the samples of its file, as Raster describes them: those of 8 bits in `bytes`, longer ones in
/// `words`.
struct StoredPicture {
    int width = 0;
    int height = 0;
    int channels = 1;  ///< 1 grey, 3 RGB
    int bits = 8;      ///< 8, or 9 to 16: the greatest sample is 2^bits - 1
    bool lossy = false;
    std::vector<std::uint8_t> bytes{};
    std::vector<std::uint16_t> words{};

    /// Samples in the whole picture.
    [[nodiscard]] std::size_t count() const {
        return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * static_cast<std::size_t>(channels);
    }
};

/// One file format: how its files begin, what their headers say, their pixels. Both functions throw Error naming `name`
/// when the bytes are damaged, or of a kind that is not read. `decode` gets the header that `header` gave, within
/// limits.
struct Codec {
    std::string_view format;
    bool (*begins)(std::string_view bytes);
    PictureHeader (*header)(ByteSource& source, const std::string& name);
    StoredPicture (*decode)(std::string_view bytes, const PictureHeader& header, const std::string& name);
};

[[nodiscard]] const Codec& png_codec();
[[nodiscard]] const Codec& jpeg_codec();
[[nodiscard]] const Codec& bmp_codec();
[[nodiscard]] const Codec& tiff_codec();
[[nodiscard]] const Codec& webp_codec();

/// Decodes bytes by the one codec whose files begin so. Throws Error as `decode_raster` does.
[[nodiscard]] StoredPicture decode_stored(std::string_view bytes, const std::string& name);

/// Throws Error: `name` is a damaged file of `format`, for what its library or our own reader says. Throws
/// std::bad_alloc when that is a lack of memory.
[[noreturn]] void fail_damaged(const std::string& name, std::string_view format, const std::string& reason);

/// Throws Error where a library finds another size than the header that has been checked: nothing is allocated for it.
void check_same_size(const PictureHeader& header, const StoredPicture& picture, const std::string& name);

/// Whether Deflate can have made so few bytes of so many: it turns at best 258 into 2 bits. Else the file is damaged,
/// and no memory need be asked for.
[[nodiscard]] constexpr bool deflate_may_hold(std::uint64_t unpacked, std::uint64_t packed) {
    return unpacked / 1040 <= packed;
}

/// What paper shows of an amount of ink (0 none) under an amount of black, of samples up to `most`.
[[nodiscard]] constexpr std::uint32_t light_through(std::uint32_t ink, std::uint32_t black, std::uint32_t most) {
    return static_cast<std::uint32_t>((std::uint64_t{most - ink} * (most - black) + most / 2) / most);
}

}  // namespace ltad
