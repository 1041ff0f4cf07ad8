#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "codecs.h"
#include "ltad/core/error.h"
#include "tiff_file.h"

namespace ltad {
namespace {

bool begins_as_tiff(std::string_view bytes) {
    using namespace std::string_view_literals;
    for (const auto beginning : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
        if (bytes.starts_with(beginning)) return true;
    return false;
}

PictureHeader tiff_header(ByteSource& source, const std::string& name) {
    const TiffFile file(source, name);
    return {.format = "TIFF", .width = file.width(), .height = file.height()};
}

/// The tags that say how samples lie and what they mean.
struct Tags {
    std::uint16_t photometric = 0;
    std::uint16_t compression = 0;
    std::uint16_t bits = 0;
    std::uint16_t samples = 0;  ///< a pixel's, with alpha and the like
    std::uint16_t colours = 0;  ///< 1 grey or of a palette, 3 RGB, 4 CMYK: the first of the samples
    bool separate = false;      ///< planes
};

std::string name_of_photometric(std::uint16_t photometric) {
    switch (photometric) {
        case PHOTOMETRIC_MASK:
            return "transparency alone";
        case PHOTOMETRIC_CIELAB:
        case PHOTOMETRIC_ICCLAB:
        case PHOTOMETRIC_ITULAB:
            return "L*a*b*";
        case PHOTOMETRIC_CFA:
            return "a sensor's raw values";
        case PHOTOMETRIC_LOGL:
        case PHOTOMETRIC_LOGLUV:
            return "logarithms of light (LogLuv)";
        default:
            return text("photometric interpretation ", photometric);
    }
}

std::uint16_t colours_of(const TiffFile& file, const std::string& name) {
    std::uint16_t photometric = 0;
    if (TIFFGetField(file.handle(), TIFFTAG_PHOTOMETRIC, &photometric) == 0)
        fail_damaged(name, "TIFF", "no tag says what its samples mean (photometric interpretation)");
    switch (photometric) {
        case PHOTOMETRIC_MINISWHITE:
        case PHOTOMETRIC_MINISBLACK:
        case PHOTOMETRIC_PALETTE:
            return 1;
        case PHOTOMETRIC_RGB:
        case PHOTOMETRIC_YCBCR:
            return 3;
        case PHOTOMETRIC_SEPARATED:
            if (file.number(TIFFTAG_INKSET) == INKSET_CMYK) return 4;
            fail(name, ": a TIFF of inks that are not cyan, magenta, yellow and black; convert it to RGB first");
        default:
            fail(name, ": a TIFF of ", name_of_photometric(photometric),
                 ", which is not read; convert it to RGB or grey first");
    }
}

void check_samples(const TiffFile& file, const Tags& tags, const std::string& name) {
    const auto kind = file.number(TIFFTAG_SAMPLEFORMAT);
    if (kind != SAMPLEFORMAT_UINT && kind != SAMPLEFORMAT_VOID)
        fail(name, ": a TIFF of ", tags.bits, "-bit ",
             kind == SAMPLEFORMAT_INT      ? "numbers with a sign"
             : kind == SAMPLEFORMAT_IEEEFP ? "floating-point numbers"
                                           : "complex numbers",
             "; its samples are neither 8 nor 16 bit whole numbers from 0 up; convert it first");
    if (tags.bits < 1 || tags.bits > 16)
        fail(name, ": its samples are neither 8 nor 16 bit whole numbers, but of ", tags.bits,
             " bits; convert it first");
    if (tags.samples < tags.colours)
        fail_damaged(name, "TIFF", text("its pixels have ", tags.samples, " samples, not ", tags.colours));
    if (tags.samples > (tags.colours == 1 ? 2 : 8))
        fail(name, ": a TIFF of ", tags.samples, " samples a pixel, of which ", tags.colours,
             tags.colours == 1 ? " is grey" : " are colours",
             "; it is not clear which are meant; convert it to RGB or grey first");
    if (file.number32(TIFFTAG_IMAGEDEPTH) > 1) fail(name, ": a TIFF of a volume; save one layer alone");
}

Tags read_tags(const TiffFile& file, const std::string& name) {
    Tags tags;
    tags.colours = colours_of(file, name);
    tags.photometric = file.number(TIFFTAG_PHOTOMETRIC);
    tags.compression = file.number(TIFFTAG_COMPRESSION);
    tags.bits = file.number(TIFFTAG_BITSPERSAMPLE);
    tags.samples = file.number(TIFFTAG_SAMPLESPERPIXEL);
    tags.separate = file.number(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE && tags.samples > 1;
    check_samples(file, tags, name);
    if (TIFFIsCODECConfigured(tags.compression) == 0)
        fail(name, ": a TIFF of compression ", tags.compression,
             ", which the libtiff of this machine cannot read; save it with LZW or Deflate");
    return tags;
}

/// `count` samples of 1 to 16 bits, packed from the highest bit of each byte on; those of 16 bits as the machine has
/// them.
void unpack(const std::uint8_t* packed, std::size_t count, unsigned bits, std::uint16_t* samples) {
    if (bits == 8) {
        std::copy_n(packed, count, samples);
    } else if (bits == 16) {
        std::copy_n(packed, count * 2, reinterpret_cast<std::uint8_t*>(samples));
    } else {
        std::uint32_t window = 0;
        unsigned held = 0;
        for (std::size_t i = 0; i < count; ++i) {
            for (; held < bits; held += 8) window = window << 8 | *packed++;
            held -= bits;
            samples[i] = static_cast<std::uint16_t>(window >> held & ((1u << bits) - 1));
        }
    }
}

/// Reads strips or tiles, plane by plane, into a picture that has `colours` channels of samples as they are stored.
class BlockReader {
public:
    BlockReader(const TiffFile& file, const Tags& tags, const std::string& name, StoredPicture& picture)
        : file_(file), tags_(tags), name_(name), picture_(picture) {
        TIFF* const tiff = file_.handle();
        tiled_ = TIFFIsTiled(tiff) != 0;
        width_ = tiled_ ? file_.number32(TIFFTAG_TILEWIDTH) : file_.width();
        height_ = tiled_ ? file_.number32(TIFFTAG_TILELENGTH) : file_.number32(TIFFTAG_ROWSPERSTRIP);
        if (!tiled_) height_ = std::min(height_, file_.height());
        check_block();
        stride_ = static_cast<std::size_t>(tiled_ ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff));
        const std::size_t in_row = static_cast<std::size_t>(width_) * (tags_.separate ? 1 : tags_.samples);
        if (stride_ != (in_row * tags_.bits + 7) / 8)
            fail(name_, ": a TIFF whose rows are packed in a way that is not read; convert it first");
        block_.resize(stride_ * height_);
        row_.resize(in_row);
    }

    void read() {
        const std::uint16_t planes = tags_.separate ? tags_.colours : 1;
        for (std::uint16_t plane = 0; plane < planes; ++plane)
            for (std::uint32_t y = 0; y < file_.height(); y += height_)
                for (std::uint32_t x = 0; x < file_.width(); x += width_) {
                    read_block(x, y, plane);
                    place_block(x, y, plane);
                }
    }

private:
    /// A tile may be larger than its picture, but not so that a small file takes gigabytes.
    void check_block() const {
        const std::uint64_t block = std::uint64_t{width_} * height_;
        const std::uint64_t most = std::max(std::uint64_t{file_.width()} * file_.height(), std::uint64_t{1} << 24);
        if (width_ < 1 || height_ < 1 || block > most)
            fail_damaged(name_, "TIFF", text("its blocks have ", width_, " x ", height_, " pixels"));
    }

    void read_block(std::uint32_t x, std::uint32_t y, std::uint16_t plane) {
        TIFF* const tiff = file_.handle();
        const std::size_t rows = tiled_ ? height_ : std::min(height_, file_.height() - y);
        const auto wanted = static_cast<tmsize_t>(stride_ * rows);
        const std::uint32_t block = tiled_ ? TIFFComputeTile(tiff, x, y, 0, plane) : TIFFComputeStrip(tiff, y, plane);
        // libtiff itself would take what lies behind a block that is too short.
        const bool whole = tags_.compression != COMPRESSION_NONE ||
                           TIFFGetStrileByteCount(tiff, block) >= static_cast<std::uint64_t>(wanted);
        const tmsize_t read = !whole   ? 0
                              : tiled_ ? TIFFReadEncodedTile(tiff, block, block_.data(), wanted)
                                       : TIFFReadEncodedStrip(tiff, block, block_.data(), wanted);
        if (read == wanted && file_.reason().empty()) return;
        fail_damaged(name_, "TIFF",
                     file_.reason().empty() ? text("it lacks pixels from row ", y, " on") : file_.reason());
    }

    void place_block(std::uint32_t x, std::uint32_t y, std::uint16_t plane) {
        const std::uint32_t columns = std::min(width_, file_.width() - x);
        const std::uint32_t rows = std::min(height_, file_.height() - y);
        for (std::uint32_t r = 0; r < rows; ++r) {
            unpack(block_.data() + r * stride_, row_.size(), tags_.bits, row_.data());
            const std::size_t to =
                (static_cast<std::size_t>(y + r) * file_.width() + x) * tags_.colours + (tags_.separate ? plane : 0);
            if (tags_.bits <= 8)
                place_row(picture_.bytes.data() + to, columns);
            else
                place_row(picture_.words.data() + to, columns);
        }
    }

    template <typename T>
    void place_row(T* to, std::uint32_t columns) const {
        const std::size_t samples = tags_.separate ? 1 : tags_.samples;
        const std::size_t colours = tags_.separate ? 1 : tags_.colours;
        const std::uint16_t* from = row_.data();
        for (std::uint32_t x = 0; x < columns; ++x, from += samples, to += tags_.colours)
            for (std::size_t c = 0; c < colours; ++c) to[c] = static_cast<T>(from[c]);
    }

    const TiffFile& file_;
    const Tags& tags_;
    const std::string& name_;
    StoredPicture& picture_;
    bool tiled_ = false;
    std::uint32_t width_ = 0;  ///< of a strip or tile
    std::uint32_t height_ = 0;
    std::size_t stride_ = 0;
    std::vector<std::uint8_t> block_{};
    std::vector<std::uint16_t> row_{};
};

/// YCbCr that is not JPEG's, with its subsampling: as libtiff converts it.
void read_converted(const TiffFile& file, const std::string& name, StoredPicture& picture) {
    TIFFRGBAImage image;
    std::array<char, 1024> reason{};
    if (TIFFRGBAImageBegin(&image, file.handle(), 1, reason.data()) == 0)
        fail(name, ": a TIFF of YCbCr that is not read: ", reason.data(), "; convert it to RGB first");
    image.req_orientation = image.orientation;  // as stored
    std::vector<std::uint32_t> pixels;
    bool read = false;
    try {
        pixels.resize(picture.count() / 3);
        read = TIFFRGBAImageGet(&image, pixels.data(), file.width(), file.height()) != 0;
    } catch (...) {
        TIFFRGBAImageEnd(&image);
        throw;
    }
    TIFFRGBAImageEnd(&image);
    if (!read || !file.reason().empty()) fail_damaged(name, "TIFF", file.reason());
    picture.bytes.resize(picture.count());
    std::uint8_t* to = picture.bytes.data();
    for (const std::uint32_t pixel : pixels)
        for (unsigned shift = 0; shift < 24; shift += 8) *to++ = static_cast<std::uint8_t>(pixel >> shift);
}

struct Palette {
    int bits = 16;  ///< of its entries
    std::array<std::vector<std::uint16_t>, 3> entries{};
};

/// Entries have 16 bits; most writers make them from 8, by * 257 or * 256, and some leave them at 8.
Palette read_palette(const TiffFile& file, const Tags& tags, const std::string& name) {
    std::array<std::uint16_t*, 3> stored{};
    if (TIFFGetField(file.handle(), TIFFTAG_COLORMAP, &stored[0], &stored[1], &stored[2]) == 0)
        fail_damaged(name, "TIFF", "its palette is missing");
    Palette palette;
    for (std::size_t c = 0; c < 3; ++c) palette.entries[c].assign(stored[c], stored[c] + (std::size_t{1} << tags.bits));
    const auto all = [&](auto holds) {
        return std::all_of(palette.entries.begin(), palette.entries.end(),
                           [&](const auto& plane) { return std::all_of(plane.begin(), plane.end(), holds); });
    };
    const bool eight = all([](std::uint16_t v) { return v < 256; });
    const bool scaled =
        all([](std::uint16_t v) { return v % 256 == 0; }) || all([](std::uint16_t v) { return v % 257 == 0; });
    if (eight || scaled) palette.bits = 8;
    if (scaled && !eight)
        for (auto& plane : palette.entries)
            for (auto& value : plane) value >>= 8;
    return palette;
}

/// Calls a function for the samples, whichever of the two kinds.
template <typename Function>
void for_samples(StoredPicture& picture, Function&& function) {
    if (picture.bits == 8)
        function(picture.bytes);
    else
        function(picture.words);
}

void apply_palette(StoredPicture& picture, const Palette& palette) {
    StoredPicture coloured{.width = picture.width, .height = picture.height, .channels = 3, .bits = palette.bits};
    for_samples(picture, [&](const auto& indices) {
        for_samples(coloured, [&](auto& samples) {
            using T = typename std::decay_t<decltype(samples)>::value_type;
            samples.reserve(indices.size() * 3);
            for (const auto index : indices)
                for (const auto& plane : palette.entries) samples.push_back(static_cast<T>(plane[index]));
        });
    });
    coloured.lossy = picture.lossy;
    picture = std::move(coloured);
}

/// From samples as stored to the ones that are meant.
void interpret(StoredPicture& picture, const Tags& tags) {
    const std::uint32_t most = (1u << tags.bits) - 1;
    for_samples(picture, [&](auto& samples) {
        using T = typename std::decay_t<decltype(samples)>::value_type;
        if (tags.photometric == PHOTOMETRIC_MINISWHITE)
            for (T& sample : samples) sample = static_cast<T>(most - sample);
        if (tags.bits < 8)
            for (T& sample : samples) sample = static_cast<T>((sample * 255u + most / 2) / most);
        if (tags.colours != 4) return;
        std::size_t to = 0;
        for (std::size_t from = 0; from < samples.size(); from += 4)
            for (std::size_t c = 0; c < 3; ++c)  // behind what is still to be read
                samples[to++] =
                    static_cast<T>(light_through(samples[from + c], samples[from + 3], tags.bits < 8 ? 255 : most));
        samples.resize(to);
    });
}

/// What is certain before memory is asked for.
void check_bytes(const Tags& tags, const PictureHeader& header, std::uint64_t file_size, const std::string& name) {
    const std::uint64_t samples = static_cast<std::uint64_t>(header.width * header.height) *
                                  (tags.photometric == PHOTOMETRIC_YCBCR ? 1 : tags.colours);
    const std::uint64_t unpacked = samples * tags.bits / 8;
    const bool deflate = tags.compression == COMPRESSION_ADOBE_DEFLATE || tags.compression == COMPRESSION_DEFLATE;
    if ((tags.compression == COMPRESSION_NONE && unpacked > file_size) ||
        (deflate && !deflate_may_hold(unpacked, file_size)))
        fail_damaged(name, "TIFF",
                     text("its ", file_size, " bytes cannot hold ", header.width, " x ", header.height, " pixels"));
}

StoredPicture decode_tiff(std::string_view bytes, const PictureHeader& header, const std::string& name) {
    MemorySource source(bytes);
    const TiffFile file(source, name);
    const Tags tags = read_tags(file, name);
    const bool jpeg = tags.compression == COMPRESSION_JPEG;
    StoredPicture picture{.width = static_cast<int>(file.width()),
                          .height = static_cast<int>(file.height()),
                          .channels = tags.colours == 1 ? 1 : 3,
                          .bits = tags.bits <= 8 ? 8 : tags.bits,
                          .lossy = jpeg || tags.compression == COMPRESSION_OJPEG ||
                                   tags.compression == COMPRESSION_LERC || tags.compression == COMPRESSION_WEBP};
    check_same_size(header, picture, name);
    check_bytes(tags, header, bytes.size(), name);
    if (tags.photometric == PHOTOMETRIC_YCBCR && !jpeg) {
        picture.bits = 8;
        read_converted(file, name, picture);
        return picture;
    }
    if (tags.photometric == PHOTOMETRIC_YCBCR) {
        if (tags.separate)
            fail(name, ": a TIFF of YCbCr in planes of JPEG, which is not read; convert it to RGB first");
        TIFFSetField(file.handle(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    for_samples(picture, [&](auto& samples) {
        samples.resize(picture.count() / static_cast<std::size_t>(picture.channels) * tags.colours);
    });
    BlockReader(file, tags, name, picture).read();
    if (tags.photometric == PHOTOMETRIC_PALETTE)
        apply_palette(picture, read_palette(file, tags, name));
    else
        interpret(picture, tags);
    return picture;
}

}  // namespace

const Codec& tiff_codec() {
    static constexpr Codec codec{"TIFF", begins_as_tiff, tiff_header, decode_tiff};
    return codec;
}

}  // namespace ltad
