/* SPDX-License-Identifier: MIT */
/* Says no to who asked for a banned name, so that nobody waits for an answer that cannot come. */
#ifndef DEBAR_ANSWER_H
#define DEBAR_ANSWER_H

#include <stddef.h>

#include "bpf/abi_net.h"

#define ANSWER_MAX 512

/*
 * What the asker of an event with DEBAR_NETEV_ANSWER gets to read: NXDOMAIN, with the extended error
 * "Blocked" where the query can have one. Bytes of it, 0 when the event has no name of a question.
 */
size_t answer_make(const struct debar_net_event *event, __u8 message[ANSWER_MAX]);

/*
 * Send it as the server would have, to the asking socket and only if that still waits. 0 or -errno;
 * -ENOENT: it does not, or this kernel cannot say.
 */
int answer_question(const struct debar_net_event *event);

#endif
