// SPDX-License-Identifier: Apache-2.0
// ClientCall: one tools/call, resources/read, prompts/get or completion/complete of a client, from
// the first round to the answer, questions to the user included.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "admission/admission.h"
#include "mcp/asking.h"
#include "mcp/request.h"
#include "mcp/seal.h"

namespace pb::mcp {

// What client calls share.
struct CallServices {
    const admission::Admission& admission;
    const Seal& seal;
    std::string server_info;
    int max_rounds = 16;                          // of questions for one request
    std::chrono::milliseconds patience{600'000};  // for a legacy client's answers
};

class ClientCall : public runtime::CallObserver,
                   public Cancellable,
                   public std::enable_shared_from_this<ClientCall> {
  public:
    ClientCall(const CallServices& services, RequestPtr request, admission::Target target,
               std::string_view name);

    // Answers the request now or later.
    void start();

    void cancel() override;
    void begun(runtime::CallId id) noexcept override;
    void completed(runtime::Status status, std::string_view body) noexcept override;
    runtime::Status notified(std::string_view method, std::string_view params) noexcept override;
    void still_running() noexcept override;

  private:
    bool open_state(std::string& params);
    void run(const std::string& params, bool resumed);
    void settle(runtime::Status status, std::string_view body);
    void input_required(std::string_view body);
    void ask_legacy(std::string_view questions, std::string_view state);
    void fail(runtime::Status status, std::string_view body);
    void fail_asking(const Error& error);
    runtime::Status progress(std::string_view params);
    runtime::Status log_message(std::string_view params);
    Seal::Binding binding() const;

    const CallServices& services_;
    RequestPtr request_;
    admission::Target target_;
    std::string name_;  // as the client said it
    int round_ = 0;

    std::mutex mutex_;
    catalog::CallId running_ = catalog::no_call;
    bool cancelled_ = false;
    bool ended_ = false;
    std::shared_ptr<LegacyAsk> asking_;
    std::mutex progress_mutex_;  // while a step is sent, so that none overtakes it
    std::optional<double> last_progress_;
};

}  // namespace pb::mcp
