// SPDX-License-Identifier: MIT
/*
 * Programs that do nothing, on the hooks that debar has on a cgroup: what no program there can cost
 * less than.
 *
 *	empty CGROUP
 *
 * Prints the id of the one at egress, and stays until its input ends.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int cmd, union bpf_attr *attr)
{
	int ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	if (ret < 0) {
		perror("bpf");
		exit(2);
	}
	return ret;
}

static int load(enum bpf_prog_type type, enum bpf_attach_type attach)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = type,
				.expected_attach_type = attach,
				.insns = (uintptr_t)pass,
				.insn_cnt = sizeof(pass) / sizeof(pass[0]),
				.license = (uintptr_t) "GPL",
				.prog_name = "empty" };

	return bpf(BPF_PROG_LOAD, &attr);
}

int main(int argc, char **argv)
{
	static const struct {
		enum bpf_prog_type type;
		enum bpf_attach_type attach;
	} hooks[] = {
		{ BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS },
		{ BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS },
		{ BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG },
		{ BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS },
	};
	int cgroup = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;

	if (cgroup < 0) {
		perror("empty");
		return 2;
	}
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		int prog = load(hooks[i].type, hooks[i].attach);
		union bpf_attr attr = { .link_create = { .prog_fd = prog,
							 .target_fd = cgroup,
							 .attach_type = hooks[i].attach } };
		struct bpf_prog_info info = {};

		bpf(BPF_LINK_CREATE, &attr);
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = prog;
		attr.info.info_len = sizeof(info);
		attr.info.info = (uintptr_t)&info;
		bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
		if (!i)
			printf("%u\n", info.id);
	}
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
