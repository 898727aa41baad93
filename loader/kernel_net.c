// SPDX-License-Identifier: MIT
/*
 * Names and networks into the slot of a generation. The inner maps are made for the policy's size;
 * arrays are filled in batches, because a million names are 60 MB and two hundred system calls.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/kernel_internal.h"
#include "loader/kernel_net.h"
#include "policy/cleanup.h"
#include "policy/names.h"
#include "policy/policy.h"

#define BATCH 16384u

static void names_freep(struct names_tables **names)
{
	names_free(*names);
}

static int hang(struct kernel *kernel, const char *name, __u32 slot, int fd,
		struct kernel_error *reterr)
{
	if (bpf_map_update_elem(kernel_map(kernel, name), &slot, &fd, BPF_ANY))
		return kernel_fail(reterr, errno, NULL, "cannot place %s: %m", name);
	return 0;
}

static int fill_array(int fd, const void *values, size_t value_size, size_t total)
{
	__u32 keys[BATCH];

	for (size_t done = 0; done < total;) {
		__u32 n = total - done < BATCH ? total - done : BATCH;

		for (__u32 i = 0; i < n; i++)
			keys[i] = done + i;
		if (bpf_map_update_batch(fd, keys, (const char *)values + done * value_size, &n,
					 NULL))
			return -errno;
		done += n;
	}
	return 0;
}

/* An array of its size into @slot of the outer map; an empty one has an element all the same. */
static int hang_array(struct kernel *kernel, const char *name, __u32 slot, const void *values,
		      size_t value_size, size_t count, struct kernel_error *reterr)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	cleanup(cleanup_fd) int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32),
						    value_size, count ? count : 1, &opts);
	int ret;

	if (fd < 0)
		return kernel_fail(reterr, errno,
				   "the machine has too little memory for this policy",
				   "cannot create %s for %zu entries: %m", name, count);
	ret = fill_array(fd, values, value_size, count);
	if (ret)
		return kernel_fail(reterr, -ret, NULL, "cannot fill %s: %s", name, strerror(-ret));
	return hang(kernel, name, slot, fd, reterr);
}

static int hang_networks(struct kernel *kernel, __u32 slot, const struct names_tables *names,
			 struct kernel_error *reterr)
{
	static const char name[] = "debar_networks";
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	size_t count = names->network_count;
	cleanup(cleanup_fd) int fd =
		bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, name, sizeof(struct debar_network_key),
			       sizeof(struct debar_network), count ? count : 1, &opts);

	if (fd < 0)
		return kernel_fail(reterr, errno,
				   "the machine has too little memory for this policy",
				   "cannot create %s for %zu entries: %m", name, count);
	for (size_t done = 0; done < count;) {
		__u32 n = count - done < BATCH ? count - done : BATCH;

		if (bpf_map_update_batch(fd, names->network_keys + done, names->networks + done, &n,
					 NULL))
			return kernel_fail(reterr, errno, NULL, "cannot fill %s: %m", name);
		done += n;
	}
	return hang(kernel, name, slot, fd, reterr);
}

/* The tree of networks, by a thread of its own: the kernel takes a microsecond for each of them. */
struct networks {
	struct kernel *kernel;
	const struct names_tables *names;
	struct kernel_error error;
	__u32 slot;
	int ret;
};

static void *networks_run(void *of)
{
	struct networks *networks = of;

	networks->ret =
		hang_networks(networks->kernel, networks->slot, networks->names, &networks->error);
	return NULL;
}

static int hang_names(struct kernel *kernel, __u32 slot, const struct names_tables *names,
		      struct kernel_error *reterr)
{
	int ret = hang_array(kernel, "debar_buckets", slot, names->buckets, sizeof(*names->buckets),
			     names->bucket_count, reterr);

	if (!ret)
		ret = hang_array(kernel, "debar_pool", slot, names->chunks, sizeof(*names->chunks),
				 names->chunk_count, reterr);
	if (!ret)
		ret = hang_array(kernel, "debar_netrules", slot, names->rules,
				 sizeof(*names->rules), names->rule_count, reterr);
	return ret;
}

