// SPDX-License-Identifier: MIT
/*
 * Writes one word of the state in force, as only a test may: through a mapping of the pinned map.
 *
 *   state stale 1      writers do not end what is remembered of a file (the control arm)
 *   state abi 99       what is pinned was left by another version
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/abi.h"

#define PIN "/sys/fs/bpf/debar/debar_state"

int main(int argc, char **argv)
{
	union bpf_attr attr = { .pathname = (__u64)PIN };
	int fd = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
	struct debar_state *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd < 0 || state == MAP_FAILED) {
		perror(PIN);
		return 1;
	}
	if (argc == 3 && !strcmp(argv[1], "stale"))
		state->stale = strtoul(argv[2], NULL, 0);
	else if (argc == 3 && !strcmp(argv[1], "abi"))
		state->abi = strtoul(argv[2], NULL, 0);
	else
		return 2;
	return 0;
}
