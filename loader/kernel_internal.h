/* SPDX-License-Identifier: MIT */
/* What the kernel*.c files share: the object itself. Nobody else includes this. */
#ifndef DEBAR_KERNEL_INTERNAL_H
#define DEBAR_KERNEL_INTERNAL_H

#include <dirent.h>

#include "loader/kernel.h"

#define KERNEL_MAPS_MAX 48
#define KERNEL_LINKS_MAX 64

/* Room in the table of keys for certificates that are first seen while a generation is in force. */
#define KERNEL_KEYS_SPARE 256

struct bpf_link;
struct bpf_program;
struct debar_bpf;

struct kernel {
	struct debar_bpf *skel; /* NULL when opened from pins */
	struct ring_buffer *ring;
	struct debar_state *state; /* mapped */
	int maps[KERNEL_MAPS_MAX]; /* descriptors, -1 after the last */
	char map_names[KERNEL_MAPS_MAX][16];
	struct bpf_link *links[KERNEL_LINKS_MAX]; /* NULL after the last, and when from pins */
	char link_names[KERNEL_LINKS_MAX][16];
	kernel_record_fn *fn;
	void *ctx;
};

/* Fills @reterr, returns -@error. */
int kernel_fail(struct kernel_error *reterr, int error, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Of @skel, not loaded yet, the programs and maps of @parts, as far as this kernel has their hooks. */
void kernel_choose(struct debar_bpf *skel, unsigned int parts);

/* NULL and errno: it cannot be attached. @cgroup: for programs of the network. */
struct bpf_link *kernel_attach_one(struct bpf_program *prog, int cgroup);

/* Descriptor of the map with that name, -1: there is none. Belongs to @kernel. */
int kernel_map(const struct kernel *kernel, const char *name);

/* A descriptor of the inner map in force of an outer one, the caller's; or -errno. */
int kernel_inner(const struct kernel *kernel, const char *name);

struct policy_tables;

struct kernel_carried_key {
	struct debar_key key;
	struct debar_match match;
};

/* Keys of certificates that go over to the next generation, see kernel_carry.c. */
struct kernel_carried {
	size_t count;
	struct kernel_carried_key *list;
};

int kernel_carry_read(struct kernel *kernel, const struct policy_tables *tables,
		      struct kernel_carried *ret_carried);
int kernel_carry_write(int map, const struct kernel_carried *carried);
void kernel_carried_release(struct kernel_carried *carried);

static inline void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#endif
