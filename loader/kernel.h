/* SPDX-License-Identifier: MIT */
/*
 * The kernel as the controller sees it: load the programs, publish a policy, attach, pin, find all
 * that again, read it back. kernel*.c are the only files that know libbpf. Nothing here prints: a
 * failure comes with words of its own and a hint at the remedy.
 */
#ifndef DEBAR_KERNEL_H
#define DEBAR_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi_net.h"

struct kernel;
struct policy_tables;

#define KERNEL_PIN_DIR "/sys/fs/bpf/debar"

struct kernel_error {
	char text[256]; /* what failed, and on what */
	char hint[512]; /* what the user can do; empty: nothing known */
};

/* What this kernel and this boot offer. */
struct kernel_offer {
	bool btf;	/* /sys/kernel/btf/vmlinux is there */
	bool bpffs;	/* /sys/fs/bpf is a bpf file system */
	bool lsm_known; /* the list of LSMs could be read */
	bool lsm_bpf;	/* and names bpf */
	bool ima;	/* an IMA policy is loaded: digests may be stale */
	char lsm[256];	/* the list */
};

/* Looks, without loading anything. */
void kernel_probe(struct kernel_offer *ret_offer);

/* True when a set of programs is pinned, of any version. */
bool kernel_pinned(void);

/* Halves of the programs: a policy that has no names and networks needs no look at packets. */
enum kernel_part {
	KERNEL_FILES = 1 << 0,	 /* LSM hooks */
	KERNEL_NETWORK = 1 << 1, /* cgroup hooks */
	KERNEL_GUARD = 1 << 2,	 /* what keeps others off the objects of all of them */
	KERNEL_GATE = 1 << 3,	 /* no programs: files are judged by the controller, see gate.h */
	KERNEL_ALL = KERNEL_FILES | KERNEL_NETWORK | KERNEL_GUARD,
};

/*
 * Load the programs of @parts (enum kernel_part); nothing is attached. Owned by the caller until
 * kernel_free(), which leaves what is pinned in force and drops what is not.
 */
int kernel_load(struct kernel **ret_kernel, unsigned int parts, struct kernel_error *reterr);

/* Which parts are loaded, or were pinned. */
unsigned int kernel_parts(struct kernel *kernel);

/* Open what is pinned. -ENOENT: nothing is. -EPROTO: pinned by another ABI. */
int kernel_open(struct kernel **ret_kernel, struct kernel_error *reterr);

void kernel_free(struct kernel *kernel);

/* What a generation is published with. */
struct kernel_policy {
	const struct policy_tables *tables;
	__u32 mode;	    /* enum debar_mode */
	__s64 deny_until;   /* boot clock nanoseconds, 0: no end */
	__u64 scope;	    /* cgroup id, 0: everywhere */
	const __u16 *ports; /* of DNS, besides 53 and 5353; at most DEBAR_DNS_PORTS_EXTRA */
	size_t port_count;
};

/*
 * Fill the idle slot and publish it as the next generation, in force when this returns. On failure
 * what was in force stays. Only one process at a time may call this (see lock.h).
 */
int kernel_publish(struct kernel *kernel, const struct kernel_policy *policy,
		   struct kernel_error *reterr);

/* Add the keys of certificates seen just now to the generation in force. -E2BIG: no more room. */
int kernel_add_keys(struct kernel *kernel, const struct policy_tables *tables);

/* ---- the hold ------------------------------------------------------------------------------ */

/* What the kernel remembers of the file behind @fd. -ENOENT: nothing, nobody waits for an answer. */
int kernel_file(struct kernel *kernel, int fd, struct debar_file *ret_file);

/* The keys of this content. -ENOENT: not known. */
int kernel_content_get(struct kernel *kernel, const struct debar_digest *digest,
		       struct debar_file_keys *ret_keys);

/* What was found for a cookie; NULL: it could not be said in time. */
int kernel_answer(struct kernel *kernel, __u64 cookie, const struct debar_answer *answer);

/* Does a rule of the generation in force name this key? */
bool kernel_has_key(struct kernel *kernel, const struct debar_key *key);

/* The keys of a content whose bytes the controller hashed itself. */
int kernel_content(struct kernel *kernel, const __u8 digest[32],
		   const struct debar_file_keys *keys);

/* ---- what the policy in force says ---------------------------------------------------------- */

#define KERNEL_CGROUPS_MAX 32

/* Who acts, as far as exceptions and --cgroup ask. */
struct kernel_task {
	__u32 uid; /* real, in the initial user namespace */
	size_t cgroup_count;
	__u64 cgroups[KERNEL_CGROUPS_MAX]; /* ids: its own and those it is in */
};

struct kernel_verdict {
	enum debar_action action; /* under the mode; OFF: nothing names it, or lets it pass */
	bool kill;		  /* a ban that denies it says on_running: kill */
	struct debar_key key;	  /* that matched */
	struct debar_match match;
	__u32 generation;
};

/*
 * What the hooks would say of a file with these keys, the digest first, run by @task. -EAGAIN: a new
 * policy came in between.
 */
