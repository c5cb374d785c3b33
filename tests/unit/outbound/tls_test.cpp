// SPDX-License-Identifier: Apache-2.0
// https: who is believed, and who is not.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>

#include "support.h"

namespace pb::outbound::testing {
namespace {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

// A key and a self-signed certificate for a name, in a directory that goes with it.
class Identity {
  public:
    explicit Identity(const std::string& names, long lasts = 3600) {
        std::string pattern = (std::filesystem::temp_directory_path() / "pb-tls-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
        const std::unique_ptr<X509, Freed<X509_free>> own(X509_new());
        X509_set_version(own.get(), X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(own.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(own.get()), -7200);
        X509_gmtime_adj(X509_getm_notAfter(own.get()), lasts);
        X509_set_pubkey(own.get(), key.get());
        auto* const name = X509_get_subject_name(own.get());
        const auto* const text = reinterpret_cast<const unsigned char*>("a test");
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
        X509_set_issuer_name(own.get(), name);
        const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> alternative(
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
        X509_add_ext(own.get(), alternative.get(), -1);
        X509_sign(own.get(), key.get(), EVP_sha256());
        write(certificate(), [&](FILE* to) { PEM_write_X509(to, own.get()); });
        write(key_file(), [&](FILE* to) {
            PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
    ~Identity() { std::filesystem::remove_all(directory_); }

    std::string certificate() const { return directory_ + "/certificate.pem"; }

    http::ServerOptions options() const {
        http::ServerOptions options;
        options.certificate = certificate();
        options.private_key = key_file();
        return options;
    }

  private:
    std::string key_file() const { return directory_ + "/key.pem"; }
    static void write(const std::string& path, const std::function<void(FILE*)>& body) {
        const std::unique_ptr<FILE, Freed<std::fclose>> file(std::fopen(path.c_str(), "w"));
        body(file.get());
    }
    std::string directory_;
};

std::string secure(std::uint16_t port, const std::string& host = "127.0.0.1") {
    return "https://" + host + ":" + std::to_string(port) + "/";
}

Http::Options trusting(const Identity& identity) {
    auto options = local(resolving({{"127.0.0.1"}}));
    options.ca_file = identity.certificate();
    return options;
}

TEST(Tls, ACertificateThatIsTrustedIsTaken) {
    const Identity identity("DNS:one.example,IP:127.0.0.1");
    const auto server = serve(echo, identity.options());
    Http http(trusting(identity));
    for (const char* host : {"127.0.0.1", "one.example"}) {
        for (int i = 0; i < 10; ++i) {
            const auto out = fetch(http, post(secure(server->port(), host), "hello"));
            EXPECT_EQ(out.answer.body, "hello") << host << ": " << out;
        }
    }
    EXPECT_EQ(server->counters().connections, 2U);
    const std::string large(3U << 20U, 'x');
    EXPECT_TRUE(fetch(http, post(secure(server->port()), large)).answer.body == large);
}

TEST(Tls, ManyAtOnce) {
    const Identity identity("IP:127.0.0.1");
    const auto server = serve(echo, identity.options());
    Http http(trusting(identity));
    for (int round = 0; round < 4; ++round) {
        std::vector<std::shared_ptr<Recorder>> all;
        for (int i = 0; i < 32; ++i) {
            all.push_back(std::make_shared<Recorder>());
            http.start(post(secure(server->port()), std::to_string(i)), all.back());
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto out = all[i]->await_end();
            EXPECT_EQ(out.answer.body, std::to_string(i)) << out;
        }
    }
}

TEST(Tls, AnyOtherIsNot) {
    const Identity identity("DNS:one.example"), other("DNS:one.example");
    const Identity expired("DNS:one.example", -3600);
    const auto refused = [](http::Server& server, Http::Options options, const std::string& host) {
        Http http(std::move(options));
        const auto out = fetch(http, post(secure(server.port(), host), "x"));
        EXPECT_TRUE(out.failed(Fault::tls, false)) << out;
    };
    std::atomic<int> requests{0};
    const auto counting = [&](auto request, auto exchange) {
        ++requests;
        echo(request, exchange);
    };
    const auto server = serve(counting, identity.options());
    const auto old = serve(counting, expired.options());
    const auto plain = serve(counting);
    refused(*server, local(resolving({{"127.0.0.1"}})), "one.example");  // by the system's
    refused(*server, trusting(other), "one.example");
    refused(*server, trusting(identity), "two.example");
    refused(*server, trusting(identity), "127.0.0.1");
    refused(*old, trusting(expired), "one.example");
    refused(*plain, trusting(identity), "one.example");
    auto missing = trusting(identity);
    missing.ca_file += ".absent";
    refused(*server, missing, "one.example");
    EXPECT_EQ(requests, 0);
}

TEST(Tls, ASilentHandshakeIsLateAndUnsent) {
    const Identity identity("IP:127.0.0.1");
    RawServer server([](RawConnection& connection) { connection.await_end(); });
    Http http(trusting(identity));
    Request request = post(secure(server.port()), "x");
    request.connect_time = std::chrono::milliseconds(50);
    const auto out = fetch(http, request);
    EXPECT_TRUE(out.failed(Fault::late, false)) << out;
}

// The server says farewell, which curl does not tell from an answer, and closes.
TEST(Tls, AConnectionThatWasClosedIsNotUsed) {
    const Identity identity("IP:127.0.0.1");
    auto options = identity.options();
    options.idle_time = std::chrono::milliseconds(20);
    const auto server = serve(echo, options);
    Http http(trusting(identity));
    for (int i = 0; i < 2; ++i) {
        const auto out = fetch(http, post(secure(server->port()), "x"));
        EXPECT_EQ(out.status(), 200) << out;
        ASSERT_TRUE(eventually([&] { return server->counters().connections == 0; }));
    }
}

}  // namespace
}  // namespace pb::outbound::testing
