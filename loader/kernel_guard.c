// SPDX-License-Identifier: MIT
/* What the guard protects and whom it trusts, told to it once, before it is armed; see guard.bpf.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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
		ret = own(kernel, DEBAR_OWN_LINK, 0, info.id) ?:
			      own(kernel, DEBAR_OWN_PROGRAM, 0, info.prog_id);
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

static int trust(struct kernel *kernel, const struct debar_digest *digest, enum debar_trust trust)
{
	int map = kernel_map(kernel, "debar_g_trust");
	__u32 value = trust;

	return bpf_map_update_elem(map, digest, &value, BPF_ANY) ? -errno : 0;
}

static int trust_file(struct kernel *kernel, const char *path, enum debar_trust as)
{
	cleanup(cleanup_file) FILE *file = fopen(path, "re");
	cleanup(md_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct debar_digest digest;
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
	return trust(kernel, &digest, as);
}

/* The path of a line of /proc/self/maps that is code; NULL: it is none. */
static char *mapped_code(char *line)
{
	char *path = strchr(line, '/');

	if (!path || !strstr(line, " r-xp "))
		return NULL;
	path[strcspn(path, "\n")] = '\0';
	return path;
}

/* Every library and the loader, as this very process has them; then the program, over its own. */
static int trust_self(struct kernel *kernel)
{
	cleanup(cleanup_file) FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128], *path;
	struct stat exe;
	int ret = 0;

	if (!maps || stat("/proc/self/exe", &exe))
		return -errno;
	while (!ret && fgets(line, sizeof(line), maps)) {
		path = mapped_code(line);
		ret = path ? trust_file(kernel, path, DEBAR_TRUST_LIBRARY) : 0;
	}
	ret = ret ?: trust_file(kernel, "/proc/self/exe", DEBAR_TRUST_CONTROLLER);
	return ret ?: own(kernel, DEBAR_OWN_SIZE, 0, exe.st_size);
}

static int trust_task(struct kernel *kernel)
{
	cleanup(cleanup_fd) int fd = pidfd_open(getpid(), 0);
	__u32 one = 1;

	if (fd < 0 || bpf_map_update_elem(kernel_map(kernel, "debar_g_tasks"), &fd, &one, BPF_ANY))
		return -errno;
	return 0;
}

/* ---- armed -------------------------------------------------------------------------------- */

static int state_get(struct kernel *kernel, struct debar_guard *ret_guard)
{
	int map = kernel_map(kernel, "debar_g_state");
	__u32 zero = 0;

	return map < 0 || bpf_map_lookup_elem(map, &zero, ret_guard) ? -ENOENT : 0;
}

static int state_set(struct kernel *kernel, const struct debar_guard *guard)
{
	int map = kernel_map(kernel, "debar_g_state");
	__u32 zero = 0;

	return bpf_map_update_elem(map, &zero, guard, BPF_ANY) ? -errno : 0;
}

/*
 * Each file of this process's code is mapped once more, now that it is trusted: the program that
 * looks at mappings keeps writers off it from then on, or ends the trust.
 */
static int keep_code(struct kernel *kernel)
{
	cleanup(cleanup_file) FILE *maps = fopen("/proc/self/maps", "re");
	cleanup(cleanup_fd) int task = pidfd_open(getpid(), 0);
	char line[PATH_MAX + 128], *path;
	__u32 mark = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		cleanup(cleanup_fd) int fd = -1;
		void *code;

		path = mapped_code(line);
		if (!path)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		code = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
		if (code == MAP_FAILED)
			return -errno;
		munmap(code, 1);
	}
	if (!maps || bpf_map_lookup_elem(kernel_map(kernel, "debar_g_tasks"), &task, &mark))
		return -errno;
	return mark ? 0 : -ETXTBSY;
}

int kernel_guard(struct kernel *kernel, const struct kernel_guard *with,
		 struct kernel_error *reterr)
{
	struct debar_guard guard = { .switches = with->switches, .armed = 1 };
	struct stat ns;
	size_t i;
	int ret = stat("/proc/1/ns/mnt", &ns) ? -errno : own_objects(kernel);

