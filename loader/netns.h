/* SPDX-License-Identifier: MIT */
/* Sockets in the network namespace of another process. */
#ifndef DEBAR_NETNS_H
#define DEBAR_NETNS_H

#include <linux/types.h>

/*
 * As socket(2), close-on-exec, in the network namespace of @pid; 0, or a process that has ended: in
 * this one, where its socket may live on. The descriptor or -errno.
 */
int netns_socket(__u32 pid, int family, int type, int protocol);

#endif
