/* SPDX-License-Identifier: MIT */
/* The network's half of a generation: names, networks, and what the programs counted. */
#ifndef DEBAR_KERNEL_NET_H
#define DEBAR_KERNEL_NET_H

#include "loader/kernel.h"

/* Fill @slot with the names and networks of @tables; kernel_publish() calls this. */
int kernel_net_fill(struct kernel *kernel, __u32 slot, const struct policy_tables *tables,
		    struct kernel_error *reterr);

/* Let go of what @slot holds. */
void kernel_net_empty(struct kernel *kernel, __u32 slot);

/* Sum over all CPUs. */
int kernel_net_counters(struct kernel *kernel, __u64 ret_counters[DEBAR_NET_COUNTER_MAX]);

#endif
