/* SPDX-License-Identifier: MIT */
/*
 * Those who wait: every fanotify permission event becomes a waiter, is answered by a worker, and is
 * let go within a bound whatever happens to the worker. One thread reads the events and keeps the
 * time; it opens no file and takes no lock that anybody holds for long. What is answered, the owner
 * says: the hold of kernel mode and gate mode do.
 */
#ifndef DEBAR_WAITERS_H
#define DEBAR_WAITERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct kernel;
struct waiters;
struct watchdog;

struct waiter {
	struct waiter *next;
	int fd;	       /* the file, as fanotify opened it; closed when it is done with */
	pid_t pid;     /* who waits */
	uint64_t mask; /* FAN_OPEN_EXEC_PERM or FAN_OPEN_PERM */
	int64_t since; /* monotonic clock: a machine that sleeps lets nobody wait */
	bool taken;    /* a worker is at it */
	bool answered; /* it was let go; read and written under the lock */
};

struct waiters_owner {
	void *ctx;
	uint64_t mask;	 /* the events that are asked for; FAN_CLOSE_WRITE ends ignore marks */
	int64_t limit;	 /* longest wait, nanoseconds */
	bool everywhere; /* nobody else tells of mounts in other namespaces: look for them */
	/* By a worker: true lets the act go on, false refuses it. */
	bool (*answer)(void *ctx, struct waiter *waiter);
	/* Under the lock, by the thread that keeps the time: @waiter goes now. True: it may. */
	bool (*late)(void *ctx, struct waiter *waiter);
	/* By a worker, after the answer and before the file is closed; or NULL. */
	void (*after)(void *ctx, struct waiter *waiter);
};

/*
 * Starts the threads, then marks the super blocks of local file systems, and of those mounted later.
 * @kernel has the heartbeat; @watchdog is beaten from now on. Everything is borrowed.
 */
int waiters_start(struct waiters **ret_waiters, const struct waiters_owner *owner,
		  struct kernel *kernel, struct watchdog *watchdog);

/* Lets everybody go and ends the threads. NULL is fine. */
void waiters_stop(struct waiters *waiters);

/* The lock of waiter->answered. Not for long: nobody is let go meanwhile. */
void waiters_lock(struct waiters *waiters);
void waiters_unlock(struct waiters *waiters);

/*
 * Ask no more about this inode, for the events of @mask, until somebody writes to it. A store
 * through a mapping leaves such a mark where it is.
 */
void waiters_ignore(struct waiters *waiters, int fd, uint64_t mask);
void waiters_unignore(struct waiters *waiters, int fd);

/* Ask about every file again. */
void waiters_unignore_all(struct waiters *waiters);

/* Mark the super block of the file behind @fd: one that only another mount namespace has. */
void waiters_mark(struct waiters *waiters, int fd);

#endif
