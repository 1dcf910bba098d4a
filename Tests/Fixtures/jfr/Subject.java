// SPDX-License-Identifier: Apache-2.0
// The subject of the recording: burns CPU, allocates, contends for a monitor and parks.

import java.util.concurrent.locks.LockSupport;

class Subject {
    static final Object lock = new Object();
    static volatile Object sink;
    static volatile long sum;

    static void burn() {
        for (long i = 0; i < 2_000_000; i++) sum += i * i ^ sum >> 3;
    }

    static void allocate() {
        for (int i = 0; i < 200; i++) sink = new byte[10_000];
    }

    static void contend() {
        synchronized (lock) {
            burn();
        }
    }

    static void recurse(int depth) {
        if (depth > 0) recurse(depth - 1);
        else burn();
    }

    public static void main(String[] arguments) throws Exception {
        long end = System.nanoTime() + 1_500_000_000L;
        Runnable work = () -> {
            while (System.nanoTime() < end) {
                contend();
                allocate();
                recurse(5);
            }
        };
        Thread[] threads = {new Thread(work, "worker-ä"), new Thread(work, "工人")};
        for (Thread thread : threads) thread.start();
        for (int i = 0; i < 20; i++) LockSupport.parkNanos(30_000_000L);
        for (Thread thread : threads) thread.join();
    }
}
