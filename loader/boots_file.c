/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/boots.h"
#include "policy/cleanup.h"

void boots_read(const char *path, struct boots *ret_boots)
{
	cleanup(cleanup_file) FILE *file = fopen(path, "re");
	struct boots boots = {};
	char mode[8], end[8];

	*ret_boots = (struct boots){};
	if (!file || fscanf(file, "boot %39s failed %u mode %7s end %7s", boots.id, &boots.failed,
			    mode, end) != 4)
		return;
	boots.audit = strcmp(mode, "audit") == 0;
	boots.good = strcmp(end, "good") == 0;
	*ret_boots = boots;
}

int boots_write(const char *path, const struct boots *boots)
{
	cleanup(cleanup_fd) int fd = -1;
	char fresh[PATH_MAX];

	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "boot %s\nfailed %u\nmode %s\nend %s\n", boots->id, boots->failed,
		    boots->audit ? "audit" : "enforce", boots->good ? "good" : "open") < 0 ||
	    fsync(fd) || rename(fresh, path)) {
		int error = errno;

		(void)unlink(fresh);
		return -error;
	}
	return 0;
}

bool boots_begin(struct boots *boots, const char *id, unsigned int limit)
{
	if (strcmp(boots->id, id) == 0)
		return false;
	if (boots->good || !boots->id[0])
		boots->failed = 0;
	else if (!boots->audit)
		boots->failed++;
	boots->audit = limit && boots->failed >= limit;
	boots->good = false;
	(void)snprintf(boots->id, sizeof(boots->id), "%s", id);
	return true;
}
