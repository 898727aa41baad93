// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/cgroups.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

void cgroups_root(char ret_path[PATH_MAX])
{
	cleanup(cleanup_file) FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[2 * PATH_MAX], path[PATH_MAX], kind[64];

	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*s %4095s %63s", path, kind) != 2 || strcmp(kind, "cgroup2"))
			continue;
		snprintf(ret_path, PATH_MAX, "%s", path);
		return;
	}
	snprintf(ret_path, PATH_MAX, "/sys/fs/cgroup");
}

int cgroups_id(const char *path, __u64 *ret_id)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	*ret_id = st.st_ino; /* of a cgroup v2 directory: the cgroup's id */
	return 0;
}

int cgroups_id_below(const char *path, __u64 *ret_id)
{
	char root[PATH_MAX], whole[2 * PATH_MAX];

	cgroups_root(root);
	snprintf(whole, sizeof(whole), "%s%s", root, path);
	return cgroups_id(whole, ret_id);
}

__u64 cgroups_now(const struct policy *policy)
{
	const struct policy_exception *exception;
	char path[POLICY_VALUE_MAX];
	__u64 sum = 0;
	size_t i;

	for (i = 0; i < policy_exception_count(policy); i++) {
		__u64 id = 0; /* there is none of that name */

		exception = policy_exception_get(policy, i);
		if (exception->matcher != POLICY_CGROUP)
			continue;
		policy_exception_value(policy, exception, path, sizeof(path));
		(void)cgroups_id_below(path, &id);
		sum = (sum ^ id) * 0x9e3779b97f4a7c15ULL + i;
	}
	return sum;
}
