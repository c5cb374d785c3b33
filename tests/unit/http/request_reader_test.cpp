// SPDX-License-Identifier: Apache-2.0
// Framing without sockets: what is taken, what is refused, however the bytes are cut.
#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/limits.h"

namespace pb::http {
namespace {

using Step = RequestReader::Step;

struct Outcome {
    Step step = Step::need_more;
    int refused = 0;
    std::string rest;
    std::shared_ptr<OwnedRequest> request;
    bool keep_alive = false;
};

// Feeds `text` in pieces of `size`, keeping what the reader leaves in front of the next piece.
Outcome read(std::string_view text, std::size_t size, std::size_t body_limit = 1000) {
    RequestReader reader(4096, body_limit);
    Outcome outcome;
    std::string kept;
    while (!text.empty() && outcome.step == Step::need_more) {
        kept.append(text.substr(0, size));
        text.remove_prefix(std::min(size, text.size()));
        std::string_view input = kept;
        outcome.step = reader.feed(input);
        kept = std::string(input);
    }
    outcome.rest = kept + std::string(text);
    if (outcome.step == Step::refused) outcome.refused = reader.refusal().status;
    if (outcome.step == Step::complete) {
        outcome.keep_alive = reader.keep_alive();
        outcome.request = reader.take();
    }
    return outcome;
}

const std::vector<std::size_t> cuts{1, 2, 3, 7, 100, 100'000};

TEST(RequestReader, ReadsLengthAndRest) {
    for (const std::size_t cut : cuts) {
        const auto got = read(
            "POST /a/b?x=1&y HTTP/1.1\r\nHost: h:1\r\nX-Name:  value \t\r\nContent-Length: "
            "5\r\n\r\nhelloGET /",
            cut);
        ASSERT_EQ(got.step, Step::complete) << cut;
        EXPECT_EQ(got.request->method, "POST");
        EXPECT_EQ(got.request->path, "/a/b");
        EXPECT_EQ(got.request->query, "x=1&y");
        EXPECT_EQ(got.request->header("x-nAME"), "value");
        EXPECT_EQ(got.request->headers.size(), 3u);
        EXPECT_EQ(got.request->body, "hello");
        EXPECT_EQ(got.rest, "GET /");
        EXPECT_TRUE(got.keep_alive);
    }
}

TEST(RequestReader, ReadsChunksAndDropsTrailers) {
    for (const std::size_t cut : cuts) {
        const auto got = read(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nhello\r\nA;name=\"v\"\r\n, world...\r\n0\r\nX-Late: 1\r\n\r\nrest",
            cut);
        ASSERT_EQ(got.step, Step::complete) << cut;
        EXPECT_EQ(got.request->body, "hello, world...");
        EXPECT_FALSE(got.request->has_header("X-Late"));
        EXPECT_EQ(got.rest, "rest");
    }
}

// RFC 9112, 6.3: without Content-Length and Transfer-Encoding there is no body.
TEST(RequestReader, ARequestWithoutLengthHasNoBody) {
    for (const std::size_t cut : cuts) {
        for (const std::string method : {"POST", "PUT", "PATCH", "DELETE", "GET"}) {
            const auto got = read(method + " /a HTTP/1.1\r\nHost: h\r\n\r\nGET /", cut);
            ASSERT_EQ(got.step, Step::complete) << method;
            EXPECT_EQ(got.request->body, "");
            EXPECT_EQ(got.rest, "GET /");
            EXPECT_TRUE(got.keep_alive);
        }
        const auto old = read("POST /a HTTP/1.0\r\n\r\nrest", cut);
        ASSERT_EQ(old.step, Step::complete);
        EXPECT_EQ(old.request->body, "");
        EXPECT_EQ(old.rest, "rest");
    }
}

TEST(RequestReader, LeavesEncodedWordsAlone) {
    const auto got = read(
        "GET / HTTP/1.1\r\nHost: h\r\nMcp-Name: =?base64?SGVsbG8=?=\r\nX: =?utf-8?B?YQ0KYjog?=\r\n"
        "Y: caf\xc3\xa9\r\n\r\n",
        1000);
    ASSERT_EQ(got.step, Step::complete);
    EXPECT_EQ(got.request->header("mcp-name"), "=?base64?SGVsbG8=?=");
    EXPECT_EQ(got.request->header("x"), "=?utf-8?B?YQ0KYjog?=");
    EXPECT_EQ(got.request->header("y"), "caf\xc3\xa9");
}

TEST(RequestReader, CountsRepeatedFields) {
    const auto got = read("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\na: 2\r\n\r\n", 1000);
    ASSERT_EQ(got.step, Step::complete);
    EXPECT_EQ(got.request->count_header("A"), 2u);
    EXPECT_EQ(got.request->header("A"), "1");
    EXPECT_FALSE(got.request->has_header("B"));
}

TEST(RequestReader, TakesTargetsInEveryForm) {
    const auto absolute = read("GET http://h:1/p?q HTTP/1.1\r\nHost: h:1\r\n\r\n", 1000);
    ASSERT_EQ(absolute.step, Step::complete);
    EXPECT_EQ(absolute.request->path, "/p");
    EXPECT_EQ(absolute.request->query, "q");
    const auto bare = read("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n", 1000);
    ASSERT_EQ(bare.step, Step::complete);
    EXPECT_EQ(bare.request->path, "/");
    EXPECT_EQ(bare.request->query, "q");
    EXPECT_EQ(read("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 1000).step, Step::complete);
}

TEST(RequestReader, ForgivesAnEmptyLineInFront) {
    for (const std::size_t cut : cuts) {
        EXPECT_EQ(read("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", cut).step, Step::complete) << cut;
    }
}

TEST(RequestReader, KnowsHttp10) {
    const auto plain = read("GET / HTTP/1.0\r\n\r\n", 1000);
    ASSERT_EQ(plain.step, Step::complete);
    EXPECT_FALSE(plain.keep_alive);
    const auto kept = read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1000);
    ASSERT_EQ(kept.step, Step::complete);
    EXPECT_TRUE(kept.keep_alive);
}

struct Bad {
    const char* name;
    int status;
    std::string text;

    friend void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }
};

class Refused : public ::testing::TestWithParam<Bad> {};

TEST_P(Refused, HoweverItIsCut) {
    for (const std::size_t cut : cuts) {
        const auto got = read(GetParam().text, cut);
        EXPECT_EQ(got.step, Step::refused) << cut;
        EXPECT_EQ(got.refused, GetParam().status) << cut;
    }
}

std::string with(const std::string& fields) {
    return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

std::vector<Bad> bad_requests() {
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    const std::string length = "Content-Length: 5\r\n";
    std::string many;
    for (std::size_t i = 0; i <= max_fields; ++i)
        many += "A: 1\r\n";
    return {
        {"LengthThenChunked", 400, with(length + chunked) + "0\r\n\r\n"},
        {"ChunkedThenLength", 400, with(chunked + length) + "0\r\n\r\n"},
        {"TwoLengths", 400, with(length + "Content-Length: 6\r\n") + "hello!"},
        {"TheSameLengthTwice", 400, with(length + length) + "hello"},
        {"ListOfLengths", 400, with("Content-Length: 5, 5\r\n") + "hello"},
        {"NegativeLength", 400, with("Content-Length: -5\r\n") + "hello"},
        {"SignedLength", 400, with("Content-Length: +5\r\n") + "hello"},
        {"HexLength", 400, with("Content-Length: 0x5\r\n") + "hello"},
        {"EmptyLength", 400, with("Content-Length: \r\n") + "hello"},
        {"HugeLength", 400, with("Content-Length: 99999999999999999999999\r\n")},
        {"LargeBody", 413, with("Content-Length: 1001\r\n")},
        {"LargeChunk", 413, with(chunked) + "3e9\r\n"},
        {"ManyChunks", 413,
         with(chunked) + "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n"},
        {"BadChunkSize", 400, with(chunked) + "-5\r\nhello\r\n"},
        {"ChunkSizeOverflow", 400, with(chunked) + "10000000000000005\r\nhello\r\n"},
        {"SizeOverManyLines", 400, with(chunked) + "0\r\n;\r\na=b\r\n0\r\nX: y\r\n\r\n"},
        {"SpaceInChunkSize", 400, with(chunked) + " 5\r\nhello\r\n0\r\n\r\n"},
        {"BareLineFeedInChunk", 400, with(chunked) + "5\nhello\r\n0\r\n\r\n"},
        {"ControlInExtension", 400, with(chunked) + "5;\x01\r\nhello\r\n0\r\n\r\n"},
        {"TrailerWithoutColon", 400, with(chunked) + "0\r\nX\r\n\r\n"},
        {"EndlessTrailer", 400, with(chunked) + "0\r\nX: " + std::string(20'000, 'x')},
        {"NoChunkEnd", 400, with(chunked) + "5\r\nhelloworld\r\n"},
        {"EndlessChunkHeader", 400, with(chunked) + "5;" + std::string(20'000, 'x')},
        {"OtherCoding", 501, with("Transfer-Encoding: gzip\r\n")},
        {"GzipThenChunked", 501, with("Transfer-Encoding: gzip, chunked\r\n")},
        {"ChunkedThenGzip", 501, with("Transfer-Encoding: chunked, gzip\r\n")},
        {"ChunkedTwice", 400, with(chunked + chunked)},
        {"GzipFieldThenChunked", 400, with("Transfer-Encoding: gzip\r\n" + chunked) + "0\r\n\r\n"},
        {"ChunkedFieldThenGzip", 400, with(chunked + "Transfer-Encoding: gzip\r\n") + "0\r\n\r\n"},
        {"CodingOnHttp10", 400, "POST / HTTP/1.0\r\n" + chunked + "\r\n0\r\n\r\n"},
        {"VersionTwo", 505, "GET / HTTP/2.0\r\nHost: h\r\n\r\n"},
        {"NoVersion", 400, "GET /\r\nHost: h\r\n\r\n"},
        {"NoHost", 400, "GET / HTTP/1.1\r\n\r\n"},
        {"TwoHosts", 400, "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"},
        {"OtherAuthority", 400, "GET http://evil/ HTTP/1.1\r\nHost: h\r\n\r\n"},
        {"AuthorityAsTarget", 400, "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"},
        {"OtherExpectation", 417, with(length + "Expect: tea\r\n")},
        {"BareLineFeed", 400, "GET / HTTP/1.1\nHost: h\n\n"},
        {"BareLineFeedInFields", 400, "GET / HTTP/1.1\r\nHost: h\nX: 1\r\n\r\n"},
        {"BareReturn", 400, "GET / HTTP/1.1\r\nHost: h\r\nX: 1\r2\r\n\r\n"},
        {"Folded", 400, "GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\n 2\r\n\r\n"},
        {"FoldedByTab", 400, "GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\n\t2\r\n\r\n"},
        {"FoldedCoding", 400, with("Transfer-Encoding:\r\n chunked\r\n") + "0\r\n\r\n"},
        {"SpaceBeforeColon", 400, "GET / HTTP/1.1\r\nHost : h\r\n\r\n"},
        {"SpaceBeforeName", 400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
        {"NoColon", 400, "GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n"},
        {"NoName", 400, "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n"},
        {"NulInValue", 400,
         "GET / HTTP/1.1\r\nHost: h\r\nX: a" + std::string(1, '\0') + "b\r\n\r\n"},
        {"ControlInTarget", 400, "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n"},
        {"Binary", 400, "\x16\x03\x01\x02\x03\x01\r\n\r\n"},
        {"LongTarget", 414, "GET /" + std::string(max_target, 'a')},
        {"LargeHeader", 431, "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(5000, 'a')},
        {"ManyFields", 431, "GET / HTTP/1.1\r\nHost: h\r\n" + many + "\r\n"},
    };
}

INSTANTIATE_TEST_SUITE_P(RequestReader, Refused, ::testing::ValuesIn(bad_requests()),
                         [](const auto& info) { return info.param.name; });

TEST(RequestReader, ABodyOfExactlyTheLimitIsTaken) {
    const auto got = read(with("Content-Length: 1000\r\n") + std::string(1000, 'x'), 64);
    ASSERT_EQ(got.step, Step::complete);
    EXPECT_EQ(got.request->body.size(), 1000u);
}

TEST(RequestReader, WantsContinueOnlyBeforeTheBody) {
    RequestReader reader(4096, 1000);
    const std::string head = with("Content-Length: 2\r\nExpect: 100-Continue\r\n");
    std::string_view input = head;
    EXPECT_EQ(reader.feed(input), Step::need_more);
    EXPECT_TRUE(reader.wants_continue());
    reader.continued();
    EXPECT_FALSE(reader.wants_continue());
    input = "ok";
    EXPECT_EQ(reader.feed(input), Step::complete);
}

}  // namespace
}  // namespace pb::http
