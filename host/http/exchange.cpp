// SPDX-License-Identifier: Apache-2.0
// The handle that a handler answers through: a connection and the number of the exchange on it.
#include "http/connection.h"

namespace pb::http {
namespace {

class ConnectionExchange final : public Exchange {
  public:
    ConnectionExchange(std::shared_ptr<Connection> connection, std::uint64_t id)
        : connection_(std::move(connection)), id_(id) {}
    ~ConnectionExchange() override { connection_->abandon(id_); }

    bool respond(Response response) override {
        return connection_->respond(id_, std::move(response));
    }
    bool start_stream(const HeaderList& headers) override {
        return connection_->start_stream(id_, headers);
    }
    SendResult send(std::string_view bytes) override { return connection_->send(id_, bytes); }
    void finish(std::string_view last) override { connection_->finish(id_, last); }
    void on_disconnect(std::function<void()> callback) override {
        connection_->on_disconnect(id_, std::move(callback));
    }
    bool streaming() const override { return connection_->streaming(id_); }

  private:
    std::shared_ptr<Connection> connection_;
    std::uint64_t id_;
};

}  // namespace

std::shared_ptr<Exchange> make_exchange(std::shared_ptr<Connection> connection, std::uint64_t id) {
    return std::make_shared<ConnectionExchange>(std::move(connection), id);
}

}  // namespace pb::http
