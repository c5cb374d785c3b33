// SPDX-License-Identifier: Apache-2.0
// OpenSSL on a socket that never blocks. Its own BIO writes with MSG_NOSIGNAL: a client that leaves
// must not raise SIGPIPE in a host that did not ask for another disposition.
#include "http/transport_tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace pb::http {
namespace {

int descriptor_of(BIO* bio) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int bio_write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    const ssize_t sent =
        ::send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent < 0 && would_block()) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    const ssize_t got = ::recv(descriptor_of(bio), into, static_cast<std::size_t>(size), 0);
    if (got < 0 && would_block()) BIO_set_retry_read(bio);
    return static_cast<int>(got);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* socket_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
        if (made != nullptr) {
            BIO_meth_set_write(made, bio_write);
            BIO_meth_set_read(made, bio_read);
            BIO_meth_set_ctrl(made, bio_control);
        }
        return made;
    }();
    return method;
}

struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsTransport final : public Transport {
  public:
    explicit TlsTransport(std::unique_ptr<SSL, FreeSsl> ssl) : ssl_(std::move(ssl)) {}

    Transfer read(char* into, std::size_t size) override {
        if (failed_) return {Transfer::State::closed, 0};
        ERR_clear_error();
        const int got = SSL_read(ssl_.get(), into, clamp(size));
        return outcome(got);
    }

    Transfer write(std::string_view bytes, bool) override {
        if (failed_) return {Transfer::State::closed, 0};
        if (bytes.empty()) return {};
        ERR_clear_error();
        const int sent = SSL_write(ssl_.get(), bytes.data(), clamp(bytes.size()));
        return outcome(sent);
    }

    bool buffered() const override { return SSL_pending(ssl_.get()) > 0; }

    void close() override {
        // Once: our close_notify leaves, the peer's is not waited for.
        if (!failed_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
        failed_ = true;
        ERR_clear_error();
    }

  private:
    static int clamp(std::size_t size) {
        return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
    }

    Transfer outcome(int result) {
        if (result > 0) return {Transfer::State::done, static_cast<std::size_t>(result)};
        switch (SSL_get_error(ssl_.get(), result)) {
            case SSL_ERROR_WANT_READ:
                return {Transfer::State::wait_read, 0};
            case SSL_ERROR_WANT_WRITE:
                return {Transfer::State::wait_write, 0};
            case SSL_ERROR_ZERO_RETURN:
                return {Transfer::State::closed, 0};  // the peer's goodbye; ours may still go
            default:
                failed_ = true;
                ERR_clear_error();
                return {Transfer::State::closed, 0};
        }
    }

    std::unique_ptr<SSL, FreeSsl> ssl_;
    bool failed_ = false;
};

Error unusable(const std::string& what, const std::string& file) {
    char text[160] = "unknown reason";
    if (const auto code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return invalid("The " + what + " \"" + file + "\" cannot be used: " + text + ".");
}

}  // namespace

Result<TlsContext> load_tls(const std::string& certificate, const std::string& private_key) {
    ERR_clear_error();
    TlsContext context(SSL_CTX_new(TLS_server_method()));
    if (!context || socket_method() == nullptr) return internal_error("OpenSSL gave no context.");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    // A partial write may be repeated from another place in memory, as a queue's tail moves.
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
        return unusable("certificate", certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
        return unusable("private key", private_key);
    }
    return context;
}

std::unique_ptr<Transport> tls_transport(SSL_CTX* context, int descriptor) {
    std::unique_ptr<SSL, FreeSsl> ssl(SSL_new(context));
    BIO* const bio = BIO_new(socket_method());
    if (!ssl || bio == nullptr) {
        BIO_free(bio);
        return nullptr;
    }
    // A BIO's data is a pointer, whatever it stands for. NOLINTNEXTLINE(performance-no-int-to-ptr)
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_accept_state(ssl.get());
    return std::make_unique<TlsTransport>(std::move(ssl));
}

}  // namespace pb::http
