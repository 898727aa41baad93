// SPDX-License-Identifier: MIT
/* Reading back: what the kernel holds, what it counted, what it has to tell, and the canary. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/kernel.h"
#include "loader/kernel_internal.h"
#include "policy/cleanup.h"

int kernel_head(struct kernel *kernel, struct debar_head *ret_head)
{
	__u32 slot = kernel->state->generation & 1;

	if (bpf_map_lookup_elem(kernel_map(kernel, "debar_heads"), &slot, ret_head))
		return -errno;
	return 0;
}

int kernel_ban(struct kernel *kernel, unsigned int ban, struct debar_ban *ret_ban)
{
	__u32 key = (kernel->state->generation & 1) * DEBAR_BANS_MAX + ban;

	if (ban >= DEBAR_BANS_MAX)
		return -ENOENT;
	if (bpf_map_lookup_elem(kernel_map(kernel, "debar_bans"), &key, ret_ban))
		return -errno;
	return 0;
}

int kernel_counters(struct kernel *kernel, __u64 ret_counters[DEBAR_COUNTER_MAX])
{
	int cpus = libbpf_num_possible_cpus(), cpu, map = kernel_map(kernel, "debar_counters");
	cleanup(cleanup_free) __u64 *each = NULL;
	__u32 which;

	if (cpus < 0)
		return cpus;
	each = calloc(cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	for (which = 0; which < DEBAR_COUNTER_MAX; which++) {
		if (bpf_map_lookup_elem(map, &which, each))
			return -errno;
		ret_counters[which] = 0;
		for (cpu = 0; cpu < cpus; cpu++)
			ret_counters[which] += each[cpu];
	}
	return 0;
}

/* Summed over all CPUs when they are read: these stand in the place of the first one's. */
void kernel_counters_put(struct kernel *kernel, const __u64 counters[DEBAR_COUNTER_MAX])
{
	int cpus = libbpf_num_possible_cpus(), map = kernel_map(kernel, "debar_counters");
	cleanup(cleanup_free) __u64 *each = calloc(cpus > 0 ? cpus : 1, sizeof(*each));
	__u32 which;

	for (which = 0; each && which < DEBAR_COUNTER_MAX; which++) {
		each[0] = counters[which];
		bpf_map_update_elem(map, &which, each, BPF_ANY);
	}
}

/* What the kernel says a map takes, from the descriptor's fdinfo. */
static __u64 map_bytes(int fd)
{
	char path[64], line[128];
	cleanup(cleanup_file) FILE *file = NULL;
	unsigned long long bytes = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

/* Look-ups in an outer map give the inner map's id. */
int kernel_inner(const struct kernel *kernel, const char *name)
{
	__u32 slot = kernel->state->generation & 1, id;

	if (bpf_map_lookup_elem(kernel_map(kernel, name), &slot, &id))
		return -errno;
	return bpf_map_get_fd_by_id(id);
}

int kernel_memory(struct kernel *kernel, __u64 *ret_all, __u64 *ret_keys)
{
	cleanup(cleanup_fd) int keys = kernel_inner(kernel, "debar_keys");
	cleanup(cleanup_fd) int excepts = kernel_inner(kernel, "debar_excepts");
	__u64 all = 0;
	size_t i;

	for (i = 0; i < KERNEL_MAPS_MAX && kernel->maps[i] >= 0; i++)
		all += map_bytes(kernel->maps[i]);
	*ret_keys = keys >= 0 ? map_bytes(keys) : 0;
	*ret_all = all + *ret_keys + (excepts >= 0 ? map_bytes(excepts) : 0);
	return 0;
}

/* ---- events ------------------------------------------------------------------------------- */

static int pass_record(void *ctx, void *record, size_t size)
{
	struct kernel *kernel = ctx;

	return kernel->fn(kernel->ctx, record, size);
}

static int ring_open(struct kernel *kernel)
{
	if (!kernel->ring)
		kernel->ring = ring_buffer__new(kernel_map(kernel, "debar_ring"), pass_record,
						kernel, NULL);
	return kernel->ring ? 0 : -errno;
}

int kernel_events(struct kernel *kernel, int timeout_ms, kernel_record_fn *fn, void *ctx)
{
	int ret = ring_open(kernel), read;

	if (ret)
		return ret;
	kernel->fn = fn;
	kernel->ctx = ctx;
	read = ring_buffer__consume(kernel->ring);
	if (read || !timeout_ms)
		return read;
	return ring_buffer__poll(kernel->ring, timeout_ms);
}

int kernel_events_fd(struct kernel *kernel)
{
	int ret = ring_open(kernel);

	return ret ? ret : ring_buffer__epoll_fd(kernel->ring);
}

/* ---- the canary --------------------------------------------------------------------------- */

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* 6.3: without it vm.memfd_noexec=1 makes files that nobody can run */
#endif

/*
 * A file with the canary's content: in memory; where executable memory files are off, and in gate
 * mode, which does not see those, on disk.
 */
static int canary_file(const struct debar_head *head, bool gate)
{
	static const char *const dirs[] = { "/var/lib/debar", "/var/tmp", "/tmp" };
	cleanup(cleanup_fd) int fd = gate ? -1 :
					    memfd_create("debar-canary", MFD_CLOEXEC | MFD_EXEC);
	struct statvfs fs;

	if (fd < 0 && !gate && errno == EINVAL)
		fd = memfd_create("debar-canary", MFD_CLOEXEC);
	for (size_t i = 0; fd < 0 && i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (!statvfs(dirs[i], &fs) && !(fs.f_flag & ST_NOEXEC))
			fd = open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0700);
	if (fd < 0)
		return -errno;
	if (write(fd, head->canary, sizeof(head->canary)) != sizeof(head->canary))
		return -EIO;
	return take_fd(fd);
}

/* Returns how the exec failed. */
static int canary_exec(int fd)
{
	static char *const argv[] = { (char *)"debar-canary", NULL }, *const envp[] = { NULL };

	execveat(fd, "", argv, envp, AT_EMPTY_PATH);
	return errno;
}

/* The same of a child: in gate mode the controller does not ask itself. */
static int canary_child(int fd)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(canary_exec(fd));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* Its content is no program of any format, so that exec fails in any case: the question is how. */
int kernel_canary(struct kernel *kernel, struct kernel_error *reterr)
{
	bool gate = kernel_parts(kernel) & KERNEL_GATE;
	cleanup(cleanup_fd) int writable = -1, fd = -1;
	struct debar_head head;
	char path[64];

	if (!gate && !(kernel_parts(kernel) & KERNEL_FILES))
		return 0; /* nothing refuses a program then */
	if (kernel_head(kernel, &head))
		return kernel_fail(reterr, errno, NULL, "cannot read debar_heads: %m");
	writable = canary_file(&head, gate);
	if (writable < 0)
		return kernel_fail(reterr, -writable, NULL, "cannot write the canary: %s",
				   strerror(-writable));
	fchmod(writable, 0700);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", writable);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return kernel_fail(reterr, errno, NULL, "cannot open the canary: %m");
	close(take_fd(writable)); /* a file that is open for writing cannot be run */
	errno = gate ? canary_child(fd) : canary_exec(fd);
	if (errno == EPERM)
		return 0;
	if (errno == ENOEXEC)
		return kernel_fail(
			reterr, EKEYREJECTED,
			gate ? "run it where local file systems can be marked: on the "
			       "host, as root" :
			       "the programs are attached but do not run: is bpf in lsm=, and "
			       "kernel.ftrace_enabled 1?",
			"the canary ran: nothing is enforced");
	return kernel_fail(reterr, errno, NULL, "cannot try the canary: %m");
}
