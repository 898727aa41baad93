/* SPDX-License-Identifier: MIT */
/* The network's half of a generation: names, networks, and what the programs counted. */
#ifndef DEBAR_KERNEL_NET_H
#define DEBAR_KERNEL_NET_H

#include "loader/kernel.h"

/* Fill @slot with the names and networks of @policy; kernel_publish() calls this. */
int kernel_net_fill(struct kernel *kernel, __u32 slot, const struct kernel_policy *policy,
		    struct kernel_error *reterr);

/* Let go of what @slot holds. */
void kernel_net_empty(struct kernel *kernel, __u32 slot);

/*
 * From now on these addresses, and no others, are never learnt. What is above DEBAR_SPARED_MAX is
 * left out. 0 or -errno; 0 also where no programs of the network are loaded.
 */
int kernel_net_spare(struct kernel *kernel, const struct debar_address *addresses, size_t count);

#endif
