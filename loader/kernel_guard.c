// SPDX-License-Identifier: MIT
/* What the guard protects and whom it trusts, told to it once, before it is armed; see guard.bpf.c. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <openssl/evp.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/kernel.h"
#include "loader/kernel_internal.h"
#include "policy/cleanup.h"

#define MOUNTS_MAX 4096

static void md_free(EVP_MD_CTX **md)
{
	EVP_MD_CTX_free(*md);
}

static int own(struct kernel *kernel, enum debar_own_kind kind, __u32 device, __u64 id)
{
	struct debar_own key = { .kind = kind, .device = device, .id = id };
	__u32 one = 1;

	return bpf_map_update_elem(kernel_map(kernel, "debar_g_own"), &key, &one, BPF_ANY) ?
		       -errno :
		       0;
}

/* A map, and where it is one of maps what hangs in it. */
static int own_map(struct kernel *kernel, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), slot, inner;
	int ret;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	ret = own(kernel, DEBAR_OWN_MAP, 0, info.id);
	if (info.type != BPF_MAP_TYPE_ARRAY_OF_MAPS)
		return ret;
	for (slot = 0; !ret && slot < info.max_entries; slot++)
		if (!bpf_map_lookup_elem(fd, &slot, &inner))
			ret = own(kernel, DEBAR_OWN_MAP, 0, inner);
	return ret;
}

static int own_objects(struct kernel *kernel)
{
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < KERNEL_MAPS_MAX && kernel->maps[i] >= 0; i++)
		ret = own_map(kernel, kernel->maps[i]);
	for (i = 0; !ret && i < KERNEL_LINKS_MAX && kernel->links[i]; i++) {
		struct bpf_link_info info = {};
		__u32 len = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_link__fd(kernel->links[i]), &info, &len))
			return -errno;
		ret = own(kernel, DEBAR_OWN_LINK, 0, info.id);
	}
	return ret;
}

static int own_inode(struct kernel *kernel, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	return own(kernel, DEBAR_OWN_INODE, major(st.st_dev) << 20 | minor(st.st_dev), st.st_ino);
}

static int own_pins(struct kernel *kernel)
{
	cleanup(closedirp) DIR *dir = opendir(KERNEL_PIN_DIR);
	struct dirent *entry;
	char path[PATH_MAX];
	int ret;

	if (!dir)
		return -errno;
	ret = own_inode(kernel, KERNEL_PIN_DIR);
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", KERNEL_PIN_DIR, entry->d_name);
		ret = own_inode(kernel, path);
	}
	return ret;
}

struct mount_line {
	unsigned int id, parent;
	bool bpffs;
};

/*
 * The mount of the bpf file system and every one above it, as init has them: this may be a service
 * with a view of its own, and taking that apart harms nobody.
 */
static int own_mounts(struct kernel *kernel)
{
	cleanup(cleanup_file) FILE *file = fopen("/proc/1/mountinfo", "re");
	cleanup(cleanup_free) struct mount_line *mounts = calloc(MOUNTS_MAX, sizeof(*mounts));
	unsigned int wanted = 0;
	size_t count = 0, i;
	char line[PATH_MAX + 256], point[PATH_MAX];
	int ret = 0;

	if (!file || !mounts)
		return file ? -ENOMEM : -errno;
	while (count < MOUNTS_MAX && fgets(line, sizeof(line), file)) {
		struct mount_line *mount = &mounts[count];

		if (sscanf(line, "%u %u %*s %*s %4095s", &mount->id, &mount->parent, point) != 3)
			continue;
		if (!strcmp(point, "/sys/fs/bpf"))
			wanted = mount->id; /* the last is on top */
		count++;
	}
	if (!wanted)
		return -ENOENT;
	/* A parent that is not listed is outside what init sees. */
	for (i = count; !ret && wanted && i > 0; i--) {
		if (mounts[i - 1].id != wanted)
			continue;
		ret = own(kernel, DEBAR_OWN_MOUNT, 0, wanted);
		wanted = mounts[i - 1].parent == wanted ? 0 : mounts[i - 1].parent;
		i = count + 1;
	}
	return ret;
}

/* ---- whom it trusts ----------------------------------------------------------------------- */

static int trust_file(struct kernel *kernel, const char *path, enum debar_trust trust)
{
	cleanup(cleanup_file) FILE *file = fopen(path, "re");
	cleanup(md_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct debar_digest digest;
	__u32 value = trust;
	char buf[65536];
	size_t n;

	if (!file)
		return -errno;
	if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		return -ENOMEM;
	while ((n = fread(buf, 1, sizeof(buf), file)) > 0)
		EVP_DigestUpdate(md, buf, n);
	if (ferror(file) || !EVP_DigestFinal_ex(md, digest.bytes, NULL))
		return -EIO;
	return bpf_map_update_elem(kernel_map(kernel, "debar_g_trust"), &digest, &value, BPF_ANY) ?
		       -errno :
		       0;
}

/* Every library and the loader, as this very process has them; then the program, over its own. */
static int trust_self(struct kernel *kernel)
{
	cleanup(cleanup_file) FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128], *path;
	int ret = 0;

	if (!maps)
		return -errno;
	while (!ret && fgets(line, sizeof(line), maps)) {
		path = strchr(line, '/');
		if (!path || !strstr(line, " r-xp "))
			continue;
		path[strcspn(path, "\n")] = '\0';
		ret = trust_file(kernel, path, DEBAR_TRUST_LIBRARY);
	}
	return ret ?: trust_file(kernel, "/proc/self/exe", DEBAR_TRUST_CONTROLLER);
}

static int trust_task(struct kernel *kernel)
{
	cleanup(cleanup_fd) int fd = pidfd_open(getpid(), 0);
	__u32 one = 1;

	if (fd < 0 || bpf_map_update_elem(kernel_map(kernel, "debar_g_tasks"), &fd, &one, BPF_ANY))
		return -errno;
	return 0;
}

static int arm(struct kernel *kernel)
{
	struct debar_guard guard = { .armed = 1 };
	struct stat exe, ns;
	__u32 zero = 0;

	if (stat("/proc/self/exe", &exe) || stat("/proc/1/ns/mnt", &ns))
		return -errno;
	guard.size = exe.st_size;
	guard.mount_namespace = ns.st_ino;
	if (bpf_map_update_elem(kernel_map(kernel, "debar_g_state"), &zero, &guard, BPF_ANY))
		return -errno;
	return 0;
}

int kernel_guard(struct kernel *kernel, struct kernel_error *reterr)
{
	int ret = own_objects(kernel);

	if (!ret)
		ret = own_pins(kernel);
	if (!ret)
		ret = own_mounts(kernel);
	if (!ret)
		ret = trust_self(kernel);
	if (!ret)
		ret = trust_task(kernel);
	if (!ret)
		ret = arm(kernel);
	return ret ? kernel_fail(reterr, -ret, NULL, "cannot arm the guard: %s", strerror(-ret)) :
		     0;
}

bool kernel_guarded(struct kernel *kernel)
{
	int map = kernel_map(kernel, "debar_g_state");
	struct debar_guard guard = {};
	__u32 zero = 0;

	return map >= 0 && !bpf_map_lookup_elem(map, &zero, &guard) && guard.armed;
}
