// SPDX-License-Identifier: MIT
/*
 * fill COUNT: make and fill a table of that many rules as debar load does, and print the seconds it
 * took, of the clock and of the processor. For machines whose kernel has no LSM programs, and to see the kernel's part alone.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "bpf/abi.h"

#define BATCH 65536u

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(__NR_bpf, command, attr, sizeof(*attr));
}

static int table(__u32 count)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_HASH,
				.key_size = sizeof(struct debar_key),
				.value_size = sizeof(struct debar_match),
				.max_entries = count };

	return bpf(BPF_MAP_CREATE, &attr);
}

/* Distinct keys; how they differ does not matter to the kernel's hash. */
static void keys_make(struct debar_key *keys, __u32 count)
{
	for (__u32 i = 0; i < count; i++) {
		keys[i].kind = DEBAR_KEY_SHA256;
		memcpy(keys[i].value, &i, sizeof(i));
	}
}

int main(int argc, char **argv)
{
	__u32 count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0, done;
	struct debar_match *matches = calloc(count, sizeof(*matches));
	struct debar_key *keys = calloc(count, sizeof(*keys));
	double start, cpu;
	int fd;

	if (!count || !keys || !matches)
		return 2;
	keys_make(keys, count);
	start = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	fd = table(count);
	if (fd < 0) {
		fprintf(stderr, "fill: cannot create a map: %s\n", strerror(errno));
		return 1;
	}
	for (done = 0; done < count; done += BATCH) {
		union bpf_attr attr = { .batch = { .map_fd = fd,
						   .keys = (uintptr_t)(keys + done),
						   .values = (uintptr_t)(matches + done),
						   .count = count - done < BATCH ? count - done :
										   BATCH } };

		if (bpf(BPF_MAP_UPDATE_BATCH, &attr)) {
			fprintf(stderr, "fill: cannot fill the map: %s\n", strerror(errno));
			return 1;
		}
	}
	printf("%.3f %.3f\n", now(CLOCK_MONOTONIC) - start, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	return 0;
}