	guard.mount_namespace = ns.st_ino;
	if (!ret)
		ret = own_pins(kernel);
	if (!ret)
		ret = own_mounts(kernel);
	if (!ret)
		ret = trust_self(kernel);
	for (i = 0; !ret && i < with->anchor_count; i++)
		ret = trust(kernel, &with->anchors[i], DEBAR_TRUST_ANCHOR);
	if (!ret)
		ret = trust_task(kernel);
	if (!ret)
		ret = keep_code(kernel);
	if (!ret)
		ret = state_set(kernel, &guard);
	if (!ret)
		return 0;
	return kernel_fail(
		reterr, -ret,
		ret == -ETXTBSY ?
			"somebody has a library of debar's open for writing; what was loaded is in force without the guard" :
			NULL,
		"cannot arm the guard: %s", strerror(-ret));
}

bool kernel_guarded(struct kernel *kernel, __u32 *ret_switches)
{
	struct debar_guard guard = {};

	/* A pin that was hidden: what is loaded says itself that it has a guard. */
	if (state_get(kernel, &guard))
		return kernel_parts(kernel) & KERNEL_GUARD;
	if (!guard.armed)
		return false;
	if (ret_switches)
		*ret_switches = guard.switches;
	return true;
}

size_t kernel_guard_owned(struct kernel *kernel)
{
	int map = kernel_map(kernel, "debar_g_own");
	struct debar_own key, *last = NULL;
	size_t count = 0;

	for (; map >= 0 && !bpf_map_get_next_key(map, last, &key); last = &key)
		count++;
	return count;
}

int kernel_guard_switch(struct kernel *kernel, __u32 switches)
{
	struct debar_guard guard = {};
	int ret = state_get(kernel, &guard);

	if (ret || (guard.switches | switches) == guard.switches)
		return ret;
	guard.switches |= switches;
	return state_set(kernel, &guard);
}

int kernel_guard_anchors(struct kernel *kernel, struct debar_digest *ret_anchors, size_t max)
{
	int map = kernel_map(kernel, "debar_g_trust"), count = 0;
	struct debar_digest key, *last = NULL;
	__u32 value;

	if (map < 0)
		return -ENOENT;
	while (!bpf_map_get_next_key(map, last, &key)) {
		last = &key;
		if (bpf_map_lookup_elem(map, &key, &value) || value != DEBAR_TRUST_ANCHOR)
			continue;
		if ((size_t)count == max)
			return -E2BIG;
		ret_anchors[count++] = key;
	}
	return count;
}

int kernel_guard_admit(struct kernel *kernel, const struct debar_digest *digest, const char *path,
		       bool program)
{
	enum debar_trust as = program ? DEBAR_TRUST_CONTROLLER : DEBAR_TRUST_LIBRARY;
	int map = kernel_map(kernel, "debar_g_trust"), ret = 0;
	struct stat st;
	__u32 value;

	if (bpf_map_lookup_elem(map, digest, &value)) /* else: what it was taken for stays */
		ret = trust(kernel, digest, as);
	if (!ret && program)
		ret = stat(path, &st) ? -errno : own(kernel, DEBAR_OWN_SIZE, 0, st.st_size);
	return ret;
}

/* Each generation has maps of its own; of those that are gone the numbers would fill the table. */
void kernel_guard_forget(struct kernel *kernel)
{
	struct debar_own key, next, *last = NULL;
	int map = kernel_map(kernel, "debar_g_own");
	bool gone;

	while (map >= 0 && !bpf_map_get_next_key(map, last, &next)) {
		gone = false;
		if (next.kind == DEBAR_OWN_MAP) {
			cleanup(cleanup_fd) int fd = bpf_map_get_fd_by_id(next.id);

			gone = fd < 0 && errno == ENOENT;
		}
		key = next;
		if (gone)
			bpf_map_delete_elem(map, &key);
		last = gone ? NULL : &key; /* behind what is gone one begins anew */
	}
}
