// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/actor.h"
#include "policy/cleanup.h"

/* A small file of /proc/PID as text; empty when there is none. */
static void read_text(int proc, pid_t pid, const char *name, char *buf, size_t size)
{
	cleanup(cleanup_fd) int fd = -1;
	char path[64];
	ssize_t len = 0;

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		len = read(fd, buf, size - 1);
	buf[len > 0 ? len : 0] = '\0';
}

static unsigned int read_number(const char *text, const char *field)
{
	const char *at = strstr(text, field);
	unsigned int number = 0;

	if (!at || sscanf(at + strlen(field), "%u", &number) != 1)
		return 0;
	return number;
}

/* The line of cgroup v2, "0::/a/b": the path without its first slash. NULL: there is none. */
static char *cgroup_path(char *text)
{
	char *line = !strncmp(text, "0::/", 4) ? text : strstr(text, "\n0::/");

	if (!line)
		return NULL;
	line = strchr(line, '/') + 1;
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static void add_cgroup(int cgroups, const char *path, struct actor *actor)
{
	struct stat st;

	if (actor->cgroup_count == ACTOR_CGROUPS_MAX || fstatat(cgroups, path, &st, 0))
		return;
	actor->who.cgroup = st.st_ino;
	actor->cgroups[actor->cgroup_count++] = st.st_ino;
}

static void name_cgroup(struct actor *actor, const char *name)
{
	memcpy(actor->cgroup[1], actor->cgroup[0], sizeof(actor->cgroup[1]));
	memset(actor->cgroup[0], 0, sizeof(actor->cgroup[0]));
	memcpy(actor->cgroup[0], name, strnlen(name, sizeof(actor->cgroup[0])));
}

/* From the root down, since each one above speaks for those below it. */
static void walk_cgroups(int cgroups, char *path, struct actor *actor)
{
	char *at = path, *slash;

	add_cgroup(cgroups, ".", actor);
	while (*at) {
		slash = strchr(at, '/');
		if (slash)
			*slash = '\0';
		name_cgroup(actor, at);
		add_cgroup(cgroups, path, actor);
		if (!slash)
			return;
		*slash = '/';
		at = slash + 1;
	}
}

void actor_read(int proc, int cgroups, pid_t pid, struct actor *ret_actor)
{
	char text[PATH_MAX], *path;

	*ret_actor = (struct actor){ .who.pid = pid };
	read_text(proc, pid, "comm", text, sizeof(text));
	memcpy(ret_actor->who.comm, text, strcspn(text, "\n") % DEBAR_COMM_LEN);
	read_text(proc, pid, "status", text, sizeof(text));
	ret_actor->who.ppid = read_number(text, "\nPPid:");
	ret_actor->who.uid = read_number(text, "\nUid:");
	read_text(proc, pid, "cgroup", text, sizeof(text));
	path = cgroup_path(text);
	if (path && cgroups >= 0)
		walk_cgroups(cgroups, path, ret_actor);
}
