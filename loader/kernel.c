// SPDX-License-Identifier: MIT
/*
 * Load, attach, pin, find again. A set of programs is one directory of pins: every map and every
 * link under its own name, so that a link keeps its program and the directory keeps everything.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "debar.skel.h"
#include "loader/kernel.h"
#include "loader/kernel_internal.h"
#include "policy/cleanup.h"

#define NEW_PIN_DIR KERNEL_PIN_DIR "-new" /* a dot is not allowed in bpffs */

int kernel_fail(struct kernel_error *reterr, int error, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reterr->text, sizeof(reterr->text), format, args);
	va_end(args);
	snprintf(reterr->hint, sizeof(reterr->hint), "%s", hint ? hint : "");
	return -error;
}

/* libbpf's own words are for who asks; a failure gets one line of ours. */
static int libbpf_said(enum libbpf_print_level level, const char *format, va_list args)
{
	const char *debug = getenv("DEBAR_DEBUG");

	(void)level;
	if (debug && *debug)
		vfprintf(stderr, format, args);
	return 0;
}

static bool read_line(const char *path, char *buf, size_t size)
{
	cleanup(cleanup_file) FILE *file = fopen(path, "re");

	if (!file || !fgets(buf, size, file))
		return false;
	buf[strcspn(buf, "\n")] = 0;
	return true;
}

static bool lists_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	for (at = list; at; at = strchr(at, ','), at += at != NULL)
		if (!strncmp(at, word, len) && (at[len] == ',' || !at[len]))
			return true;
	return false;
}

/* ima_policy=, ima_tcb, ima_appraise_tcb; ima_hash= and the like load no policy. */
static bool asks_for_ima(const char *line)
{
	return strstr(line, "ima_policy=") || strstr(line, "ima_tcb") ||
	       strstr(line, "ima_appraise_tcb");
}

/*
 * An IMA policy, by its traces: one given at boot stands on the command line; one built in shows
 * when anything but the boot aggregate was measured; one written later takes the file it was
 * written to away.
 */
static bool ima_policy_loaded(void)
{
	char count[32], line[4096];

	if (access("/sys/kernel/security/ima", F_OK))
		return false;
	if (access("/sys/kernel/security/ima/policy", F_OK))
		return true;
	if (read_line("/proc/cmdline", line, sizeof(line)) && asks_for_ima(line))
		return true;
	return read_line("/sys/kernel/security/ima/runtime_measurements_count", count,
			 sizeof(count)) &&
	       atoi(count) > 1;
}

void kernel_probe(struct kernel_offer *ret_offer)
{
	struct kernel_offer offer = {};
	struct statfs fs;

	offer.btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	offer.bpffs = !statfs("/sys/fs/bpf", &fs) && fs.f_type == BPF_FS_MAGIC;
	offer.lsm_known = read_line("/sys/kernel/security/lsm", offer.lsm, sizeof(offer.lsm));
	offer.lsm_bpf = offer.lsm_known && lists_word(offer.lsm, "bpf");
	offer.ima = ima_policy_loaded();
	*ret_offer = offer;
}

bool kernel_pinned(void)
{
	return !access(KERNEL_PIN_DIR "/debar_state", F_OK);
}

/* ---- load --------------------------------------------------------------------------------- */

