/* SPDX-License-Identifier: Apache-2.0 */
/* Burns CPU time in hot_function, in ways that the first argument names. The second is a time in
   milliseconds.  */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

__attribute__((noinline)) static double hot_function(long rounds) {
    volatile double sum = 1;
    for (long round = 0; round < rounds; round++) sum = sum * 1.0000001 + 0.1;
    return sum;
}

static void burn(long milliseconds) {
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        hot_function(100000);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 <
             milliseconds);
}

static void *burn_in_thread(void *milliseconds) {
    burn(*(long *)milliseconds);
    return NULL;
}

static void become_daemon(void) {
    if (fork() != 0) _exit(0);
    setsid();
    if (fork() != 0) _exit(0);
    for (int file = 0; file < 4096; file++) close(file);
    open("/dev/null", O_RDWR);
    open("/dev/null", O_RDWR);
    open("/dev/null", O_RDWR);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    const char *way = arguments[1];
    long milliseconds = atol(arguments[2]);
    if (strcmp(way, "plain") == 0) {
        burn(milliseconds);
    } else if (strcmp(way, "threads") == 0) {
        pthread_t threads[3];
        for (int i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, burn_in_thread, &milliseconds);
        for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    } else if (strcmp(way, "daemon") == 0) {
        become_daemon();
        burn(milliseconds);
    } else if (strcmp(way, "fork") == 0) {
        /* Forks while the agent runs; parent and child both burn.  */
        burn(milliseconds);
        pid_t child = fork();
        burn(milliseconds);
        if (child == 0) exit(0);
        int status = 0;
        waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return 3;
    } else if (strcmp(way, "close") == 0) {
        /* Closes every descriptor while the agent runs, then uses many of its own.  */
        burn(milliseconds);
        for (int file = 3; file < 4096; file++) close(file);
        int pipes[64][2];
        for (int i = 0; i < 64; i++)
            if (pipe(pipes[i]) != 0 || write(pipes[i][1], "x", 1) != 1) return 4;
        burn(milliseconds);
        for (int i = 0; i < 64; i++) {
            char byte = 0;
            if (read(pipes[i][0], &byte, 1) != 1 || byte != 'x') return 5;
        }
    } else if (strcmp(way, "maps") == 0) {
        usleep((useconds_t)milliseconds * 1000);
        char line[512];
        FILE *maps = fopen("/proc/self/maps", "r");
        while (maps != NULL && fgets(line, sizeof line, maps) != NULL) fputs(line, stdout);
        FILE *status = fopen("/proc/self/status", "r");
        while (status != NULL && fgets(line, sizeof line, status) != NULL) fputs(line, stdout);
    }
    puts("done");
    return 0;
}
