// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox_job.h"

#include <gmock/gmock.h>

namespace nuclio::builder {
namespace {

using ::testing::ElementsAre;

TEST(SandboxJob, ArrivesAsItWasSent) {
  SandboxJob sent{.job = {.layers = {"/a", "/b"},
                          .base = "base",
                          .over = {"/c"},
                          .over_digests = "over",
                          .commands = {"echo \"1\"\necho 2"},
                          .environment = {"A=ü"},
                          .working_directory = "/srv",
                          .user = "app:7",
                          .network = false},
                  .cache = "/cache",
                  .modified = oci::ImageTime{std::chrono::seconds{1700000000}}};
  sent.limits = {.disk = Bytes{1}, .file = Bytes{2}, .files = 3, .processes = 4, .roots = 5, .roots_size = Bytes{6}};
  const auto got = parse_sandbox_job(sandbox_job_text(sent));
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_THAT(got->job.layers, ElementsAre("/a", "/b"));
  EXPECT_EQ(got->job.base, "base");
  EXPECT_THAT(got->job.over, ElementsAre("/c"));
  EXPECT_EQ(got->job.over_digests, "over");
  EXPECT_EQ(got->job.commands, sent.job.commands);
  EXPECT_EQ(got->job.environment, sent.job.environment);
  EXPECT_EQ(got->job.working_directory, "/srv");
  EXPECT_EQ(got->job.user, "app:7");
  EXPECT_FALSE(got->job.network);
  EXPECT_EQ(got->cache, "/cache");
  EXPECT_EQ(got->modified, sent.modified);
  EXPECT_EQ(got->limits.disk, Bytes{1});
  EXPECT_EQ(got->limits.file, Bytes{2});
  EXPECT_EQ(got->limits.files, 3u);
  EXPECT_EQ(got->limits.processes, 4u);
  EXPECT_EQ(got->limits.roots, 5u);
  EXPECT_EQ(got->limits.roots_size, Bytes{6});
  for (const char* text : {"", "{}", "[]", "{\"layers\": 1}"}) EXPECT_FALSE(parse_sandbox_job(text)) << text;
}

TEST(SandboxOutcome, ArrivesAsItWasSent) {
  const auto nothing = parse_sandbox_outcome(sandbox_outcome_text({}));
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->error || nothing->failed);
  const auto failed = parse_sandbox_outcome(sandbox_outcome_text({.failed = FailedCommand{2, {.signal = 9}}}));
  ASSERT_TRUE(failed && failed->failed);
  EXPECT_EQ(failed->failed->index, 2u);
  EXPECT_EQ(failed->failed->status.signal, 9);
  // Names of files are bytes, and need not be text.
  const auto error = parse_sandbox_outcome(sandbox_outcome_text({.error = Error{Why::too_large, "reading \xff\xfe"}}));
  ASSERT_TRUE(error && error->error);
  EXPECT_EQ(error->error->why, Why::too_large);
  EXPECT_EQ(error->error->what, "reading ??");
  for (const char* text : {"", "1", "{\"why\": 1}", "{\"command\": \"x\"}"})
    EXPECT_FALSE(parse_sandbox_outcome(text)) << text;
}

}  // namespace
}  // namespace nuclio::builder
