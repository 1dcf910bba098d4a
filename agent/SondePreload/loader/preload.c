/* SPDX-License-Identifier: Apache-2.0 */
/* libsonde.so: loads the agent into any native program, by LD_PRELOAD or -lsonde.

   This file is all that a program without SONDE_SERVICE gets: no other library is loaded there and
   no thread is started. Where SONDE_SERVICE is set, a thread waits a moment and then loads
   libsonde-agent.so, which lies beside this file, for itself alone (RTLD_LOCAL): its libraries are
   not in the way of the program's own, and when one of them is missing the program runs on without
   the agent. The moment spares programs that end at once, and comes after the fork with which a
   program becomes a daemon.

   Environment: SONDE_SERVICE, SONDE_OFF, SONDE_LOG as in the agent's configuration;
   SONDE_START_DELAY_MS, the moment, 0...60000, by default 200.  */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

/* Held while the agent is being loaded and started: neither a fork nor the process's end comes
   into the middle of that.  */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
/* The agent's entry point, once it is loaded; a child of fork inherits it. Behind `starting`.  */
static int (*agent_start)(void);
static bool ending; /* behind `starting` */
/* The thread that holds `starting` across its fork, because it found the start at rest: its child
   may start an agent. Written behind `starting`; another thread never finds itself here.  */
static _Atomic pthread_t forking;
static _Atomic int active;
static char agent_path[4096];
static long delay_ms = 200;

/* Whether the agent runs in this process or is about to. The agent that a program has linked asks
   this, and leaves the process to the preloaded one.  */
EXPORTED int sonde_preload_is_active(void) {
    return atomic_load_explicit(&active, memory_order_relaxed);
}

/* Writes a line to where SONDE_LOG says, if anywhere.  */
static void say(const char *what, const char *detail) {
    const char *path = getenv("SONDE_LOG");
    if (path == NULL || *path == 0) return;
    char line[1024];
    int length = snprintf(line, sizeof line, "sonde[%d]: %s: %s\n", (int)getpid(), what, detail);
    if (length <= 0) return;
    if (length >= (int)sizeof line) length = sizeof line - 1;
    bool is_stderr = strcmp(path, "stderr") == 0;
    int file = is_stderr ? STDERR_FILENO
                         : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (file < 0) return;
    ssize_t written = write(file, line, (size_t)length);
    (void)written;
    if (!is_stderr) close(file);
}

static void load_and_start(void) {
    if (agent_start == NULL) {
        void *agent = dlopen(agent_path, RTLD_NOW | RTLD_LOCAL);
        if (agent == NULL) {
            const char *reason = dlerror();
            say("cannot load the agent", reason != NULL ? reason : "unknown reason");
            return;
        }
        agent_start = (int (*)(void))dlsym(agent, "sonde_agent_start");
        if (agent_start == NULL) {
            say("cannot start the agent: no sonde_agent_start in", agent_path);
            return;
        }
    }
    if (agent_start() != 0) atomic_store_explicit(&active, 0, memory_order_relaxed);
}

static void *wait_and_start(void *unused) {
    (void)unused;
    pthread_setname_np(pthread_self(), "sonde-start");
    struct timespec rest = {.tv_sec = delay_ms / 1000, .tv_nsec = delay_ms % 1000 * 1000000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
    pthread_mutex_lock(&starting);
    if (!ending) load_and_start();
    pthread_mutex_unlock(&starting);
    return NULL;
}

/* Starts the thread that waits; keeps the program's errno and signal mask.  */
static void start_later(void) {
    int saved = errno;
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) == 0) {
        /* Loading runs the constructors of libcurl and OpenSSL on this stack.  */
        pthread_attr_setstacksize(&attributes, 512 << 10);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int status = pthread_create(&thread, &attributes, wait_and_start, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
        atomic_store_explicit(&active, status == 0, memory_order_relaxed);
        if (status != 0) say("cannot start a thread", strerror(status));
    }
    errno = saved;
}

/* Waits for a start that is under way, at most MILLISECONDS: whoever starts may in turn wait for
   a lock that the caller holds.  */
static bool pause_starting(long milliseconds) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += milliseconds * 1000000;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    return pthread_mutex_timedlock(&starting, &deadline) == 0;
}

static void before_fork(void) {
    if (pause_starting(250)) atomic_store_explicit(&forking, pthread_self(), memory_order_relaxed);
}

/* Whether the fork that is being finished by this thread found the start at rest.  */
static bool fork_was_clean(void) {
    if (atomic_load_explicit(&forking, memory_order_relaxed) != pthread_self()) return false;
    atomic_store_explicit(&forking, 0, memory_order_relaxed);
    return true;
}

static void after_fork_in_parent(void) {
    if (fork_was_clean()) pthread_mutex_unlock(&starting);
}

/* The child has none of the agent's threads. A child that executes another program within the
   delay starts nothing. Should a lock of the agent's have been held at the fork, only the thread
   that waits would hang.  */
static void after_fork_in_child(void) {
    atomic_store_explicit(&active, 0, memory_order_relaxed);
    if (!fork_was_clean()) return;
    pthread_mutex_unlock(&starting);
    start_later();
}

/* Lets a start finish, so that it does not meet the end of libraries that it uses; no later one
   begins.  */
static void before_exit(void) {
    if (!pause_starting(900)) return;
    ending = true;
    pthread_mutex_unlock(&starting);
}

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != 0;
}

static bool is_off(void) {
    const char *value = getenv("SONDE_OFF");
    if (value == NULL || *value == 0) return false;
    return strcmp(value, "0") != 0 && strcasecmp(value, "off") != 0 &&
           strcasecmp(value, "no") != 0 && strcasecmp(value, "false") != 0;
}

/* Finds libsonde-agent.so beside this file.  */
static bool find_agent(void) {
    Dl_info own;
    if (dladdr((void *)(uintptr_t)sonde_preload_is_active, &own) == 0) return false;
    const char *slash = own.dli_fname != NULL ? strrchr(own.dli_fname, '/') : NULL;
    int folder = slash != NULL ? (int)(slash - own.dli_fname) + 1 : 0;
    int length = snprintf(agent_path, sizeof agent_path, "%.*slibsonde-agent.so", folder,
                          own.dli_fname);
    return length > 0 && length < (int)sizeof agent_path;
}

__attribute__((constructor)) static void begin(void) {
    /* A program with more rights than its user has is left alone.  */
    if (getauxval(AT_SECURE) != 0 || !is_set("SONDE_SERVICE") || is_off()) return;
    int saved = errno;
    const char *delay = getenv("SONDE_START_DELAY_MS");
    if (delay != NULL && *delay != 0) {
        char *end = NULL;
        long value = strtol(delay, &end, 10);
        if (*end == 0 && value >= 0 && value <= 60000) delay_ms = value;
    }
    if (find_agent()) {
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
        atexit(before_exit);
        start_later();
    } else {
        say("cannot find the agent", "want libsonde-agent.so beside libsonde.so");
    }
    errno = saved;
}
