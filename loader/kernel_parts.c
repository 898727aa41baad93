// SPDX-License-Identifier: MIT
/*
 * Which programs and maps the parts of debar are made of, and one part more for what is in force
 * already: its programs are loaded on the maps that are there, attached, and pinned beside the others.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "debar.skel.h"
#include "loader/kernel.h"
#include "loader/kernel_internal.h"
#include "policy/cleanup.h"

static bool is_lsm(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_LSM;
}

static bool has_member(const struct btf *btf, const char *type, const char *name)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT), i;
	const struct btf_type *found = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (i = 0; found && i < btf_vlen(found); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(found)[i].name_off), name))
			return true;
	return false;
}

/* What is newer than 6.1: a hook's function, and what makes a hook worth its cost at each exec. */
static bool has_hook(const struct btf *btf, const char *name)
{
	char function[128];

	snprintf(function, sizeof(function), "bpf_lsm_%s", name);
	if (btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) <= 0)
		return false;
	return strcmp(name, "bprm_creds_for_exec") || has_member(btf, "linux_binprm", "is_check");
}

/* Programs of the LSM hooks that this kernel has, and of the parts asked. */
void kernel_choose(struct debar_bpf *skel, unsigned int parts)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, skel->obj) {
		const char *name = strchr(bpf_program__section_name(prog), '/');
		unsigned int part = !strncmp(bpf_program__name(prog), "debar_g_", 8) ?
					    KERNEL_GUARD :
				    is_lsm(prog) ? KERNEL_FILES :
						   KERNEL_NETWORK;
		bool wanted = parts & part;

		if (wanted && is_lsm(prog))
			wanted = btf && name && has_hook(btf, name + 1);
		bpf_program__set_autoload(prog, wanted);
	}
	btf__free(btf);
	bpf_map__set_autocreate(skel->maps.debar_files, parts & KERNEL_FILES);
	bpf_map__set_autocreate(skel->maps.debar_owners, parts & KERNEL_NETWORK);
	bpf_map__set_autocreate(skel->maps.debar_cleans, parts & KERNEL_NETWORK);
	bpf_map__set_autocreate(skel->maps.debar_known, parts & KERNEL_NETWORK);
	bpf_map__set_autocreate(skel->maps.debar_asked, parts & KERNEL_NETWORK);
	bpf_map__set_autocreate(skel->maps.debar_shares, parts & KERNEL_NETWORK);
	bpf_map__set_autocreate(skel->maps.debar_learned, parts & KERNEL_NETWORK);
	bpf_map__set_autocreate(skel->maps.debar_spared, parts & KERNEL_NETWORK);
	bpf_map__set_autocreate(skel->maps.debar_contents, parts & KERNEL_FILES);
	bpf_map__set_autocreate(skel->maps.debar_answers, parts & KERNEL_FILES);
	bpf_map__set_autocreate(skel->maps.debar_epochs, parts & KERNEL_FILES);
	bpf_map__set_autocreate(skel->maps.debar_ovldigest, parts & KERNEL_FILES);
	bpf_map__set_autocreate(skel->maps.debar_g_own, parts & KERNEL_GUARD);
	bpf_map__set_autocreate(skel->maps.debar_g_trust, parts & KERNEL_GUARD);
	bpf_map__set_autocreate(skel->maps.debar_g_tasks, parts & KERNEL_GUARD);
	bpf_map__set_autocreate(skel->maps.debar_g_state, parts & KERNEL_GUARD);
}

struct bpf_link *kernel_attach_one(struct bpf_program *prog, int cgroup)
{
	if (is_lsm(prog) || bpf_program__type(prog) == BPF_PROG_TYPE_TRACING)
		return bpf_program__attach(prog);
	return bpf_program__attach_cgroup(prog, cgroup);
}

/* ---- one more ------------------------------------------------------------------------------ */

static void skel_free(struct debar_bpf **skel)
{
	debar_bpf__destroy(*skel);
}

/* The maps that all parts share are those in force. */
static int reuse_maps(struct kernel *kernel, struct debar_bpf *skel)
{
	struct bpf_map *map;
	int fd, ret;

	bpf_object__for_each_map (map, skel->obj) {
		fd = bpf_map__is_internal(map) ? -1 : kernel_map(kernel, bpf_map__name(map));
		if (fd < 0 || !bpf_map__autocreate(map))
			continue;
		ret = bpf_map__reuse_fd(map, fd);
		if (ret)
			return ret;
	}
	return 0;
}

