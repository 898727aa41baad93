// SPDX-License-Identifier: MIT
/*
 * Writes into the state in force, as only a test may: through the pinned maps.
 *
 *   state stale 1      writers do not end what is remembered of a file (the control arm)
 *   state abi 99       what is pinned was left by another version
 *   state silent N     nobody has heard of the controller for N seconds
 *   state flood N      N contents that nobody has are seen
 *   state seen FILE    prints the number under which its content is remembered, another at each hash;
 *                      0: not remembered
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bpf/abi.h"

#define PIN "/sys/fs/bpf/debar/debar_state"
#define CONTENTS "/sys/fs/bpf/debar/debar_contents"
#define FILES "/sys/fs/bpf/debar/debar_files"

static int open_map(const char *pin)
{
	union bpf_attr attr = { .pathname = (__u64)pin };

	return syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
}

static int flood(unsigned long n)
{
	struct debar_file_keys keys = {};
	struct debar_digest digest = { "flood" };
	union bpf_attr attr = { .map_fd = open_map(CONTENTS),
				.key = (__u64)&digest,
				.value = (__u64)&keys };

	for (; n; n--) {
		memcpy(digest.bytes + 8, &n, sizeof(n));
		if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr))) {
			perror(CONTENTS);
			return 1;
		}
	}
	return 0;
}

static __s64 now(void)
{
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	return boot.tv_sec * 1000000000LL + boot.tv_nsec;
}

static int seen(const char *path)
{
	struct debar_file file = {};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	union bpf_attr attr = { .map_fd = open_map(FILES),
				.key = (__u64)&fd,
				.value = (__u64)&file };

	if (syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) ||
	    file.state != DEBAR_FILE_KNOWN)
		file.cookie = 0;
	printf("%llu\n", file.cookie);
	return 0;
}

int main(int argc, char **argv)
{
	int fd = open_map(PIN);
	struct debar_state *state =
		mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd < 0 || state == MAP_FAILED) {
		perror(PIN);
		return 1;
	}
	if (argc == 3 && !strcmp(argv[1], "stale"))
		state->stale = strtoul(argv[2], NULL, 0);
	else if (argc == 3 && !strcmp(argv[1], "abi"))
		state->abi = strtoul(argv[2], NULL, 0);
	else if (argc == 3 && !strcmp(argv[1], "silent"))
		state->heartbeat = now() - strtol(argv[2], NULL, 0) * 1000000000LL;
	else if (argc == 3 && !strcmp(argv[1], "flood"))
		return flood(strtoul(argv[2], NULL, 0));
	else if (argc == 3 && !strcmp(argv[1], "seen"))
		return seen(argv[2]);
	else
		return 2;
	return 0;
}
