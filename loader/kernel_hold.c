// SPDX-License-Identifier: MIT
/* The controller's half of the hold, as maps: cookies, answers, contents. */
#include <errno.h>

#include <bpf/bpf.h>

#include "loader/kernel.h"
#include "loader/kernel_internal.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

int kernel_file(struct kernel *kernel, int fd, struct debar_file *ret_file)
{
	if (bpf_map_lookup_elem(kernel_map(kernel, "debar_files"), &fd, ret_file))
		return -errno;
	return 0;
}

int kernel_content_get(struct kernel *kernel, const struct debar_digest *digest,
		       struct debar_file_keys *ret_keys)
{
	if (bpf_map_lookup_elem(kernel_map(kernel, "debar_contents"), digest, ret_keys))
		return -errno;
	return 0;
}

bool kernel_has_key(struct kernel *kernel, const struct debar_key *key)
{
	cleanup(cleanup_fd) int keys = kernel_inner(kernel, "debar_keys");
	struct debar_match match;

	return keys >= 0 && !bpf_map_lookup_elem(keys, key, &match);
}

int kernel_answer(struct kernel *kernel, __u64 cookie, const struct debar_answer *answer)
{
	const struct debar_answer late = { .keys.count = DEBAR_ANSWER_LATE,
					   .generation = kernel->state->generation };

	if (bpf_map_update_elem(kernel_map(kernel, "debar_answers"), &cookie,
				answer ? answer : &late, BPF_ANY))
		return -errno;
	return 0;
}

int kernel_content(struct kernel *kernel, const __u8 digest[32], const struct debar_file_keys *keys)
{
	if (bpf_map_update_elem(kernel_map(kernel, "debar_contents"), digest, keys, BPF_ANY))
		return -errno;
	return 0;
}

void kernel_contents_forget(struct kernel *kernel)
{
	int map = kernel_map(kernel, "debar_contents");
	struct debar_digest digest;

	while (!bpf_map_get_next_key(map, NULL, &digest))
		if (bpf_map_delete_elem(map, &digest))
			return;
}

/* From the last match of a key to its first, so that no hook finds `more` and nothing behind it. */
int kernel_add_keys(struct kernel *kernel, const struct policy_tables *tables)
{
	cleanup(cleanup_fd) int keys = kernel_inner(kernel, "debar_keys");
	size_t i;

	if (keys < 0)
		return keys;
	for (i = tables->key_count; i > 0; i--)
		if (bpf_map_update_elem(keys, &tables->keys[i - 1], &tables->matches[i - 1],
					BPF_ANY))
			return -errno;
	return 0;
}
