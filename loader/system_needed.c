/* SPDX-License-Identifier: MIT */
/* Which files the machine cannot do without: by name, and by what those need. */
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/system.h"
#include "policy/cleanup.h"

#define DEPTH_MAX 4

static const char *const programs[] = {
	"/sbin/init",
	"/bin/sh",
	"/bin/bash",
	"/bin/dash",
	"/bin/busybox",
	"/bin/login",
	"/sbin/agetty",
	"/sbin/sulogin",
	"/bin/mount",
	"/bin/umount",
	"/bin/systemctl",
	"/lib/systemd/systemd-executor",
	"/lib/systemd/systemd-shutdown",
	"/lib/systemd/systemd-sulogin-shell",
};

static const char *const loaders[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1" };

static const char *const library_dirs[] = {
	"/lib/x86_64-linux-gnu",
	"/usr/lib/x86_64-linux-gnu",
	"/lib64",
	"/usr/lib64",
	"/lib",
	"/usr/lib",
	"/usr/lib/systemd",
	"/usr/lib/x86_64-linux-gnu/systemd",
};

struct search {
	system_file_fn *fn;
	void *ctx;
};

/* "libz.so" of libz.so.1.2.13: the same for the next version. */
static void tell_library(const struct search *search, const char *path)
{
	const char *base = strrchr(path, '/');
	char name[256], *end;

	snprintf(name, sizeof(name), "%s", base ? base + 1 : path);
	end = strstr(name, ".so");
	if (end)
		end[strlen(".so")] = '\0';
	search->fn(search->ctx, name, path);
}

static void find_library(const struct search *search, const char *soname, int depth);

static void needed_of(const struct search *search, Elf *elf, Elf_Scn *section,
		      const GElf_Shdr *header, int depth)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	const char *soname;
	GElf_Dyn entry;

	for (size_t i = 0; i < count && i < INT_MAX && gelf_getdyn(data, (int)i, &entry); i++) {
		if (entry.d_tag != DT_NEEDED)
			continue;
		soname = elf_strptr(elf, header->sh_link, entry.d_un.d_val);
		if (soname && !strchr(soname, '/'))
			find_library(search, soname, depth);
	}
}

/* What the loader will look for when it starts the file. */
static void follow(const struct search *search, const char *path, int depth)
{
	cleanup(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf = NULL;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	elf_version(EV_CURRENT);
	if (fd >= 0 && depth < DEPTH_MAX)
		elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	while (elf && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNAMIC)
			needed_of(search, elf, section, &header, depth + 1);
	elf_end(elf);
}

static void find_library(const struct search *search, const char *soname, int depth)
{
	for (size_t i = 0; i < sizeof(library_dirs) / sizeof(library_dirs[0]); i++) {
		cleanup(cleanup_free) char *real = NULL;
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", library_dirs[i], soname);
		real = realpath(path, NULL);
		if (!real)
			continue;
		tell_library(search, real);
		follow(search, real, depth);
		return;
	}
}

static void tell_program(const struct search *search, const char *name, const char *path)
{
	cleanup(cleanup_free) char *real = realpath(path, NULL);

	if (!real)
		return;
	search->fn(search->ctx, name, real);
	follow(search, real, 0);
}

/* What init or debar runs with, also where it was not named as needed. */
static void tell_mapped(const struct search *search, const char *maps)
{
	cleanup(cleanup_file) FILE *file = fopen(maps, "re");
	char line[PATH_MAX + 128], *path;

	while (file && fgets(line, sizeof(line), file)) {
		path = strchr(line, '/');
		if (!path || !strstr(line, " r-xp "))
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (strstr(path, ".so") && !access(path, R_OK))
			tell_library(search, path);
	}
}

void system_each_needed(system_file_fn *fn, void *ctx)
{
	const struct search search = { fn, ctx };

	tell_program(&search, "init", "/proc/1/exe");
	tell_program(&search, SYSTEM_SELF, "/proc/self/exe");
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		tell_program(&search, programs[i], programs[i]);
	for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++)
		tell_program(&search, loaders[i], loaders[i]);
	tell_mapped(&search, "/proc/1/maps");
	tell_mapped(&search, "/proc/self/maps");
}
