/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "loader/container.h"
#include "policy/cleanup.h"

/* What a file handle of kernfs holds, the kernel's FILEID_KERNFS: the 64 bits of the id. */
#define HANDLE_KERNFS 0xfe

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", text[i]))
			return false;
	return true;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

static bool id_take(const char *text, size_t len, char ret_id[CONTAINER_ID_MAX + 1])
{
	if (!len || len > CONTAINER_ID_MAX)
		return false;
	memcpy(ret_id, text, len);
	ret_id[len] = '\0';
	return true;
}

/*
 * Engines end the name with 64 hex digits, after an own prefix and "-" (docker-, cri-containerd-,
 * crio-, libpod-, nerdctl-) or ":" (runc, told a systemd path on a system without it), or
 * with no prefix at all (docker and kubepods with the cgroupfs driver), and systemd adds ".scope".
 * A monitor of the container (libpod-conmon-..., crio-conmon-...) is not in it.
 */
static bool id_of_name(const char *name, size_t len, char ret_id[CONTAINER_ID_MAX + 1])
{
	const char *digits;

	if (len > 12 && memcmp(name, "lxc.payload.", 12) == 0)
		return id_take(name + 12, len - 12, ret_id);
	if (ends_with(name, len, ".scope"))
		len -= strlen(".scope");
	if (len < CONTAINER_ID_MAX)
		return false;
	digits = name + len - CONTAINER_ID_MAX;
	if (!is_hex(digits, CONTAINER_ID_MAX))
		return false;
	if (digits > name && digits[-1] != '-' && digits[-1] != ':')
		return false;
	if (ends_with(name, (size_t)(digits - name), "conmon-"))
		return false;
	return id_take(digits, CONTAINER_ID_MAX, ret_id);
}

bool container_id(const char *path, char ret_id[CONTAINER_ID_MAX + 1])
{
	size_t end = strlen(path), start;

	while (end) {
		for (start = end; start && path[start - 1] != '/'; start--)
			;
		if (id_of_name(path + start, end - start, ret_id))
			return true;
		end = start ? start - 1 : 0;
	}
	return false;
}

int container_open_cgroups(const char *const *dirs)
{
	int err = -ENOENT;

	for (; *dirs; dirs++) {
		cleanup(cleanup_fd) int fd = open(*dirs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd < 0 || fstatfs(fd, &fs) < 0)
			err = -errno;
		else if (fs.f_type == CGROUP2_SUPER_MAGIC)
			return take_fd(fd);
	}
	return err;
}

/* What the kernel calls the file behind a descriptor. */
static int fd_path(int fd, char *ret_path, size_t size)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, ret_path, size);
	if (len < 0)
		return -errno;
	if ((size_t)len >= size)
		return -ENAMETOOLONG;
	ret_path[len] = '\0';
	return 0;
}

int container_cgroup_path(int cgroups, uint64_t id, char *ret_path, size_t size)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} h = { .handle = { .handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS } };
	char root[PATH_MAX], path[PATH_MAX];
	cleanup(cleanup_fd) int fd = -1;
	size_t skip;
	int err;

	memcpy(h.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(cgroups, &h.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fd_path(fd, path, sizeof(path));
	if (!err)
		err = fd_path(cgroups, root, sizeof(root));
	if (err)
		return err;
	skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(path, root, skip) != 0)
		return -ESTALE;
	if ((size_t)snprintf(ret_path, size, "%s", path[skip] ? path + skip : "/") >= size)
		return -ENAMETOOLONG;
	return 0;
}