int kernel_judge(struct kernel *kernel, const struct debar_key *keys, size_t count,
		 const struct kernel_task *task, struct kernel_verdict *ret_verdict);

/* How many phases of its bans have begun: more of them later, and it says something else. */
unsigned int kernel_phases_begun(struct kernel *kernel);

/* Does any rule of the generation in force name one of these keys? */
bool kernel_has_keys(struct kernel *kernel, const struct debar_key *keys, size_t count);

/* What is never refused but by a rule of its own sha256. -E2BIG: no more room. */
int kernel_never_add(struct kernel *kernel, const __u8 digest[32]);
bool kernel_never_has(struct kernel *kernel, const __u8 digest[32]);
size_t kernel_never_count(struct kernel *kernel);

/* Every content is unknown again. */
void kernel_contents_forget(struct kernel *kernel);

/* Gate mode: what the controller counted, in the place of the programs. */
void kernel_counters_put(struct kernel *kernel, const __u64 counters[DEBAR_COUNTER_MAX]);

/* Attach every program that was loaded. @cgroup: descriptor of the cgroup for network programs. */
int kernel_attach(struct kernel *kernel, int cgroup, struct kernel_error *reterr);

/*
 * One part more for what is pinned: its programs are loaded, attached and pinned, on the same maps;
 * the generation in force has nothing for them yet. After a failure nothing has changed.
 */
int kernel_add(struct kernel *kernel, unsigned int part, int cgroup, struct kernel_error *reterr);

/* Pin everything, in the place of an older set if there is one. */
int kernel_pin(struct kernel *kernel, struct kernel_error *reterr);

/*
 * From now on nobody but this program, by its digest, gets at what was pinned; there is no way back
 * but a reboot. After kernel_pin(), of a kernel that was loaded with KERNEL_GUARD.
 */
struct kernel_guard {
	__u32 switches;			    /* enum debar_guard_switch */
	const struct debar_digest *anchors; /* sha256 of the certificates that vouch, from now on */
	size_t anchor_count;
};

int kernel_guard(struct kernel *kernel, const struct kernel_guard *with,
		 struct kernel_error *reterr);

/* Is it armed? @ret_switches: enum debar_guard_switch, or NULL. */
bool kernel_guarded(struct kernel *kernel, __u32 *ret_switches);

/* How much is known to be debar's. */
size_t kernel_guard_owned(struct kernel *kernel);

/* Adds to what it refuses; nothing takes from it. */
int kernel_guard_switch(struct kernel *kernel, __u32 switches);

/* The certificates it was armed with. How many, -E2BIG when there are more. */
int kernel_guard_anchors(struct kernel *kernel, struct debar_digest *ret_anchors, size_t max);

/* Admits another version of the controller, or a library, by what somebody vouches for. */
int kernel_guard_admit(struct kernel *kernel, const struct debar_digest *digest, const char *path,
		       bool program);

/* Forgets the numbers of maps that are gone. After each publication. */
void kernel_guard_forget(struct kernel *kernel);

/* Take every pin away; enforcement ends with the last descriptor. -ENOENT: nothing was pinned. */
int kernel_unpin(struct kernel_error *reterr);

/*
 * Try whether the programs really run: exec the canary, a content that every generation refuses.
 * 0: refused as it must be. -EKEYREJECTED: it got through, nothing is enforced.
 */
int kernel_canary(struct kernel *kernel, struct kernel_error *reterr);

/* The state, mapped: words may be read and stored while hooks read them. */
struct debar_state *kernel_state(struct kernel *kernel);

/* The head of the generation in force. */
int kernel_head(struct kernel *kernel, struct debar_head *ret_head);

/* Ban @ban of the generation in force, as the kernel has it. */
int kernel_ban(struct kernel *kernel, unsigned int ban, struct debar_ban *ret_ban);

/* Sum over all CPUs. */
int kernel_counters(struct kernel *kernel, __u64 ret_counters[DEBAR_COUNTER_MAX]);

/* The same of the network's programs. */
int kernel_net_counters(struct kernel *kernel, __u64 ret_counters[DEBAR_NET_COUNTER_MAX]);

/* Bytes of kernel memory of all maps, and of the keys of the generation in force alone. */
int kernel_memory(struct kernel *kernel, __u64 *ret_all, __u64 *ret_keys);

/* Names of the programs that are attached, one a call, in order; NULL: no more. */
const char *kernel_hook(struct kernel *kernel, size_t i);

/* Called for every record; a negative return ends the reading. */
typedef int kernel_record_fn(void *ctx, const void *record, size_t size);

/*
 * Hand every record that is in the ring to @fn; waits up to @timeout_ms for the first (0: do not
 * wait, -1: for ever). Returns the number of records or -errno. One reader at a time.
 */
int kernel_events(struct kernel *kernel, int timeout_ms, kernel_record_fn *fn, void *ctx);

/* A descriptor that polls readable when records wait. Belongs to @kernel. */
int kernel_events_fd(struct kernel *kernel);

static inline void kernel_freep(struct kernel **kernel)
{
	kernel_free(*kernel);
}

#endif
