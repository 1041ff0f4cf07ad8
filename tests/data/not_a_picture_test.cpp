#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"
#include "ltad/data/raster.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// A server of this machine alone that must not be asked.
class SilentServer {
public:
    SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        usable_ = socket_ >= 0 && ::bind(socket_, any, size) == 0 && ::listen(socket_, 16) == 0 &&
                  ::getsockname(socket_, any, &size) == 0;
        port_ = ntohs(address.sin_port);
    }
    ~SilentServer() { ::close(socket_); }
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;

    [[nodiscard]] bool usable() const { return usable_; }
    [[nodiscard]] int port() const { return port_; }
    /// A connection waits to be accepted: somebody has asked.
    [[nodiscard]] bool was_asked() const {
        pollfd watched{.fd = socket_, .events = POLLIN, .revents = 0};
        return ::poll(&watched, 1, 100) != 0;
    }

private:
    int socket_;
    bool usable_ = false;
    int port_ = 0;
};

/// A text that GDAL takes for a picture whose pixels lie elsewhere; filled up so that "DTED" comes at byte 140.
std::string vrt(const std::string& source, const std::string& before = "") {
    std::string text = before + "<VRTDataset rasterXSize=\"64\" rasterYSize=\"64\"><!--";
    text.resize(140, ' ');
    return text +
           "DTED--><VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource><SourceFilename relativeToVRT=\"0\">" +
           source + "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>\n";
}

TEST(NotAPicture, AsksNoServerAndReadsNoOtherFile) {
    const SilentServer server;
    if (!server.usable()) GTEST_SKIP() << "no socket of one's own here";
    const TemporaryFolder folder;
    const std::string address = text("http://127.0.0.1:", server.port(), "/secret.tif");
    write_file_atomically(folder / "other.png", encode_png(Image{.width = 1, .height = 1, .pixels = {9, 9, 9}}));
    using namespace std::string_literals;
    for (const std::string& source : {"/vsicurl/" + address, address, (folder / "other.png").string()})
        for (const std::string& before :
             {""s, "NITF02.10"s, "BM"s, "BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"s, "\x89PNG\r\n\x1a\n"s,
              "\xff\xd8\xff"s, "II*\0\x08\0\0\0"s, "MM\0*"s, "II+\0"s, "RIFF\0\0\0\0WEBP"s, "RIFF\0\0\0\0WEBPVP8 "s})
            for (const char* name : {"a.png", "a.jpg", "a.bmp", "a.tif", "a.webp", "a.vrt", "a.ntf"}) {
                SCOPED_TRACE(text(source, " behind ", before.size(), " bytes in ", name));
                write_file_atomically(folder / name, vrt(source, before));
                EXPECT_THAT([&] { (void)read_image(folder / name); }, ThrowsMessage<Error>(HasSubstr(name)));
                EXPECT_THAT([&] { (void)read_mask(folder / name); }, ThrowsMessage<Error>(HasSubstr(name)));
            }
    EXPECT_FALSE(server.was_asked());
}

TEST(NotAPicture, SaysWhatTheFileBeginsAs) {
    using namespace std::string_literals;
    const std::vector<std::pair<std::string, const char*>> cases = {
        {vrt("x"), "begins with \"<VRTDataset rasterXSize="},
        {"GIF89a" + std::string(40, '\1'), "as a GIF"},
        {"%PDF-1.7 and so on", "as a PDF"},
        {"P5 4 4 255 0123456789abcdef", "as a PGM"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "as a git-lfs pointer"},
        {"\0\0\0\x0cjP  \r\n\x87\n"s, "as a JPEG 2000 picture"},
        {"\0\0\0\x1c"
         "ftypavif\0\0\0\0"s,
         "as an AVIF or HEIC picture"},
        {std::string(100, '\0'), "with the bytes 00 00 00 00 00 00 00 00"},
        {"BMX is a kind of bicycle, nothing else", "with \"BMX is a kind of bicycle"},
    };
    for (const auto& [bytes, says] : cases) {
        SCOPED_TRACE(says);
        const auto decode = [&bytes = bytes] { (void)decode_raster(bytes, "x.png"); };
        EXPECT_THAT(decode,
                    ThrowsMessage<Error>(AllOf(HasSubstr("x.png: not a picture that can be read"), HasSubstr(says))));
    }
}

// A file of terabytes under a picture's name, and one whose header asks for terabytes, cost a few reads.
TEST(NotAPicture, LargeFilesAreRefusedBeforeTheyAreRead) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "zeros.png", "");
    std::filesystem::resize_file(folder / "zeros.png", std::uintmax_t{1} << 40);  // no block of it is on the disk
    EXPECT_THAT([&] { (void)read_image(folder / "zeros.png"); }, ThrowsMessage<Error>(HasSubstr("not a picture")));
    write_file_atomically(folder / "small.png", encode_png(Image{.width = 1, .height = 1, .pixels = {9, 9, 9}}));
    std::filesystem::resize_file(folder / "small.png", std::uintmax_t{1} << 40);
    EXPECT_THAT([&] { (void)read_image(folder / "small.png"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("1099511627776 bytes"), HasSubstr("1 x 1 pixels"))));
}

}  // namespace
}  // namespace ltad
