#include "ltad/data/raster.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iomanip>
#include <new>
#include <utility>

#include "codecs.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"

namespace ltad {
namespace {

constexpr std::size_t longest_beginning = 160;  // bytes

/// Text is quoted as far as it is plain, other bytes are shown as numbers.
std::string quoted_beginning(std::string_view bytes) {
    const auto plain = [](unsigned char c) { return c >= 0x20 && c < 0x7f; };
    const auto end = std::find_if_not(bytes.begin(), bytes.end(), plain);
    const auto length = std::min<std::size_t>(static_cast<std::size_t>(end - bytes.begin()), 24);
    if (length >= 4 || length == bytes.size()) return text("\"", bytes.substr(0, length), "\"");
    std::ostringstream out;
    out << "the bytes" << std::hex << std::setfill('0');
    for (const unsigned char c : bytes.substr(0, 8)) out << ' ' << std::setw(2) << static_cast<int>(c);
    return out.str();
}

/// What a file that is no picture of ours seems to be, from its first bytes.
std::string what_it_begins_as(std::string_view bytes) {
    using Known = std::pair<std::string_view, const char*>;
    static constexpr auto known = std::to_array<Known>({{"GIF8", "a GIF"},
                                                        {"%PDF", "a PDF"},
                                                        {"8BPS", "a Photoshop document"},
                                                        {"P1", "a PBM"},
                                                        {"P2", "a PGM"},
                                                        {"P3", "a PPM"},
                                                        {"P4", "a PBM"},
                                                        {"P5", "a PGM"},
                                                        {"P6", "a PPM"},
                                                        {"\x76\x2f\x31\x01", "an OpenEXR picture"},
                                                        {"NITF", "a NITF file"},
                                                        {"PK\x03\x04", "a zip archive"},
                                                        {"\x93NUMPY", "a numpy array"},
                                                        {"\xff\x4f\xff\x51", "a JPEG 2000 picture"},
                                                        {"\xff\x0a", "a JPEG XL picture"},
                                                        {"version https://git-lfs", "a git-lfs pointer"}});
    for (const auto& [beginning, what] : known)
        if (bytes.starts_with(beginning)) return text("as ", what, ", ", quoted_beginning(bytes));
    if (bytes.substr(4).starts_with("jP  ")) return "as a JPEG 2000 picture";
    if (bytes.substr(4).starts_with("JXL ")) return "as a JPEG XL picture";
    if (bytes.substr(4).starts_with("ftyp")) return "as an AVIF or HEIC picture, or a film";
    return "with " + quoted_beginning(bytes);
}

const Codec& codec_of(std::string_view beginning, const std::string& name) {
    if (beginning.empty()) fail(name, ": the file is empty, a picture was expected");
    for (const auto* codec : {&png_codec(), &jpeg_codec(), &bmp_codec(), &tiff_codec(), &webp_codec()})
        if (codec->begins(beginning)) return *codec;
    beginning = beginning.substr(0, 64);
    if (beginning.size() < 8) fail(name, ": not a picture, it has only ", beginning.size(), " bytes");
    fail(name, ": not a picture that can be read (PNG, JPEG, BMP, TIFF, WebP): it begins ",
         what_it_begins_as(beginning));
}

/// What no file of so many pixels has: four samples of 16 bits each, twice, and 256 MiB of anything else.
std::uint64_t most_bytes(const PictureHeader& header) {
    return static_cast<std::uint64_t>(header.width * header.height) * 16 + (std::uint64_t{256} << 20);
}

void check_limits(const PictureHeader& header, std::uint64_t file_size, const std::string& name) {
    const auto [format, width, height] = header;
    if (width < 1 || height < 1) fail_damaged(name, format, text("its header says ", width, " x ", height, " pixels"));
    if (width > longest_side || height > longest_side || width * height > most_pixels)
        fail(name, ": its header says ", width, " x ", height, " pixels, more than can be decoded (", longest_side,
             " along a side, ", most_pixels, " in all); cut it into parts or make it smaller");
    if (file_size > most_bytes(header))
        fail(name, ": the file has ", file_size, " bytes, more than a ", format, " picture of its ", width, " x ",
             height, " pixels can need");
}

/// Calls a function that reads a picture; a lack of memory is that picture's fault. `what`: the memory was for.
template <typename Function>
auto naming_lack_of_memory(const std::string& name, const std::string& what, Function&& function) {
    try {
        return function();
    } catch (const std::bad_alloc&) {
        fail(name, ": there is not enough memory for ", what);
    }
}

std::string pixels_of(std::int64_t width, std::int64_t height) { return text("its ", width, " x ", height, " pixels"); }

/// The codec for these bytes and their header, within the limits.
std::pair<const Codec*, PictureHeader> inspect(ByteSource& source, const std::string& name) {
    const Codec& codec = codec_of(source.part(0, longest_beginning), name);
    const PictureHeader header =
        naming_lack_of_memory(name, "what its header asks for", [&] { return codec.header(source, name); });
    check_limits(header, source.size(), name);
    return {&codec, header};
}

}  // namespace

void fail_damaged(const std::string& name, std::string_view format, const std::string& reason) {
    std::string lower = reason;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower.find("memory") != std::string::npos) throw std::bad_alloc();
    fail(name, ": damaged, or no ", format, " file that can be read: ", reason);
}

void check_same_size(const PictureHeader& header, const StoredPicture& picture, const std::string& name) {
    if (picture.width != header.width || picture.height != header.height)
        fail_damaged(name, header.format,
                     text("it says in one place ", header.width, " x ", header.height, " pixels and in another ",
                          picture.width, " x ", picture.height));
}

StoredPicture decode_stored(std::string_view bytes, const std::string& name) {
    MemorySource source(bytes);
    const auto inspected = inspect(source, name);
    const PictureHeader& header = inspected.second;
    return naming_lack_of_memory(name, pixels_of(header.width, header.height),
                                 [&] { return inspected.first->decode(bytes, header, name); });
}

Raster decode_raster(std::string_view bytes, const std::string& name) {
    const StoredPicture stored = decode_stored(bytes, name);
    return naming_lack_of_memory(name, pixels_of(stored.width, stored.height), [&] {
        Raster raster{.width = stored.width,
                      .height = stored.height,
                      .channels = stored.channels,
                      .bits = stored.bits == 8 ? 8 : 16,
                      .lossy = stored.lossy,
                      .samples = {stored.bytes.begin(), stored.bytes.end()}};
        if (stored.bits > 8) raster.samples = stored.words;
        const std::uint32_t most = (1u << stored.bits) - 1;
        if (stored.bits > 8 && stored.bits < 16)
            for (auto& sample : raster.samples)
                sample = static_cast<std::uint16_t>((sample * 65535u + most / 2) / most);
        return raster;
    });
}

Raster read_raster(const std::filesystem::path& path) { return decode_raster(read_picture_file(path), path.string()); }

PictureHeader read_picture_header(const std::filesystem::path& path) {
    FileSource source(path);
    return inspect(source, path.string()).second;
}

std::string read_picture_file(const std::filesystem::path& path) {
    const PictureHeader header = read_picture_header(path);
    return naming_lack_of_memory(path.string(), pixels_of(header.width, header.height),
                                 [&] { return read_file(path); });
}

}  // namespace ltad
