// SPDX-License-Identifier: Apache-2.0
// A small debugger in C, compiled by the tests: runs a program, stops at addresses, and reads its
// registers and memory for whoever asks.

/// A small debugger in C.
enum StopperSource {
    /// Called with an output file, a program and image addresses in hexadecimal.
    ///
    /// At each stop it prints `stop INDEX BIAS rax ... r15 rip xmm0low xmm0high ...` and then answers
    /// `r ADDRESS LENGTH` with bytes, or `!`, until it is told `c`.
    static let text = #"""
        #define _GNU_SOURCE
        #include <elf.h>
        #include <fcntl.h>
        #include <signal.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/personality.h>
        #include <sys/ptrace.h>
        #include <sys/uio.h>
        #include <sys/user.h>
        #include <sys/wait.h>
        #include <unistd.h>

        static uint64_t at[512];
        static int count;
        static uint64_t bias;
        static pid_t child;

        static uint64_t find_bias(const char *program) {
          char path[64];
          snprintf(path, sizeof path, "/proc/%d/auxv", child);
          int file = open(path, O_RDONLY);
          uint64_t pair[2], entry = 0;
          while (read(file, pair, sizeof pair) == sizeof pair)
            if (pair[0] == AT_ENTRY) entry = pair[1];
          close(file);
          Elf64_Ehdr header;
          file = open(program, O_RDONLY);
          if (read(file, &header, sizeof header) != sizeof header) exit(3);
          close(file);
          return entry - header.e_entry;
        }

        static void poke(pid_t thread, uint64_t address, int on, uint8_t *saved) {
          long word = ptrace(PTRACE_PEEKTEXT, thread, address, 0);
          if (on) {
            *saved = (uint8_t)word;
            word = (word & ~0xFFL) | 0xCC;
          } else {
            word = (word & ~0xFFL) | *saved;
          }
          ptrace(PTRACE_POKETEXT, thread, address, word);
        }

        static void answer(void) {
          char line[128];
          static uint8_t bytes[1 << 20];
          while (fgets(line, sizeof line, stdin) && line[0] == 'r') {
            uint64_t address, length;
            if (sscanf(line + 1, "%lx %lu", &address, &length) != 2 || length > sizeof bytes) exit(4);
            struct iovec local = {bytes, length}, remote = {(void *)address, length};
            if (length && process_vm_readv(child, &local, 1, &remote, 1, 0) != (ssize_t)length) {
              puts("!");
            } else {
              for (uint64_t i = 0; i < length; i++) printf("%02x", bytes[i]);
              puts("");
            }
            fflush(stdout);
          }
        }

        static void report(int index, pid_t thread, struct user_regs_struct *r) {
          struct user_fpregs_struct f;
          ptrace(PTRACE_GETFPREGS, thread, 0, &f);
          uint64_t g[17] = {r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp, r->r8,
                            r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip};
          printf("stop %d %lx", index, bias);
          for (int i = 0; i < 17; i++) printf(" %lx", g[i]);
          for (int i = 0; i < 16; i++) {
            uint64_t words[2];
            memcpy(words, (char *)f.xmm_space + 16 * i, 16);
            printf(" %lx %lx", words[0], words[1]);
          }
          puts("");
          fflush(stdout);
        }

        int main(int argc, char **argv) {
          for (int i = 3; i < argc && count < 512; i++) at[count++] = strtoull(argv[i], 0, 16);
          child = fork();
          if (child == 0) {
            int out = open(argv[1], O_CREAT | O_TRUNC | O_WRONLY, 0600);
            dup2(out, 1);
            personality(ADDR_NO_RANDOMIZE);
            ptrace(PTRACE_TRACEME, 0, 0, 0);
            execl(argv[2], argv[2], (char *)0);
            _exit(127);
          }
          alarm(110);
          int status;
          waitpid(child, &status, 0);
          ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE);
          bias = find_bias(argv[2]);
          uint8_t saved[512];
          for (int i = 0; i < count; i++) poke(child, at[i] + bias, 1, &saved[i]);
          ptrace(PTRACE_CONT, child, 0, 0);
          for (;;) {
            pid_t thread = waitpid(-1, &status, __WALL);
            if (thread < 0) return 0;
            if (WIFEXITED(status) || WIFSIGNALED(status)) {
              if (thread == child) return 0;
              continue;
            }
            int signal = WSTOPSIG(status);
            if (signal != SIGTRAP) {
              ptrace(PTRACE_CONT, thread, 0, signal == SIGSTOP ? 0 : signal);
              continue;
            }
            struct user_regs_struct registers;
            ptrace(PTRACE_GETREGS, thread, 0, &registers);
            int index = -1;
            for (int i = 0; i < count; i++)
              if (registers.rip - 1 == at[i] + bias) index = i;
            if (index >= 0 && status >> 16 == 0) {
              registers.rip -= 1;
              report(index, thread, &registers);
              answer();
              poke(thread, at[index] + bias, 0, &saved[index]);
              ptrace(PTRACE_SETREGS, thread, 0, &registers);
              ptrace(PTRACE_SINGLESTEP, thread, 0, 0);
              waitpid(thread, &status, __WALL);
              poke(thread, at[index] + bias, 1, &saved[index]);
            }
            ptrace(PTRACE_CONT, thread, 0, 0);
          }
        }
        """#
}
