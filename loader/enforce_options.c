// SPDX-License-Identifier: MIT
/* The options of `run` and `load`, and what the kernel's command line says beside them. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "loader/bootline.h"
#include "loader/enforce.h"
#include "loader/guard.h"
#include "loader/message.h"
#include "policy/cleanup.h"

static const struct option long_options[] = {
	{ "policy", required_argument, NULL, 'p' },   { "audit", no_argument, NULL, 'a' },
	{ "mode", required_argument, NULL, 'm' },     { "cgroup", required_argument, NULL, 'c' },
	{ "dns-port", required_argument, NULL, 'd' }, { "for", required_argument, NULL, 't' },
	{ "force", no_argument, NULL, 'f' },	      { "guard", optional_argument, NULL, 'g' },
	{ "partial", no_argument, NULL, 'x' },	      { "json", no_argument, NULL, 'j' },
	{ "scan", required_argument, NULL, 's' },     {},
};

void enforce_options_free(struct enforce_options *options)
{
	size_t i;

	for (i = 0; i < options->policies.count; i++)
		free(options->policies.names[i]);
	free(options->cgroup);
	*options = (struct enforce_options){};
}

/* "10m" -> nanoseconds; 0 when it is none. */
static int64_t duration(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);
	int64_t unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : 0;

	if (end == text || n <= 0 || n > 1000000 || !unit || end[1])
		return 0;
	return n * unit * 1000000000LL;
}

static int add_policy(struct read_names *policies, const char *name)
{
	if (policies->count == DEBAR_BANS_MAX)
		return message_error(EINVAL, "more than %d policies", DEBAR_BANS_MAX);
	policies->names[policies->count] = read_resolve(name);
	if (!policies->names[policies->count])
		return message_error(ENOMEM, "out of memory");
	policies->count++;
	return 0;
}

static int read_mode(const char *word, enum enforce_run_mode *ret_mode)
{
	static const char *const words[] = {
		[ENFORCE_AUTO] = "auto", [ENFORCE_KERNEL] = "kernel", [ENFORCE_GATE] = "gate"
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]))
			continue;
		*ret_mode = i;
		return 0;
	}
	return message_error(EINVAL, "--mode is auto, kernel or gate, not %s", word);
}

/* Where else programs ask, besides 53 and 5353. */
static int add_dns_port(struct enforce_options *options, const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	if (end == text || *end || port < 1 || port > 65535)
		return message_error(EINVAL, "--dns-port is a number from 1 to 65535, not %s",
				     text);
	if (options->dns_port_count == DEBAR_DNS_PORTS_EXTRA)
		return message_error(EINVAL, "more than %d of --dns-port", DEBAR_DNS_PORTS_EXTRA);
	options->dns_ports[options->dns_port_count++] = port;
	return 0;
}

static int read_option(struct enforce_options *options, int c, const char *value)
{
	switch (c) {
	case 'p':
		return add_policy(&options->policies, value);
	case 'a':
		options->audit = true;
		return 0;
	case 'f':
		options->force = true;
		return 0;
	case 'x':
		options->partial = true;
		return 0;
	case 'g':
		options->guard = true;
		return value ? guard_read_switches(value, &options->switches) : 0;
	case 'j':
		options->json = true;
		return 0;
	case 's':
		options->scan = value;
		return 0;
	case 'd':
		return add_dns_port(options, value);
	case 'm':
		return read_mode(value, &options->run_mode);
	case 'c':
		options->cgroup = realpath(value, NULL);
		if (!options->cgroup)
			return message_error(errno, "cannot read cgroup %s: %m", value);
		return 0;
	default:
		options->deny_for = duration(value);
		if (!options->deny_for)
			return message_error(EINVAL, "--for takes a time such as 10m, not %s",
					     value);
		return 0;
	}
}

int enforce_options_read(struct enforce_options *ret_options, const char *takes, int argc,
			 char **argv)
{
	cleanup(enforce_options_free) struct enforce_options options = {};
	char seen[256] = "";
	int c, ret;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":p:", long_options, NULL)) != -1) {
		if (c == ':')
			return message_error(EINVAL, "%s needs a value", argv[optind - 1]);
		if (c == '?' || !strchr(takes, c))
			return message_error(EINVAL, "debar %s does not take %s", argv[0],
					     argv[optind - 1]);
		if (seen[c] && c != 'p' && c != 'd')
			return message_error(EINVAL, "%s is given twice", argv[optind - 1]);
		seen[c] = 1;
		ret = read_option(&options, c, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc && !options.scan)
		return message_error(EINVAL, "debar %s does not take %s", argv[0], argv[optind]);
	options.scan_count = (size_t)(argc - optind);
	options.scan_more = argv + optind;
	*ret_options = options;
	options = (struct enforce_options){};
	return 0;
}

bool enforce_off_at_boot(struct enforce_options *options)
{
	char unknown[32];
	enum bootline asked = bootline_read(unknown, sizeof(unknown));

	if (unknown[0])
		message_warning("debar=%s on the kernel command line is neither off nor audit",
				unknown);
	if (asked == BOOTLINE_AUDIT && !options->audit) {
		options->audit = true;
		message_info("debar=audit on the kernel command line: acts are only reported");
	}
	if (asked == BOOTLINE_OFF) {
		(void)bootline_note();
		message_info("debar=off on the kernel command line: nothing is enforced");
	}
	return asked == BOOTLINE_OFF;
}
