/* SPDX-License-Identifier: MIT */
/* How `debar reload` asks the running controller: one request, one answer, over a Unix socket. */
#ifndef DEBAR_CONTROL_H
#define DEBAR_CONTROL_H

#include <stdbool.h>

struct control_request {
	bool force; /* reload although the policy shrank */
};

/* The controller's end: a listening descriptor, or -errno. */
int control_listen(void);

/* The next client and what it asks; -errno when it asked nothing sensible. Root only. */
int control_accept(int listener, struct control_request *ret_request);

/* Tells the client how it went: 0 or -errno. */
void control_answer(int client, int result);

/* The client's end: asks and waits. Returns the answer, or -errno when nobody answered. */
int control_ask(const struct control_request *request);

#endif
