/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl: the HTTP client of both ends. Its option calls are variadic, which Swift cannot call. */
#pragma once
#include <curl/curl.h>
#include <sys/eventfd.h>

/* A descriptor that a write makes readable, or -1. Glibc's Swift module does not hold eventfd. */
static inline int sonde_curl_wake_descriptor(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline CURLcode sonde_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode sonde_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode sonde_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode sonde_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

typedef size_t (*sonde_curl_data_function)(char *data, size_t size, size_t count, void *context);

static inline CURLcode sonde_curl_set_data_function(CURL *easy, CURLoption option,
                                                    sonde_curl_data_function function) {
    return curl_easy_setopt(easy, option, function);
}

typedef int (*sonde_curl_seek_function)(void *context, curl_off_t offset, int origin);

static inline CURLcode sonde_curl_set_seek_function(CURL *easy, sonde_curl_seek_function function) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, function);
}

typedef curl_socket_t (*sonde_curl_socket_function)(void *context, curlsocktype purpose,
                                                    struct curl_sockaddr *address);

static inline CURLcode sonde_curl_set_socket_function(CURL *easy,
                                                      sonde_curl_socket_function function) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
}

static inline long sonde_curl_get_long(CURL *easy, CURLINFO information) {
    long value = 0;
    return curl_easy_getinfo(easy, information, &value) == CURLE_OK ? value : 0;
}

/* Takes the next finished transfer's result off MULTI into RESULT; 0 when there is none. */
static inline int sonde_curl_take_result(CURLM *multi, CURLcode *result) {
    int remaining = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &remaining)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return 1;
        }
    }
    return 0;
}
