// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over its corpus, in the ordinary build: `x_replay CORPUS`, one input a line, as hex digits.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::string corpus_path;

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
  std::vector<std::uint8_t> bytes(hex.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* digits = hex.data() + 2 * i;
    EXPECT_EQ(std::from_chars(digits, digits + 2, bytes[i], 16).ptr, digits + 2) << hex;
  }
  return bytes;
}

TEST(Corpus, RunsWithoutAFinding) {
  std::ifstream corpus(corpus_path);
  ASSERT_TRUE(corpus) << corpus_path << " is missing; `./dev fuzz --keep` makes it";
  int inputs = 0;
  for (std::string line; std::getline(corpus, line); ++inputs) {
    // Only seen when the target dies: of this input, then. `xxd -r -p` makes a file of the line.
    std::fprintf(stderr, "line %d\n", inputs + 1);
    auto input = bytes_of(line);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  EXPECT_GT(inputs, 0);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc == 2) corpus_path = argv[1];
  return RUN_ALL_TESTS();
}