static int pin(int fd, const char *name, struct kernel_error *reterr)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", KERNEL_PIN_DIR, name);
	return bpf_obj_pin(fd, path) ? kernel_fail(reterr, errno, NULL, "cannot pin %s: %m", path) :
				       0;
}

static int keep_maps(struct kernel *kernel, struct debar_bpf *skel, struct kernel_error *reterr)
{
	struct bpf_map *map;
	size_t i = 0;
	int ret;

	bpf_object__for_each_map (map, skel->obj) {
		if (bpf_map__fd(map) < 0 || bpf_map__is_internal(map) ||
		    kernel_map(kernel, bpf_map__name(map)) >= 0)
			continue;
		while (i < KERNEL_MAPS_MAX && kernel->maps[i] >= 0)
			i++;
		if (i == KERNEL_MAPS_MAX)
			return kernel_fail(reterr, E2BIG, NULL, "more maps than KERNEL_MAPS_MAX");
		ret = pin(bpf_map__fd(map), bpf_map__name(map), reterr);
		if (ret)
			return ret;
		snprintf(kernel->map_names[i], sizeof(kernel->map_names[i]), "%s",
			 bpf_map__name(map));
		kernel->maps[i] = dup(bpf_map__fd(map));
	}
	return 0;
}

static int keep_links(struct kernel *kernel, struct debar_bpf *skel, int cgroup,
		      struct kernel_error *reterr)
{
	struct bpf_program *prog;
	size_t i = 0;
	int ret;

	bpf_object__for_each_program (prog, skel->obj) {
		if (!bpf_program__autoload(prog))
			continue;
		while (i < KERNEL_LINKS_MAX && kernel->link_names[i][0])
			i++;
		if (i == KERNEL_LINKS_MAX)
			return kernel_fail(reterr, E2BIG, NULL, "more programs than links");
		kernel->links[i] = kernel_attach_one(prog, cgroup);
		if (!kernel->links[i])
			return kernel_fail(reterr, errno, NULL, "cannot attach %s: %m",
					   bpf_program__name(prog));
		snprintf(kernel->link_names[i], sizeof(kernel->link_names[i]), "%s",
			 bpf_program__name(prog));
		ret = pin(bpf_link__fd(kernel->links[i]), kernel->link_names[i], reterr);
		if (ret)
			return ret;
	}
	return 0;
}

static void unpin(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", KERNEL_PIN_DIR, name);
	unlink(path);
}

/* What was kept from these places on is let go of. */
static void forget(struct kernel *kernel, size_t maps, size_t links)
{
	for (; links < KERNEL_LINKS_MAX && kernel->link_names[links][0]; links++) {
		unpin(kernel->link_names[links]);
		bpf_link__destroy(kernel->links[links]);
		kernel->links[links] = NULL;
		kernel->link_names[links][0] = 0;
	}
	for (; maps < KERNEL_MAPS_MAX && kernel->maps[maps] >= 0; maps++) {
		unpin(kernel->map_names[maps]);
		close(kernel->maps[maps]);
		kernel->maps[maps] = -1;
		kernel->map_names[maps][0] = 0;
	}
}

int kernel_add(struct kernel *kernel, unsigned int part, int cgroup, struct kernel_error *reterr)
{
	cleanup(skel_free) struct debar_bpf *skel = debar_bpf__open();
	size_t maps = 0, links = 0;
	int ret;

	if (!skel)
		return kernel_fail(reterr, errno, NULL, "cannot open the programs: %m");
	kernel_choose(skel, part);
	ret = reuse_maps(kernel, skel);
	if (!ret)
		ret = debar_bpf__load(skel);
	if (ret)
		return kernel_fail(reterr, -ret, "DEBAR_DEBUG=1 shows what the kernel said",
				   "the kernel refuses the programs: %s", strerror(-ret));
	while (maps < KERNEL_MAPS_MAX && kernel->maps[maps] >= 0)
		maps++;
	while (links < KERNEL_LINKS_MAX && kernel->link_names[links][0])
		links++;
	ret = keep_maps(kernel, skel, reterr);
	if (!ret)
		ret = keep_links(kernel, skel, cgroup, reterr);
	if (ret)
		forget(kernel, maps, links);
	else
		__atomic_fetch_or(&kernel->state->parts, part, __ATOMIC_SEQ_CST);
	return ret;
}
