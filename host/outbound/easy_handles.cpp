// SPDX-License-Identifier: Apache-2.0
#include "outbound/easy_handles.h"

#include <mutex>
#include <new>
#include <utility>

namespace pb::outbound {
namespace {

constexpr std::size_t most_spare = 64;

void begin_curl() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

EasyHandles::EasyHandles(std::string ca_file, std::string user_agent)
    : ca_file_(std::move(ca_file)), user_agent_(std::move(user_agent)) {
    begin_curl();
    share_.reset(curl_share_init());
    curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

Easy EasyHandles::take() {
    if (!spare_.empty()) {
        Easy easy = std::move(spare_.back());
        spare_.pop_back();
        return easy;
    }
    Easy easy(curl_easy_init());
    if (!easy) throw std::bad_alloc();
    CURL* const e = easy.get();
    curl_easy_setopt(e, CURLOPT_SHARE, share_.get());
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_PROXY, "");  // whatever the environment says
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, user_agent_.c_str());
    if (!ca_file_.empty()) {
        curl_easy_setopt(e, CURLOPT_CAINFO, ca_file_.c_str());
        curl_easy_setopt(e, CURLOPT_CAPATH, nullptr);
    }
    return easy;
}

void EasyHandles::give_back(Easy easy) {
    if (spare_.size() < most_spare) spare_.push_back(std::move(easy));
}

}  // namespace pb::outbound
