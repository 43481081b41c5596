// SPDX-License-Identifier: Apache-2.0
#include "builder/aws_signature.h"

#include <gtest/gtest.h>

namespace nuclio::builder {
namespace {

// The examples that Amazon publishes for S3, of 24 May 2013, 00:00:00 UTC.
constexpr std::chrono::sys_seconds kTime{std::chrono::seconds{1369353600}};
const AwsKey kKey{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

std::string signature_of(const AwsRequest& request, const AwsKey& key = kKey) {
  const std::string text = aws_signature(request, key, "us-east-1", kTime).at("authorization");
  return text.substr(text.find("Signature=") + 10);
}

TEST(AwsSignature, IsThatOfAmazonsExamples) {
  const std::string host = "examplebucket.s3.amazonaws.com";
  EXPECT_EQ(signature_of({host, "/test.txt", "", {{"range", "bytes=0-9"}}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(signature_of({host, "/", "lifecycle="}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature_of({host, "/", "max-keys=2&prefix=J"}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(AwsSignature, SaysWhatItCovers) {
  const auto headers = aws_signature({"h", "/k", ""}, {"ID", "secret", "token"}, "eu-west-1", kTime);
  EXPECT_EQ(headers.at("x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(headers.at("x-amz-security-token"), "token");
  EXPECT_EQ(headers.at("x-amz-content-sha256"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_TRUE(headers.at("authorization")
                  .starts_with("AWS4-HMAC-SHA256 Credential=ID/20130524/eu-west-1/s3/aws4_request,"
                               "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,Signature="));
}

TEST(AwsSignature, EncodesAllButWhatAmazonLeaves) {
  EXPECT_EQ(aws_encode("a b/c:d+é~_-.Z9"), "a%20b/c%3Ad%2B%C3%A9~_-.Z9");
}

}  // namespace
}  // namespace nuclio::builder
