// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "loader/lock.h"
#include "loader/store.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define OPTIONS_FILE RUN_DIR "/options.json"

/* Two generations of books, by slot as in the kernel; the first four bytes say which. */
static void book_path(uint32_t generation, char path[64])
{
	snprintf(path, 64, RUN_DIR "/rules.%u", generation & 1);
}

static int write_whole(const char *path, const char *bytes, size_t len)
{
	char temporary[128];
	cleanup(cleanup_fd) int fd = -1;
	ssize_t n;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, bytes, len);
	if (n != (ssize_t)len || rename(temporary, path)) {
		int error = n >= 0 && n != (ssize_t)len ? ENOSPC : errno;

		unlink(temporary);
		return -error;
	}
	return 0;
}

static int save_options(const struct enforce_options *options)
{
	cleanup(json_decrefp) json_t *policies = json_array(), *ports = json_array(), *json = NULL;
	cleanup(cleanup_free) char *text = NULL;
	size_t i;

	for (i = 0; i < options->policies.count; i++)
		json_array_append_new(policies, json_string(options->policies.names[i]));
	for (i = 0; i < options->dns_port_count; i++)
		json_array_append_new(ports, json_integer(options->dns_ports[i]));
	json = json_pack("{s:O, s:b, s:b, s:b, s:I, s:O, s:s*}", "policies", policies, "audit",
			 options->audit, "force", options->force, "partial", options->partial,
			 "for", (json_int_t)options->deny_for, "dns_ports", ports, "cgroup",
			 options->cgroup);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	return text ? write_whole(OPTIONS_FILE, text, strlen(text)) : -ENOMEM;
}

static int save_book(const struct policy *policy, uint32_t generation)
{
	cleanup(cleanup_free) char *bytes = NULL, *file = NULL;
	char path[64];
	size_t len;
	int ret = policy_book_write(policy, &bytes, &len);

	if (ret)
		return ret;
	file = malloc(sizeof(generation) + len);
	if (!file)
		return -ENOMEM;
	memcpy(file, &generation, sizeof(generation));
	memcpy(file + sizeof(generation), bytes, len);
	book_path(generation, path);
	return write_whole(path, file, sizeof(generation) + len);
}

int store_save(const struct enforce_options *options, const struct policy *policy,
	       uint32_t generation)
{
	int ret = lock_dir();

	if (!ret)
		ret = save_book(policy, generation);
	return ret ? ret : save_options(options);
}

int store_options(struct enforce_options *ret_options)
{
	cleanup(json_decrefp) json_t *json = json_load_file(OPTIONS_FILE, 0, NULL);
	cleanup(enforce_options_free) struct enforce_options options = {};
	int audit = 0, force = 0, partial = 0;
	const char *cgroup = NULL;
	json_int_t deny_for = 0;
	json_t *policies, *name, *ports = NULL, *port;
	size_t i;

	if (!json)
		return -ENOENT;
	if (json_unpack(json, "{s:o, s:b, s:b, s:b, s:I, s?o, s?s}", "policies", &policies, "audit",
			&audit, "force", &force, "partial", &partial, "for", &deny_for, "dns_ports",
			&ports, "cgroup", &cgroup) ||
	    json_array_size(policies) > DEBAR_BANS_MAX ||
	    json_array_size(ports) > DEBAR_DNS_PORTS_EXTRA)
		return -EINVAL;
	json_array_foreach (policies, i, name) {
		options.policies.names[i] = strdup(json_string_value(name) ?: "");
		options.policies.count++;
	}
	json_array_foreach (ports, i, port)
		options.dns_ports[options.dns_port_count++] = json_integer_value(port);
	options.audit = audit;
	options.partial = partial;
	options.deny_for = deny_for;
	options.cgroup = cgroup ? strdup(cgroup) : NULL;
	*ret_options = options;
	options = (struct enforce_options){};
	return 0;
}

int store_book(uint32_t generation, struct policy_book **ret_book)
{
	cleanup(cleanup_free) char *bytes = NULL;
	cleanup(cleanup_fd) int fd = -1;
	uint32_t stored;
	struct stat st;
	char path[64];

	book_path(generation, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (read(fd, &stored, sizeof(stored)) != sizeof(stored) || stored != generation)
		return -ENOENT;
	st.st_size -= sizeof(stored);
	bytes = malloc(st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	if (read(fd, bytes, st.st_size) != st.st_size)
		return -EIO;
	return policy_book_read(bytes, st.st_size, ret_book);
}

void store_remove(void)
{
	unlink(OPTIONS_FILE);
	unlink(RUN_DIR "/rules.0");
	unlink(RUN_DIR "/rules.1");
}