static void add_ports(struct debar_net_head *head, const struct kernel_policy *policy)
{
	for (size_t i = 0; i < policy->port_count && head->port_count < DEBAR_DNS_PORTS_MAX; i++)
		head->ports[head->port_count++] = policy->ports[i];
}

int kernel_net_fill(struct kernel *kernel, __u32 slot, const struct kernel_policy *policy,
		    struct kernel_error *reterr)
{
	cleanup(names_freep) struct names_tables *names = NULL;
	struct networks networks;
	pthread_t thread;
	__u8 seed[16];
	bool apart;
	int ret;

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return kernel_fail(reterr, EIO, NULL, "cannot get randomness: %m");
	ret = names_build(policy->tables, seed, &names);
	if (ret)
		return kernel_fail(reterr, -ret,
				   ret == -E2BIG ? "one name or network is in too many rules" :
						   NULL,
				   "cannot build the table of names: %s", strerror(-ret));
	add_ports(&names->head, policy);
	networks = (struct networks){ .kernel = kernel, .names = names, .slot = slot };
	apart = names->network_count > BATCH &&
		!pthread_create(&thread, NULL, networks_run, &networks);
	ret = hang_names(kernel, slot, names, reterr);
	if (apart)
		pthread_join(thread, NULL);
	else if (!ret)
		networks_run(&networks);
	if (!ret && networks.ret) {
		*reterr = networks.error;
		ret = networks.ret;
	}
	if (ret)
		return ret;
	if (bpf_map_update_elem(kernel_map(kernel, "debar_nethead"), &slot, &names->head, BPF_ANY))
		return kernel_fail(reterr, errno, NULL, "cannot fill debar_nethead: %m");
	return 0;
}

void kernel_net_empty(struct kernel *kernel, __u32 slot)
{
	static const char *const tables[] = { "debar_buckets", "debar_pool", "debar_netrules",
					      "debar_networks" };

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		bpf_map_delete_elem(kernel_map(kernel, tables[i]), &slot);
}

/* Those of this time have its number; the others go. */
int kernel_net_spare(struct kernel *kernel, const struct debar_address *addresses, size_t count)
{
	int fd = kernel_map(kernel, "debar_spared");
	struct debar_address at, next;
	__u32 before = 0, now, seen;
	bool more;

	if (fd < 0)
		return 0;
	if (!bpf_map_get_next_key(fd, NULL, &at))
		(void)bpf_map_lookup_elem(fd, &at, &before);
	now = before + 1;
	for (size_t i = 0; i < count; i++)
		if (bpf_map_update_elem(fd, &addresses[i], &now, BPF_ANY) && errno != E2BIG)
			return -errno;
	for (more = !bpf_map_get_next_key(fd, NULL, &at); more; at = next) {
		more = !bpf_map_get_next_key(fd, &at, &next);
		if (!bpf_map_lookup_elem(fd, &at, &seen) && seen != now)
			(void)bpf_map_delete_elem(fd, &at);
	}
	return 0;
}

int kernel_net_counters(struct kernel *kernel, __u64 ret_counters[DEBAR_NET_COUNTER_MAX])
{
	int cpus = libbpf_num_possible_cpus(), fd = kernel_map(kernel, "debar_netcount");
	cleanup(cleanup_free) __u64 *each = calloc(cpus > 0 ? cpus : 1, sizeof(*each));

	if (!each || cpus < 0)
		return -ENOMEM;
	for (__u32 i = 0; i < DEBAR_NET_COUNTER_MAX; i++) {
		if (bpf_map_lookup_elem(fd, &i, each))
			return -errno;
		ret_counters[i] = 0;
		for (int cpu = 0; cpu < cpus; cpu++)
			ret_counters[i] += each[cpu];
	}
	return 0;
}
