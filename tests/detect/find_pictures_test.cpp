#include "ltad/detect/find_pictures.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAre;

TEST(FindPictures, OfFoldersAllSortedOfFilesAsTheyAre) {
    const TemporaryFolder folder;
    make_directories(folder / "b/deep");
    for (const char* name : {"b/z.PNG", "b/a.jpg", "b/deep/m.tif", "b/notes.txt", "single.dat"})
        write_file_atomically(folder / name, "x");
    const auto found = find_pictures({(folder / "single.dat").string(), (folder / "b").string()}).files;
    EXPECT_THAT(found,
                ElementsAre(folder / "single.dat", folder / "b/a.jpg", folder / "b/deep/m.tif", folder / "b/z.PNG"));
    // An earlier call's overlays are no pictures. Links in a circle cannot be read, which their lines will say.
    std::filesystem::create_symlink("two.png", folder / "b/one.png");
    std::filesystem::create_symlink("one.png", folder / "b/two.png");
    write_file_atomically(folder / "b/overlays/a.jpg.png", "x");
    EXPECT_THAT(find_pictures({(folder / "b").string()}, folder / "b/overlays").files,
                ElementsAre(folder / "b/a.jpg", folder / "b/deep/m.tif", folder / "b/one.png", folder / "b/two.png",
                            folder / "b/z.PNG"));
    EXPECT_THAT([&] { (void)find_pictures({(folder / "b/one.png").string()}); },
                ThrowsMessage<UsageError>(HasSubstr("one.png")));
    make_directories(folder / "empty");
    EXPECT_THAT([&] { (void)find_pictures({(folder / "empty").string()}); },
                ThrowsMessage<UsageError>(HasSubstr("no picture")));
}

TEST(FindPictures, LinkedFoldersAreLookedThroughOnce) {
    const TemporaryFolder folder;
    for (const char* name : {"elsewhere/x.png", "in/a.png", "above.png"}) {
        make_directories((folder / name).parent_path());
        write_file_atomically(folder / name, "x");
    }
    std::filesystem::create_directory_symlink("../elsewhere", folder / "in/line2");
    const auto first = find_pictures({(folder / "in").string()});
    EXPECT_THAT(first.files, ElementsAre(folder / "in/a.png", folder / "in/line2/x.png"));
    EXPECT_THAT(first.passed_over, ElementsAre());
    std::filesystem::create_directory_symlink("../elsewhere", folder / "in/line3");
    std::filesystem::create_directory_symlink("..", folder / "in/up");
    const auto second = find_pictures({(folder / "in").string()});
    EXPECT_EQ(second.files.size(), 2u);  // nothing twice, nothing from above
    EXPECT_THAT(second.passed_over, UnorderedElementsAre(HasSubstr("in/line"), HasSubstr("in/up")));
}

TEST(FindPictures, WhatIsNoPictureIsCounted) {
    const TemporaryFolder folder;
    for (const char* name : {"a.png", "b.gif", "c.npy", "deep/d.txt", ".hidden"}) {
        make_directories((folder / name).parent_path());
        write_file_atomically(folder / name, "x");
    }
    std::filesystem::create_symlink("gone", folder / "broken.png");
    const auto found = find_pictures({folder.path().string()});
    EXPECT_THAT(found.files, ElementsAre(folder / "a.png", folder / "broken.png"));
    EXPECT_THAT(found.passed_over, ElementsAre(AllOf(HasSubstr("3 files"), HasSubstr("b.gif"))));
}

TEST(FindPictures, FoldersWithoutPicturesAndForOverlaysAreTold) {
    const TemporaryFolder folder;
    make_directories(folder / "empty");
    write_file_atomically(folder / "a.png", "x");
    EXPECT_THAT(find_pictures({(folder / "a.png").string(), (folder / "empty").string()}).passed_over,
                ElementsAre(HasSubstr("empty: no picture in it")));
    EXPECT_THAT([&] { (void)find_pictures({folder.path().string()}, folder.path()); },
                ThrowsMessage<UsageError>(HasSubstr("overlays would be written among the pictures")));
}

TEST(FindPictures, AFolderThatCannotBeReadCostsNoOther) {
    const TemporaryFolder folder;
    for (const char* name : {"a/x.png", "locked/y.png", "z/z.png"}) {
        make_directories((folder / name).parent_path());
        write_file_atomically(folder / name, "x");
    }
    std::filesystem::permissions(folder / "locked", std::filesystem::perms::none);
    const uid_t user = ::geteuid();
    constexpr uid_t nobody = 65534;  // root could read it
    EXPECT_EQ(::seteuid(user == 0 ? nobody : user), 0);
    const FoundPictures found = find_pictures({folder.path().string()});
    EXPECT_EQ(::seteuid(user), 0);
    std::filesystem::permissions(folder / "locked", std::filesystem::perms::owner_all);
    EXPECT_THAT(found.files, ElementsAre(folder / "a/x.png", folder / "z/z.png"));
    EXPECT_THAT(found.unreadable, ElementsAre(HasSubstr("locked")));
}

}  // namespace
}  // namespace ltad::test