static int map_state(struct kernel *kernel, int fd, struct kernel_error *reterr)
{
	void *at =
		mmap(NULL, sizeof(struct debar_state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return kernel_fail(reterr, errno, NULL, "cannot map debar_state: %m");
	kernel->state = at;
	return 0;
}

/* The kernel refused the programs: one line, and what to do. */
static int load_refused(int error, struct kernel_error *reterr)
{
	const char *hint = NULL;

	if (error == EACCES)
		hint = "its verifier does not take one of them, which is an error in debar: report it "
		       "with what DEBAR_DEBUG=1 shows";
	else if (error == EPERM)
		hint = "debar needs root with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN; "
		       "in a container, run it on the host";
	else if (error == ENOENT || error == ESRCH || error == EINVAL || error == ENOTSUP)
		hint = "debar needs Linux 6.1 or later with CONFIG_BPF_LSM, CONFIG_IMA and "
		       "CONFIG_DEBUG_INFO_BTF; DEBAR_DEBUG=1 shows what the kernel said";
	return kernel_fail(reterr, error, hint, "the kernel refuses the programs: %s",
			   strerror(error));
}

int kernel_load(struct kernel **ret_kernel, unsigned int parts, struct kernel_error *reterr)
{
	cleanup(kernel_freep) struct kernel *kernel = calloc(1, sizeof(*kernel));
	struct bpf_map *map;
	size_t i = 0;
	int ret;

	if (!kernel)
		return kernel_fail(reterr, ENOMEM, NULL, "out of memory");
	libbpf_set_print(libbpf_said);
	for (i = 0; i < KERNEL_MAPS_MAX; i++)
		kernel->maps[i] = -1;
	kernel->skel = debar_bpf__open();
	if (!kernel->skel)
		return kernel_fail(reterr, errno, NULL, "cannot open the programs: %m");
	kernel_choose(kernel->skel, parts);
	ret = debar_bpf__load(kernel->skel);
	if (ret)
		return load_refused(-ret, reterr);
	i = 0;
	bpf_object__for_each_map (map, kernel->skel->obj) {
		if (bpf_map__fd(map) < 0 || bpf_map__is_internal(map))
			continue;
		if (i == KERNEL_MAPS_MAX)
			return kernel_fail(reterr, E2BIG, NULL, "more maps than KERNEL_MAPS_MAX");
		snprintf(kernel->map_names[i], sizeof(kernel->map_names[i]), "%s",
			 bpf_map__name(map));
		kernel->maps[i++] = dup(bpf_map__fd(map));
	}
	ret = map_state(kernel, kernel_map(kernel, "debar_state"), reterr);
	if (ret)
		return ret;
	kernel->state->abi = DEBAR_ABI_VERSION;
	kernel->state->parts = parts;
	*ret_kernel = take(kernel);
	return 0;
}

int kernel_map(const struct kernel *kernel, const char *name)
{
	size_t i;

	for (i = 0; i < KERNEL_MAPS_MAX; i++)
		if (kernel->maps[i] >= 0 && !strcmp(kernel->map_names[i], name))
			return kernel->maps[i];
	return -1;
}

void kernel_free(struct kernel *kernel)
{
	size_t i;

	if (!kernel)
		return;
	if (kernel->ring)
		ring_buffer__free(kernel->ring);
	if (kernel->state)
		munmap(kernel->state, sizeof(*kernel->state));
	for (i = 0; i < KERNEL_LINKS_MAX; i++)
		bpf_link__destroy(kernel->links[i]);
	for (i = 0; i < KERNEL_MAPS_MAX; i++)
		if (kernel->maps[i] >= 0)
			close(kernel->maps[i]);
	debar_bpf__destroy(kernel->skel);
	free(kernel);
}

/* ---- attach and pin ----------------------------------------------------------------------- */

int kernel_attach(struct kernel *kernel, int cgroup, struct kernel_error *reterr)
{
	struct bpf_program *prog;
	size_t i = 0;

	bpf_object__for_each_program (prog, kernel->skel->obj) {
		const char *name = bpf_program__name(prog);

		if (!bpf_program__autoload(prog))
			continue;
		if (i == KERNEL_LINKS_MAX)
			return kernel_fail(reterr, E2BIG, NULL, "more programs than links");
		kernel->links[i] = kernel_attach_one(prog, cgroup);
		if (!kernel->links[i])
			return kernel_fail(reterr, errno,
					   "DEBAR_DEBUG=1 shows what the kernel said",
					   "cannot attach %s: %m", name);
		snprintf(kernel->link_names[i++], sizeof(kernel->link_names[0]), "%s", name);
	}
	return 0;
}

static int remove_pins(const char *dir)
{
	DIR *list = opendir(dir);
	struct dirent *entry;
	char path[512];

	if (!list)
		return -errno;
	while ((entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		unlink(path);
	}
	closedir(list);
	return rmdir(dir) ? -errno : 0;
}

/* In a directory of its own first: the old set is let go only when the new one stands whole. */
int kernel_pin(struct kernel *kernel, struct kernel_error *reterr)
{
	static const char hint[] = "mount -t bpf bpf /sys/fs/bpf";
	char path[512];
	size_t i;
	int ret;

	remove_pins(NEW_PIN_DIR);
	if (mkdir(NEW_PIN_DIR, 0700))
		return kernel_fail(reterr, errno, hint, "cannot create %s: %m", NEW_PIN_DIR);
	for (i = 0; i < KERNEL_MAPS_MAX && kernel->maps[i] >= 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", NEW_PIN_DIR, kernel->map_names[i]);
		if (bpf_obj_pin(kernel->maps[i], path))
			return kernel_fail(reterr, errno, NULL, "cannot pin %s: %m", path);
	}
	for (i = 0; i < KERNEL_LINKS_MAX && kernel->links[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s", NEW_PIN_DIR, kernel->link_names[i]);
		if (bpf_obj_pin(bpf_link__fd(kernel->links[i]), path))
			return kernel_fail(reterr, errno, NULL, "cannot pin %s: %m", path);
	}
	/* In one step, so that who is killed here leaves one of them where it is looked for. */
	if (!renameat2(AT_FDCWD, NEW_PIN_DIR, AT_FDCWD, KERNEL_PIN_DIR, RENAME_EXCHANGE)) {
		remove_pins(NEW_PIN_DIR);
		return 0;
	}
	if (errno != ENOENT || rename(NEW_PIN_DIR, KERNEL_PIN_DIR)) {
		ret = kernel_fail(reterr, errno,
				  errno == EPERM ? "if the guard is armed, what is in force stays "
						   "until the next boot" :
						   NULL,
				  "cannot rename %s: %m", NEW_PIN_DIR);
		remove_pins(NEW_PIN_DIR);
		return ret;
	}
	return 0;
}

/*
 * The kernel takes links apart some time after their last reference is gone; without a generation
 * the hooks let everything pass from now on.
 */
int kernel_unpin(struct kernel_error *reterr)
{
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	int ret;

	(void)kernel_open(&kernel, reterr); /* pins that cannot be opened are removed, too */
	if (kernel && kernel_guarded(kernel, NULL))
		return kernel_fail(
			reterr, EPERM,
			"boot with debar=off on the kernel command line: that loads nothing",
			"the guard is armed: only a reboot takes it off");
	if (kernel)
		__atomic_store_n(&kernel->state->generation, 0, __ATOMIC_SEQ_CST);
	remove_pins(NEW_PIN_DIR); /* of a load that was killed */
	ret = remove_pins(KERNEL_PIN_DIR);
	if (ret == -ENOENT)
		return kernel_fail(reterr, ENOENT, NULL, "nothing is loaded");
	if (ret)
		return kernel_fail(reterr, -ret, NULL, "cannot remove %s: %s", KERNEL_PIN_DIR,
				   strerror(-ret));
	return 0;
}

/* A pinned map has its type's name; a pinned link is opened by none but by who counts the hooks. */
static int open_pin(struct kernel *kernel, const char *name, size_t *maps, size_t *links,
		    struct kernel_error *reterr)
{
	char path[512];
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd;

	snprintf(path, sizeof(path), "%s/%s", KERNEL_PIN_DIR, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return kernel_fail(reterr, errno,
				   errno == EPERM ? "if the guard is armed, it admits only the "
						    "version that armed it, see debar(8)" :
						    NULL,
				   "cannot open %s: %m", path);
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, name) &&
	    *maps < KERNEL_MAPS_MAX) {
		snprintf(kernel->map_names[*maps], sizeof(kernel->map_names[0]), "%s", name);
		kernel->maps[(*maps)++] = fd;
		return 0;
	}
	close(fd);
	if (*links < KERNEL_LINKS_MAX)
		snprintf(kernel->link_names[(*links)++], sizeof(kernel->link_names[0]), "%s", name);
	return 0;
}

int kernel_open(struct kernel **ret_kernel, struct kernel_error *reterr)
{
	cleanup(kernel_freep) struct kernel *kernel = calloc(1, sizeof(*kernel));
	cleanup(closedirp) DIR *dir = opendir(KERNEL_PIN_DIR);
	size_t maps = 0, links = 0, i;
	struct dirent *entry;
	int ret, fd;

	if (!kernel)
		return kernel_fail(reterr, ENOMEM, NULL, "out of memory");
	for (i = 0; i < KERNEL_MAPS_MAX; i++)
		kernel->maps[i] = -1;
	if (!dir)
		return kernel_fail(reterr, errno, NULL,
				   errno == ENOENT ? "nothing is loaded" : "cannot read %s: %m",
				   KERNEL_PIN_DIR);
	libbpf_set_print(libbpf_said);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		ret = open_pin(kernel, entry->d_name, &maps, &links, reterr);
		if (ret)
			return ret;
	}
	fd = kernel_map(kernel, "debar_state");
	if (fd < 0)
		return kernel_fail(reterr, ENOENT, NULL, "nothing is loaded");
	ret = map_state(kernel, fd, reterr);
	if (ret)
		return ret;
	if (kernel->state->abi != DEBAR_ABI_VERSION)
		return kernel_fail(reterr, EPROTO, "debar load or debar run replaces it",
				   "what is loaded has ABI %u, this debar has %u",
				   kernel->state->abi, DEBAR_ABI_VERSION);
	*ret_kernel = take(kernel);
	return 0;
}

struct debar_state *kernel_state(struct kernel *kernel)
{
	return kernel->state;
}

unsigned int kernel_parts(struct kernel *kernel)
{
	return kernel->state->parts;
}

const char *kernel_hook(struct kernel *kernel, size_t i)
{
	return i < KERNEL_LINKS_MAX && kernel->link_names[i][0] ? kernel->link_names[i] : NULL;
}
