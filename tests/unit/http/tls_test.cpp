// SPDX-License-Identifier: Apache-2.0
// The same server over TLS, with a certificate made here.
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>

#include "support.h"

namespace pb::http::testing {
namespace {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

// A key and a self-signed certificate in a directory that goes with it.
class Identity {
  public:
    Identity() {
        std::string pattern = (std::filesystem::temp_directory_path() / "pb-tls-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
        const std::unique_ptr<X509, Freed<X509_free>> own(X509_new());
        ASN1_INTEGER_set(X509_get_serialNumber(own.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(own.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(own.get()), 3600);
        X509_set_pubkey(own.get(), key.get());
        auto* const name = X509_get_subject_name(own.get());
        const auto* const text = reinterpret_cast<const unsigned char*>("localhost");
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
        X509_set_issuer_name(own.get(), name);
        X509_sign(own.get(), key.get(), EVP_sha256());
        write(certificate(), [&](FILE* to) { PEM_write_X509(to, own.get()); });
        write(key_file(), [&](FILE* to) {
            PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
    ~Identity() { std::filesystem::remove_all(directory_); }

    std::string certificate() const { return directory_ + "/certificate.pem"; }
    std::string key_file() const { return directory_ + "/key.pem"; }

    ServerOptions options() const {
        ServerOptions options;
        options.certificate = certificate();
        options.private_key = key_file();
        return options;
    }

  private:
    static void write(const std::string& path, const std::function<void(FILE*)>& body) {
        const std::unique_ptr<FILE, Freed<std::fclose>> file(std::fopen(path.c_str(), "w"));
        body(file.get());
    }
    std::string directory_;
};

// Not blocking underneath, so that it writes while it cannot read and the other way round.
class TlsClient : public Client {
  public:
    explicit TlsClient(std::uint16_t port, int newest = 0) : Client(port) {
        ::fcntl(descriptor(), F_SETFL, O_NONBLOCK);
        context_.reset(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_max_proto_version(context_.get(), newest);
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), descriptor());
        secured_ = repeat([this] { return SSL_connect(ssl_.get()); }) == 1;
    }

    bool secured() const { return secured_; }

    bool write(std::string_view bytes) override {
        while (!bytes.empty()) {
            const int sent = repeat([&] {
                return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
            });
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

  protected:
    ssize_t read(char* into, std::size_t size) override {
        return repeat([&] { return SSL_read(ssl_.get(), into, static_cast<int>(size)); });
    }

  private:
    template <class Call>
    int repeat(Call call) {
        for (;;) {
            const int result = call();
            if (result > 0) return result;
            const int error = SSL_get_error(ssl_.get(), result);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return -1;
            if (!wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return -1;
        }
    }

    std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
    std::unique_ptr<SSL, Freed<SSL_free>> ssl_;
    bool secured_ = false;
};

TEST(Tls, ServesRequests) {
    const Identity identity;
    const auto server = serve(
        [](auto request, auto exchange) {
            EXPECT_TRUE(request->secure);
            echo(request, exchange);
        },
        identity.options());
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient client(server->port(), version);
        ASSERT_TRUE(client.secured());
        for (int i = 0; i < 20; ++i)
            EXPECT_EQ(client.ask(post("hello")).body, "hello");
        EXPECT_TRUE(client.ask(post("", "Connection: close\r\n")).has("Connection: close"));
        EXPECT_TRUE(client.ended());
    }
}

TEST(Tls, OldVersionsAreRefused) {
    const Identity identity;
    const auto server = serve(echo, identity.options());
    EXPECT_FALSE(TlsClient(server->port(), TLS1_1_VERSION).secured());
}

TEST(Tls, PipelinedRequestsAreNeverLeftInside) {
    const Identity identity;
    const auto server = serve(echo, identity.options());
    for (const std::size_t first : {10, 6000, 16'000, 20'000, 70'000}) {
        TlsClient client(server->port());
        ASSERT_TRUE(client.write(post(std::string(first, 'a')) + post("b") + post("c")));
        EXPECT_EQ(client.answer().body.size(), first);
        EXPECT_EQ(client.answer().body, "b");
        EXPECT_EQ(client.answer().body, "c");
    }
}

TEST(Tls, LargeBodiesBothWays) {
    const Identity identity;
    const auto server = serve(echo, identity.options());
    TlsClient client(server->port());
    std::string body(3u << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i)
        body[i] = static_cast<char>(i * 31 >> 3);
    EXPECT_TRUE(client.ask(post(body)).body == body);
    EXPECT_TRUE(client.ask(post(body)).body == body);
}

TEST(Tls, RefusesWithAnAnswer) {
    const Identity identity;
    auto options = identity.options();
    options.max_connections = 1;
    const auto server = serve(echo, options);
    TlsClient client(server->port());
    ASSERT_TRUE(client.secured());
    TlsClient second(server->port());
    EXPECT_EQ(second.answer().status, 503);
    EXPECT_EQ(client.ask("GET / HTTP/1.1\r\n\r\n").status, 400);
    EXPECT_TRUE(client.ended());
}

TEST(Tls, StreamsAndLearnsOfTheEnd) {
    const Identity identity;
    Latch started, gone;
    std::shared_ptr<Exchange> held;
    const auto server = serve(
        [&](auto, auto exchange) {
            exchange->on_disconnect([&] { gone.arrive(); });
            exchange->start_stream();
            exchange->send("data: 1\n\n");
            held = exchange;
            started.arrive();
        },
        identity.options());
    TlsClient client(server->port());
    client.write(get);
    EXPECT_EQ(client.answer().status, 200);
    EXPECT_EQ(client.chunk(), "data: 1\n\n");
    ASSERT_TRUE(started.wait_for());
    const std::string large(500'000, 'x');
    EXPECT_EQ(held->send(large), SendResult::ok);
    EXPECT_TRUE(client.chunk() == large);
    client.close();
    EXPECT_TRUE(gone.wait_for());
}

TEST(Tls, ASilentHandshakeIsCut) {
    const Identity identity;
    auto options = identity.options();
    options.header_time = std::chrono::milliseconds(100);
    const auto server = serve(echo, options);
    Client silent(server->port());
    EXPECT_TRUE(silent.ended());
    Client wrong(server->port());
    wrong.write(get);
    EXPECT_TRUE(wrong.ended());
}

}  // namespace
}  // namespace pb::http::testing
