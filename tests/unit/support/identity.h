// SPDX-License-Identifier: Apache-2.0
// A server's key and its self-signed certificate, made for a test.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "http/server.h"
#include "support/files.h"

namespace pb::test {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

// The files go with the object.
class Identity {
  public:
    explicit Identity(const std::string& names = "DNS:localhost", long lasts = 3600) {
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
        PEM_write_bio_X509(file(certificate()).get(), own.get());
        PEM_write_bio_PrivateKey(file(key_file()).get(), key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr);
    }

    std::string certificate() const { return folder_ / "certificate.pem"; }

    http::ServerOptions options() const {
        http::ServerOptions options;
        options.certificate = certificate();
        options.private_key = key_file();
        return options;
    }

  private:
    std::string key_file() const { return folder_ / "key.pem"; }
    static std::unique_ptr<BIO, Freed<BIO_free>> file(const std::string& path) {
        return std::unique_ptr<BIO, Freed<BIO_free>>(BIO_new_file(path.c_str(), "w"));
    }
    const TempFolder folder_;
};

}  // namespace pb::test
