// SPDX-License-Identifier: Apache-2.0
// The server's poller in C: which descriptor wants a worker now.

#ifndef CBOOKMAKER_H
#define CBOOKMAKER_H

#include <stdbool.h>
#include <stdint.h>

/* What woke a worker. */
enum bookmaker_event_kind {
    BOOKMAKER_EVENT_NONE,       /* the time is up, or a signal came */
    BOOKMAKER_EVENT_STOP,       /* the server is to end */
    BOOKMAKER_EVENT_LISTENER,   /* somebody wants to connect */
    BOOKMAKER_EVENT_CONNECTION, /* a connection has bytes, or has ended */
};

struct bookmaker_event {
    enum bookmaker_event_kind kind;
    int32_t descriptor;
    uint32_t flags; /* EPOLLIN, EPOLLRDHUP, ... */
};

/* One set of descriptors that several workers wait for; plain values, never moved. */
struct bookmaker_poller {
    int32_t set;
    int32_t stopper;
    int32_t listener;
    const char *name;
};

/* Opens a poller for a listening socket. False with errno when the system gives none. */
bool bookmaker_poller_open(struct bookmaker_poller *poller, int32_t listener, const char *name);

/* Asks to be told once when DESCRIPTOR has something to read; IS_NEW for the first time. */
bool bookmaker_poller_arm(const struct bookmaker_poller *poller, int32_t descriptor, bool is_new);

/* Waits for at most MILLISECONDS (-1: for ever) and says what to do. */
struct bookmaker_event bookmaker_poller_wait(
    const struct bookmaker_poller *poller, int32_t milliseconds);

/* Accepts one connection, ready for use; -1 when there is none. */
int32_t bookmaker_poller_accept(const struct bookmaker_poller *poller);

/* Gives the calling thread a name of at most 15 bytes. */
void bookmaker_name_thread(const char *name);

/* Wakes every worker for good. */
void bookmaker_poller_stop(const struct bookmaker_poller *poller);

/* Closes the poller's own descriptors; the listener stays open. */
void bookmaker_poller_close(const struct bookmaker_poller *poller);

#endif
