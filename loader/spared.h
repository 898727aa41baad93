/* SPDX-License-Identifier: MIT */
/* The addresses this host cannot do without, which nobody may teach the kernel to refuse. */
#ifndef DEBAR_SPARED_H
#define DEBAR_SPARED_H

struct kernel;

/* Tells the kernel the addresses, gateways and resolvers this host has now. 0 or -errno. */
int spared_refresh(struct kernel *kernel);

#endif
