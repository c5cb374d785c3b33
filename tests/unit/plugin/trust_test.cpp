// SPDX-License-Identifier: Apache-2.0
// Approval by hash and by signature.
#include "plugin/trust.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "plugin/read_file.h"
#include "support.h"

namespace pb::plugin {
namespace {

// A key pair of the test.
class Signer {
  public:
    explicit Signer(const std::string& public_file)
        : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free) {
        std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(public_file.c_str(), "w"),
                                                       BIO_free);
        PEM_write_bio_PUBKEY(file.get(), key_.get());
    }
    std::string sign(const std::string& bytes) const {
        std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
        std::string signature(64, '\0');
        std::size_t size = signature.size();
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get());
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
        return signature;
    }

  private:
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

std::string base64(const std::string& bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3), '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                    reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()));
    return out;
}

class TrustTest : public testing::Test {
  protected:
    std::string verdict(const TrustOptions& options, const std::string& bytes = "the bytes") {
        auto trust = Trust::make(options);
        if (!trust) return "bad options: " + trust.error().message;
        auto checked = trust->check(path_, bytes, sha256_hex(bytes));
        return checked ? "trusted" : checked.error().message;
    }

    TempFolder folder_;
    const std::string path_ = folder_ / "p.so";
    const std::string key_ = folder_ / "key.pem", other_key_ = folder_ / "other.pem";
    Signer signer_{key_}, other_{other_key_};
};

TEST_F(TrustTest, WithoutOptionsEverythingIsTrusted) { EXPECT_EQ(verdict({}), "trusted"); }

TEST_F(TrustTest, AHashOnTheListIsEnough) {
    std::string hash = sha256_hex("the bytes");
    EXPECT_EQ(verdict({.sha256 = {hash}, .key_files = {}}), "trusted");
    EXPECT_EQ(verdict({.sha256 = {hash}, .key_files = {key_}}), "trusted");
    EXPECT_NE(verdict({.sha256 = {hash}, .key_files = {}}, "other bytes").find("not on the list"),
              std::string::npos);
}

TEST_F(TrustTest, TheDigestIsSha256) {
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(TrustTest, ASignatureMustFitTheBytesAndAKey) {
    TrustOptions options{.sha256 = {}, .key_files = {other_key_, key_}};
    EXPECT_NE(verdict(options).find("p.so.sig"), std::string::npos);
    write(path_ + ".sig", signer_.sign("the bytes"));
    EXPECT_EQ(verdict(options), "trusted");
    EXPECT_NE(verdict(options, "the bytez").find("fits none"), std::string::npos);
    write(path_ + ".sig", base64(signer_.sign("the bytes")) + "\n");
    EXPECT_EQ(verdict(options), "trusted");
    EXPECT_NE(verdict({.sha256 = {}, .key_files = {other_key_}}).find("fits none"),
              std::string::npos);
    for (const std::string& text :
         {std::string("short"), std::string(88, '!'), std::string(900, 'A')}) {
        write(path_ + ".sig", text);
        EXPECT_NE(verdict(options).find("64 bytes"), std::string::npos) << text;
    }
}

TEST_F(TrustTest, WrongOptionsAreNamed) {
    EXPECT_NE(verdict({.sha256 = {"abc"}, .key_files = {}}).find("'abc'"), std::string::npos);
    EXPECT_NE(verdict({.sha256 = {}, .key_files = {folder_ / "none.pem"}}).find("none.pem"),
              std::string::npos);
    write(folder_ / "text.pem", "hello");
    EXPECT_NE(verdict({.sha256 = {}, .key_files = {folder_ / "text.pem"}}).find("PEM"),
              std::string::npos);
}

}  // namespace
}  // namespace pb::plugin
