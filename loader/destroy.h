/* SPDX-License-Identifier: MIT */
/* Ends a TCP connection that the kernel refused, so that its program hears of it at once. */
#ifndef DEBAR_DESTROY_H
#define DEBAR_DESTROY_H

#include "bpf/abi_net.h"

/*
 * End the connection of an event with DEBAR_NETEV_REFUSED: its program gets ECONNABORTED. Looks in
 * the network namespace of the event's process, else in this one. -ENOENT: it has gone already;
 * -EOPNOTSUPP: the kernel has no SOCK_DESTROY, the user time-out set in net.bpf.c ends it.
 */
int destroy_socket(const struct debar_net_event *event);

#endif
