// SPDX-License-Identifier: Apache-2.0
// The server's poller over epoll; each descriptor wakes one worker, once, until it is armed again.

#include "CBookmaker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

bool bookmaker_poller_open(struct bookmaker_poller *poller, int32_t listener, const char *name) {
    struct bookmaker_poller made = {.listener = listener, .name = name};
    made.set = epoll_create1(EPOLL_CLOEXEC);
    made.stopper = eventfd(0, EFD_CLOEXEC);
    /* Level-triggered, and never read: every worker sees it. */
    struct epoll_event stop = {.events = EPOLLIN, .data.fd = made.stopper};
    if (made.set < 0 || made.stopper < 0
        || epoll_ctl(made.set, EPOLL_CTL_ADD, made.stopper, &stop) != 0
        || !bookmaker_poller_arm(&made, listener, true)) {
        bookmaker_poller_close(&made);
        return false;
    }
    *poller = made;
    return true;
}

bool bookmaker_poller_arm(const struct bookmaker_poller *poller, int32_t descriptor, bool is_new) {
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
        .data.fd = descriptor,
    };
    int operation = is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    return epoll_ctl(poller->set, operation, descriptor, &event) == 0;
}

struct bookmaker_event bookmaker_poller_wait(
    const struct bookmaker_poller *poller, int32_t milliseconds) {
    struct epoll_event event;
    struct bookmaker_event found = {.kind = BOOKMAKER_EVENT_NONE, .descriptor = -1};
    if (epoll_wait(poller->set, &event, 1, milliseconds) != 1) return found;
    found.descriptor = event.data.fd;
    found.flags = event.events;
    if (found.descriptor == poller->stopper) {
        found.kind = BOOKMAKER_EVENT_STOP;
    } else if (found.descriptor == poller->listener) {
        found.kind = BOOKMAKER_EVENT_LISTENER;
    } else {
        found.kind = BOOKMAKER_EVENT_CONNECTION;
    }
    return found;
}

int32_t bookmaker_poller_accept(const struct bookmaker_poller *poller) {
    int descriptor = accept4(poller->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return -1;
    int one = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return descriptor;
}

void bookmaker_name_thread(const char *name) {
    char shortened[16];
    snprintf(shortened, sizeof shortened, "%s", name);
    pthread_setname_np(pthread_self(), shortened);
}

void bookmaker_poller_stop(const struct bookmaker_poller *poller) {
    uint64_t one = 1;
    ssize_t written = write(poller->stopper, &one, sizeof one);
    (void)written; /* An eventfd that is never read takes one write. */
}

void bookmaker_poller_close(const struct bookmaker_poller *poller) {
    if (poller->set >= 0) close(poller->set);
    if (poller->stopper >= 0) close(poller->stopper);
}
