/* SPDX-License-Identifier: MIT */
/* --guard on the controller's side: when it may be armed, whom it admits, what it does not allow. */
#ifndef DEBAR_GUARD_H
#define DEBAR_GUARD_H

#include "loader/enforce.h"

struct kernel;
struct kernel_error;

/*
 * Other versions of debar and of its libraries that an anchor vouches for: lines of sha256sum, the
 * signature beside it; see debar(8).
 */
#define GUARD_ADMIT "/etc/debar/admit"

/* "modules,kexec" -> enum debar_guard_switch. 0, or -EINVAL after a message. */
int guard_read_switches(const char *list, unsigned int *ret_switches);

/* The @nth of the switches in @set, as a word of that list; NULL: there are no more. */
const char *guard_switch_name(unsigned int set, size_t nth);

/* 0, or negative after a message: may the guard be armed with these options on this machine? */
int guard_check(const struct enforce_options *options);

/* Arms @kernel, which has just been pinned. */
int guard_arm(struct kernel *kernel, const struct enforce_options *options,
	      struct kernel_error *reterr);

/* Before policies are read: where the guard is armed, who vouches for them is as it was then. */
int guard_follow(void);

/* -EPERM after a message where the guard is armed and @options would loosen what is in force. */
int guard_refuse_looser(struct kernel *kernel, const struct enforce_options *options);

/* After a publication on a kernel that may be guarded: admits who is to be, forgets what is gone. */
void guard_refresh(struct kernel *kernel, const struct enforce_options *options);

#endif
