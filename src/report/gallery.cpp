#include "ltad/report/gallery.h"

#include <array>
#include <string_view>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"
#include "markup.h"
#include "sections.h"

namespace ltad {
namespace {

constexpr int largest_side = 224;
constexpr int jpeg_quality = 85;

std::string encode_jpeg(const Image& image) {
    cv::Mat bgr(image.height, image.width, CV_8UC3);
    for (int y = 0; y < image.height; ++y) {
        const std::uint8_t* in = image.pixels.data() + static_cast<std::ptrdiff_t>(y) * image.width * 3;
        std::uint8_t* out = bgr.ptr<std::uint8_t>(y);
        for (int x = 0; x < image.width; ++x, in += 3, out += 3)
            for (int c = 0; c < 3; ++c) out[c] = in[2 - c];
    }
    std::vector<unsigned char> bytes;
    if (bgr.empty() || !cv::imencode(".jpg", bgr, bytes, {cv::IMWRITE_JPEG_QUALITY, jpeg_quality}))
        fail("a picture of ", image.width, " x ", image.height, " could not be encoded");
    return {bytes.begin(), bytes.end()};
}

/// As PNG or JPEG, whichever is smaller: masks and flat drawings are as PNG.
std::string data_uri(const Image& image) {
    const Image small = std::max(image.width, image.height) <= largest_side ? image : fitted(image, largest_side);
    const std::string jpeg = encode_jpeg(small), png = encode_png(small);
    return jpeg.size() < png.size() ? "data:image/jpeg;base64," + base64(jpeg) : "data:image/png;base64," + base64(png);
}

Image image_of(const Mask& mask) {
    Image image{.width = mask.width, .height = mask.height, .pixels = {}};
    image.pixels.reserve(3 * mask.pixels.size());
    for (const std::uint8_t value : mask.pixels) image.pixels.insert(image.pixels.end(), 3, value != 0 ? 255 : 0);
    return image;
}

/// A file's name that may break after each slash.
std::string breakable(const std::string& file) {
    std::string out;
    for (const char c : escape(file)) out += c == '/' ? std::string("/<wbr/>") : std::string(1, c);
    return out;
}

std::string render_item(const GalleryItem& item) {
    std::string out = text("<figure class=\"item\"><figcaption><b>", escape(item.class_name), "</b> <span class=\"",
                           item.defective ? "bad" : "good", "\">", item.defective ? "defective" : "good",
                           "</span><span class=\"more\">", breakable(item.file), "</span><span class=\"more\">score ",
                           brief(item.score), "</span><span class=\"more\">rank ", item.rank, " of ", item.of,
                           " in its class</span></figcaption><div class=\"panels\">");
    for (const GalleryPanel& panel : item.panels)
        out += text("<figure><img width=\"", panel.image.width, "\" height=\"", panel.image.height,
                    "\" loading=\"lazy\" decoding=\"async\" src=\"", data_uri(panel.image), "\" alt=\"",
                    escape(panel.caption), " of ", escape(item.file), "\"/><figcaption>", escape(panel.caption),
                    "</figcaption></figure>");
    return out + "</div></figure>\n";
}

/// The first ones, the others folded.
std::string render_items(const std::vector<std::string>& items) {
    constexpr std::size_t unfolded = 6;
    std::string out, rest;
    for (std::size_t i = 0; i < items.size(); ++i) (i < unfolded ? out : rest) += items[i];
    return rest.empty() ? out : out + folded(text(items.size() - unfolded, " more"), rest);
}

struct Kind {
    std::string_view heading;
    std::string_view words;
};

/// In the order of GalleryKind.
constexpr std::array<Kind, 3> kinds = {
    {{"Worst misses",
      "Defective pictures that good ones of their class equal or outscore, whatever the threshold; the worst first."},
     {"Worst false alarms",
      "Good pictures that equal or outscore defective ones of their class, whatever the threshold; the worst first."},
     {"Typical hits", "Defective pictures above every good picture of their class."}}};

}  // namespace

std::vector<GalleryPanel> gallery_panels(const Image& picture, const std::optional<Mask>& mask,
                                         std::span<const NamedMap> maps, int side) {
    std::vector<GalleryPanel> panels{{"picture", fitted(picture, side)}};
    const Image& first = panels.front().image;
    if (mask) panels.push_back({"mask", image_of(resize_nearest(*mask, first.width, first.height))});
    for (const NamedMap& named : maps)
        panels.push_back(
            {named.name, overlay_heat_map(picture, named.map, named.range, side, mask ? &*mask : nullptr)});
    return panels;
}

std::string gallery_section(const Report& report, std::size_t picture_bytes) {
    std::array<std::vector<std::string>, kinds.size()> parts;
    std::size_t bytes = 0, shown = 0;
    for (const GalleryItem& item : report.gallery) {
        const std::string rendered = render_item(item);
        if (bytes + rendered.size() > picture_bytes) break;
        bytes += rendered.size();
        parts[static_cast<std::size_t>(item.kind)].push_back(rendered);
        ++shown;
    }
    std::string out =
        text("<p class=\"lead\">", report.has_maps
                                       ? "Heat maps go from dark blue to yellow over a range that is the same for all "
                                         "pictures of a class; the outline is the mask."
                                       : "The method scores whole pictures, and has no heat maps.");
    if (shown < report.gallery.size())
        out += text(" Shown are the ", shown, " pictures most worth looking at; ", report.gallery.size() - shown,
                    " more were left out to keep the page small.");
    out += " Rank 1 is the highest score of a class.</p>\n";
    for (std::size_t k = 0; k < kinds.size(); ++k)
        if (!parts[k].empty())
            out += text("<h3>", kinds[k].heading, "</h3>\n<p class=\"lead\">", kinds[k].words, " Here are ",
                        parts[k].size(), " of ", std::max(parts[k].size(), report.gallery_totals[k]), ".</p>\n",
                        render_items(parts[k]));
    return out;
}

}  // namespace ltad
