#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/files.h"
#include "report/sample_report.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Outcome {
    int status = -1;
    std::string out;
};

/// Runs a shell command; what it writes to either stream is `out`.
Outcome shell(const std::string& command) {
    Outcome outcome;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return outcome;
    std::array<char, 4096> piece{};
    for (std::size_t size; (size = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
        outcome.out.append(piece.data(), size);
    outcome.status = ::pclose(pipe);
    return outcome;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

std::string part(const std::string& text, const std::string& from, const std::string& to) {
    const std::size_t begin = text.find(from);
    if (begin == text.npos) return {};
    return text.substr(begin + from.size(), text.find(to, begin + from.size()) - begin - from.size());
}

/// The page in a real browser, light and dark (the parameter).
class Chromium : public testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        if (shell("command -v chromium").status != 0)
            GTEST_SKIP() << "chromium is not installed (apt-get install chromium): the page was not seen in a browser";
        // A browser in a sandbox of its own (a snap, say) may not read this folder, and a stub shows nothing at all.
        write("plain.html", "<p>shown</p>");
        const Outcome plain = run("--dump-dom", "plain.html");
        if (!testing::Value(plain.out, HasSubstr("<p>shown</p>")))
            GTEST_SKIP() << "the chromium here does not show a plain page of " << folder_.path() << ":\n" << plain.out;
    }

    [[nodiscard]] Outcome run(const std::string& options, const std::string& file) const {
        const std::string scheme = GetParam() ? "0" : "1";  // Blink's PreferredColorScheme: dark, light
        return shell(
            "timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --enable-logging=stderr"
            " --virtual-time-budget=3000 --user-data-dir=" +
            (folder_ / "profile").string() + " --blink-settings=preferredColorScheme=" + scheme + ' ' + options +
            " file://" + (folder_ / file).string());
    }
    void write(const std::string& file, const std::string& content) const {
        write_file_atomically(folder_ / file, content);
    }

    test::TemporaryFolder folder_;
};

std::string page() { return render_report(test::sample_report({"ltad", "reconstruction", "semantic"}, 5)); }

TEST_P(Chromium, ReadsThePageWithoutComplaint) {
    write("page.html", page());
    const Outcome dom = run("--dump-dom", "page.html");
    EXPECT_EQ(dom.status, 0) << dom.out;
    EXPECT_THAT(dom.out, AllOf(HasSubstr(">The long tail</h2>"), HasSubstr(">class 4</th>"), HasSubstr("</html>")));
    EXPECT_THAT(dom.out, Not(HasSubstr("CONSOLE")));  // what breaks the Content-Security-Policy is logged there
}

// A copy of the page, all of it unfolded, measures itself in frames of two widths and tells the document around it,
// whose title is read.
TEST_P(Chromium, FitsWideAndNarrowAndShowsItsPictures) {
    const std::string probe = R"js(<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const broken = [...document.images].filter(i => i.naturalWidth === 0).length;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const ground = getComputedStyle(document.body).backgroundColor;
  parent.postMessage(`width ${innerWidth} needs ${document.documentElement.scrollWidth}, ${document.images.length} ` +
                     `pictures, ${broken} broken, ${dark ? "dark" : "light"} ${ground};`, "*");
});
</script></body>)js";
    const std::string policy = part(page(), "<meta http-equiv", "/>");  // it would forbid the script
    const std::string open =
        replaced(replaced(page(), "<meta http-equiv" + policy + "/>", ""), " loading=\"lazy\"", "");
    write("probe.html", replaced(open, "</body>", probe));
    write("frames.html", R"html(<!DOCTYPE html>
<html><head><meta name="color-scheme" content="light dark"><title></title>
<script>onmessage = e => { document.title += e.data; }</script></head><body>
<iframe src="probe.html" style="width:1280px;height:900px;border:0"></iframe>
<iframe src="probe.html" style="width:400px;height:900px;border:0"></iframe></body></html>)html");
    const Outcome dom = run("--window-size=1400,1900 --dump-dom", "frames.html");
    const std::string title = part(dom.out, "<title>", "</title>");
    const std::string ending = GetParam() ? "27 pictures, 0 broken, dark rgb(21, 24, 28);"
                                          : "27 pictures, 0 broken, light rgb(255, 255, 255);";
    EXPECT_THAT(title, HasSubstr("width 1280 needs 1280, " + ending)) << dom.out.substr(0, 2000);
    EXPECT_THAT(title, HasSubstr("width 400 needs 400, " + ending));
}

TEST_P(Chromium, DrawsPageAndChartFile) {
    write("page.html", page());
    write("chart.svg", chart_file(draw(LineChart{.title = "Figure", .series = {{"ours", {{1, 80}, {2, 85}}}}})));
    for (const std::string file : {"page.html", "chart.svg"}) {
        const std::filesystem::path picture = folder_ / (file + ".png");
        const Outcome outcome = run("--window-size=1280,900 --screenshot=" + picture.string(), file);
        EXPECT_EQ(outcome.status, 0) << outcome.out;
        const cv::Mat shot = cv::imread(picture.string());
        ASSERT_EQ(shot.size(), cv::Size(1280, 900)) << file;
        const cv::Vec3b paper = GetParam() ? cv::Vec3b(28, 24, 21) : cv::Vec3b(255, 255, 255);
        EXPECT_EQ(shot.at<cv::Vec3b>(5, 5), paper) << file;
        const auto drawn = std::count_if(shot.begin<cv::Vec3b>(), shot.begin<cv::Vec3b>() + 1280 * 200,
                                         [&paper](const cv::Vec3b& pixel) { return pixel != paper; });
        EXPECT_GT(drawn, 500) << file;
    }
}

INSTANTIATE_TEST_SUITE_P(Scheme, Chromium, testing::Bool(),
                         [](const auto& scheme) { return scheme.param ? "dark" : "light"; });

}  // namespace
}  // namespace ltad
