/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts with rules of their own: filters of system calls, no new code, a debugger.  */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenarios.h"
#include "subject.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* A filter that kills whoever makes one of the calls that only patching makes: refused, and the
   program lives.  */
int scenario_filtered(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    struct sonde_patch_request request = request_at(code_red_zone(), code_red_zone().start);
    struct sonde_patch_outcome outcome;
    EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
           "no filter");
    EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_NO_BARRIER, "%s",
           sonde_patch_words(outcome.status));
    EXPECT(call_code(code_red_zone(), 5, 7) == 22 && changed_text_bytes() == 0, "changed");
    EXPECT(waitpid(-1, 0, WNOHANG) == -1, "a child is left");
    return 0;
}

/* A filter that allows all, and a process that may not make memory executable any more: works.  */
int scenario_hardened(void)
{
    struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
    struct sock_fprog program = { 1, code };
    struct sonde_patch_request request = request_at(code_red_zone(), code_red_zone().start);
    struct sonde_patch_outcome outcome;
    EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
           "no filter");
    if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0)
        puts("skipped: the kernel has no PR_SET_MDWE (Linux 6.3)");
    EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "%s",
           sonde_patch_words(outcome.status));
    EXPECT(call_code(code_red_zone(), 5, 7) == 22 && hit_count == 1, "%lu hits", hit_count);
    sonde_patch_remove(&request, 1);
    EXPECT(changed_text_bytes() == 0, "text differs");
    return 0;
}

/* A debugger would take SIGTRAP for its own: refused, with its process.  */
int scenario_traced(void)
{
    int ready[2], status = 0;
    EXPECT(pipe(ready) == 0, "no pipe");
    pid_t child = fork();
    if (child == 0) {
        char byte;
        struct sonde_patch_request request = request_at(code_red_zone(), code_red_zone().start);
        struct sonde_patch_outcome outcome;
        if (read(ready[0], &byte, 1) != 1)
            _exit(1);
        if (sonde_patch_install(&request, 1, &outcome) != SONDE_PATCH_TRACED)
            _exit(2);
        _exit(outcome.detail == (uint64_t)getppid() ? 0 : 3);
    }
    EXPECT(ptrace(PTRACE_SEIZE, child, 0, 0) == 0, "cannot trace");
    EXPECT(write(ready[1], "x", 1) == 1, "pipe");
    while (waitpid(child, &status, 0) == child && !WIFEXITED(status) && !WIFSIGNALED(status))
        ptrace(PTRACE_CONT, child, 0, WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
    return 0;
}
