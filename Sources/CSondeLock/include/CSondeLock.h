/* SPDX-License-Identifier: Apache-2.0 */
/* The gate between our threads' work and the program's forks. Ordinary context throughout.  */
#pragma once

/* The most milliseconds that a fork waits for our threads, and the most that it waits when another
   one did so in vain within the last ten seconds.  */
#define SONDE_FORK_PATIENCE_MS 100
#define SONDE_FORK_SHORT_PATIENCE_MS 2

/* Begins work of the calling thread, into which no fork of another thread shall come; waits while
   one is under way. May be nested. The first call registers the gate with pthread_atfork.  */
void sonde_fork_gate_enter(void);

/* Ends what the last sonde_fork_gate_enter of this thread began.  */
void sonde_fork_gate_leave(void);

/* Lets forks in, for the time of a wait in the middle of work. Returns what
   sonde_fork_gate_resume wants: how deep the work was nested, 0 outside of any.  */
int sonde_fork_gate_pause(void);
void sonde_fork_gate_resume(int depth);
