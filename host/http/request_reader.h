// SPDX-License-Identifier: Apache-2.0
// One request out of the bytes of a connection: framing and its limits, nothing of sockets.
//
// The end of the header is looked for here, line by line, which also refuses what Boost.Beast would
// let pass (bare line feeds, folded lines); the complete header and the body then go through
// Beast's basic_parser. The checks of this folder on top of Beast's: exactly one Host on HTTP/1.1,
// at most one Content-Length, Transfer-Encoding exactly "chunked" and not on HTTP/1.0, a length on
// POST, no user of another authority in an absolute target.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/chunked.h"
#include "http/server.h"

namespace pb::http {

// Why a request is refused: the status and one sentence.
struct Refusal {
    int status = 400;
    std::string reason;
};

// A request with the text that its views point into.
struct OwnedRequest : Request {
    std::string text;
};

class RequestReader final : private boost::beast::http::basic_parser<true> {
  public:
    enum class Step { need_more, complete, refused };

    RequestReader(std::size_t header_limit, std::size_t body_limit);

    // Takes bytes off the front of `input`. What it leaves must come again, with more behind it.
    Step feed(std::string_view& input);

    bool started() const { return started_; }
    bool in_body() const { return in_body_; }  // the header was complete and good
    // The client waits for "100 Continue" before it sends the body.
    bool wants_continue() const { return in_body_ && expects_continue_; }
    void continued() { expects_continue_ = false; }

    // After `complete`.
    std::shared_ptr<OwnedRequest> take() { return std::move(request_); }
    bool keep_alive() const { return Parser::keep_alive(); }
    bool http11() const { return version_ == 11; }
    // After `refused`.
    const Refusal& refusal() const { return refusal_; }

  private:
    using Parser = boost::beast::http::basic_parser<true>;
    using Text = boost::beast::string_view;
    using Code = boost::beast::error_code;
    using Length = boost::optional<std::uint64_t>;

    Step feed_header(std::string_view& input);
    Step feed_body(std::string_view& input);
    Step feed_chunks(std::string_view& input);
    Step parse_header();
    Step begin_body();
    Step refuse(int status, std::string reason);
    Step refuse(const Code& code);
    Step refuse_body();
    std::optional<Refusal> check_header();
    std::optional<Refusal> check_framing() const;
    std::optional<Refusal> split_target();

    void on_request_impl(boost::beast::http::verb, Text method, Text target, int version,
                         Code& code) override;
    void on_response_impl(int, Text, int, Code&) override {}
    void on_field_impl(boost::beast::http::field, Text name, Text value, Code& code) override;
    void on_header_impl(Code&) override {}
    void on_body_init_impl(const Length&, Code&) override {}
    std::size_t on_body_impl(Text, Code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text, Code&) override { return 0; }
    void on_finish_impl(Code&) override {}

    std::shared_ptr<OwnedRequest> request_ = std::make_shared<OwnedRequest>();
    Refusal refusal_;
    std::size_t header_limit_;
    std::size_t body_limit_;
    std::size_t left_ = 0;  // of a body with a length
    std::optional<ChunkedBody> chunks_;
    std::size_t scanned_ = 0;  // start of the first line that was not complete yet
    std::string_view target_;
    std::string_view expect_;
    std::string_view coding_;
    std::string_view host_;
    int version_ = 11;
    int hosts_ = 0, lengths_ = 0, codings_ = 0, expects_ = 0;
    bool started_ = false;
    bool in_body_ = false;
    bool expects_continue_ = false;
    bool too_many_ = false;
};

}  // namespace pb::http
