/* SPDX-License-Identifier: MIT */
/* The controller's sweeps, in a thread of their own: reading what runs takes its time. */
#ifndef DEBAR_LOADER_SWEEPER_H
#define DEBAR_LOADER_SWEEPER_H

#include <stdbool.h>

#include "loader/sweep.h"

struct sweeper;

/* @options without tell: see sweeper_pass(). Its learn is called from the thread. */
int sweeper_start(struct sweeper **ret_sweeper, const struct sweep_options *options);

/* One more sweep, soon. @afresh: of a new policy, so that everything found is told again. */
void sweeper_ask(struct sweeper *sweeper, bool afresh);

/* Polls readable when there is something to pass on. */
int sweeper_fd(const struct sweeper *sweeper);

/* Hands what was found to @tell, in the caller's thread. */
void sweeper_pass(struct sweeper *sweeper, sweep_tell_fn *tell, void *ctx);

/* Ends the thread; what it hangs in, such as a server that is gone, is left behind. NULL is fine. */
void sweeper_stop(struct sweeper *sweeper);

#endif
