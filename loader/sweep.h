/* SPDX-License-Identifier: MIT */
/*
 * The sweep: what runs, or is mapped, although the policy bans it, because it was there first or was
 * recognised late. It is told, and ended where a ban says on_running: kill. No hook waits on it.
 */
#ifndef DEBAR_LOADER_SWEEP_H
#define DEBAR_LOADER_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/abi.h"

struct identity;
struct kernel;
struct sweep;

/* How it is told; also of a process that was ended. */
typedef void sweep_tell_fn(void *ctx, const struct debar_event *event);

/*
 * Who knows more than a digest. @identity, which may be NULL, is taken over: its certificates are
 * judged, and rules by certificate become keys in force. *ret_place: the path or package of the file
 * that a rule names, or kind NONE.
 */
typedef void sweep_learn_fn(void *ctx, int fd, struct identity *identity,
			    struct debar_key *ret_place);

struct sweep_options {
	struct kernel *kernel;
	sweep_learn_fn *learn; /* NULL: only what the table of keys has already */
	void *learn_ctx;
	sweep_tell_fn *tell;
	void *tell_ctx;
};

/* What one sweep came to. */
struct sweep_tally {
	unsigned int processes, files,
		read;	     /* of the files: read, because nobody knew the digest */
	unsigned int unread; /* files that could not be read, or are too large */
	unsigned int found, killed;
	unsigned int spared; /* to be killed, but what the machine cannot do without, or us */
	unsigned int over;   /* to be killed, but too many were in this minute */
};

/* Where the tally of the last one is kept, for status. */
#define SWEEP_FILE "/run/debar/sweep.json"

int sweep_new(struct sweep **ret_sweep, const struct sweep_options *options);
void sweep_free(struct sweep *sweep);

/* Forgets what was told: the next sweep tells it again. */
void sweep_afresh(struct sweep *sweep);

/*
 * Once through all processes. *@stop, if not NULL, ends it early. What was told by an earlier one is
 * told again only after sweep_afresh(). -EAGAIN: a new policy came in between, and the sweep that it
 * asks for will be whole. -ECANCELED: it was stopped.
 */
int sweep_through(struct sweep *sweep, const bool *stop, struct sweep_tally *ret_tally);

/* Keeps the tally for status, and warns of what was to be killed and was not. */
void sweep_conclude(const struct sweep *sweep, const struct sweep_tally *tally);

#endif
