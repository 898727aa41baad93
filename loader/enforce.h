/* SPDX-License-Identifier: MIT */
/* What `run`, `load` and `reload` share: from options to a policy in force. */
#ifndef DEBAR_ENFORCE_H
#define DEBAR_ENFORCE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi_net.h"
#include "loader/read.h"

struct kernel;
struct policy;
struct policy_facts;
struct policy_tables;
struct policy_ban;

enum enforce_run_mode {
	ENFORCE_AUTO,
	ENFORCE_KERNEL,
	ENFORCE_GATE
};

struct enforce_options {
	struct read_names policies; /* resolved, absolute */
	char *cgroup;		    /* --cgroup, or NULL */
	int64_t deny_for;	    /* --for, nanoseconds; 0: not given */
	int64_t deny_until; /* where its end is in force already: boot clock; 0: count afresh */
	uint16_t dns_ports[DEBAR_DNS_PORTS_EXTRA]; /* --dns-port, besides 53 and 5353 */
	size_t dns_port_count;
	enum enforce_run_mode run_mode;
	bool audit;
	bool force;
	bool partial;
	bool json;
	bool guard;
	bool vouch;	       /* reload --force: what is there now may be never denied */
	unsigned int switches; /* --guard=...: enum debar_guard_switch */
	bool resident; /* a controller stays: it classifies what rules other than sha256 ask for */
	bool ready;    /* what runs is classified: `unclassified: deny` may begin to speak */
	const char *scan;  /* --scan: a tree to classify beforehand, or NULL */
	size_t scan_count; /* and more of them; in their place in argv */
	char **scan_more;
	const struct policy_facts *facts; /* certificates that were seen beforehand, or NULL */
};

void enforce_options_free(struct enforce_options *options);

/*
 * Reads argv; which options a verb takes are the letters of @takes, see enforce_options.c. 0 or
 * -EINVAL after a message.
 */
int enforce_options_read(struct enforce_options *ret_options, const char *takes, int argc,
			 char **argv);

/*
 * What the kernel's command line asks for stands above the options. True, after a message: nothing
 * is to be done in this boot.
 */
bool enforce_off_at_boot(struct enforce_options *options);

/* The policy that @options name, checked for what can be enforced. Messages have been printed. */
int enforce_read(const struct enforce_options *options, struct policy **ret_policy);

/* The same at a start: where what is configured is broken, the last good policy, loudly. */
int enforce_read_start(const struct enforce_options *options, struct policy **ret_policy);

/*
 * Puts @policy into force: on what is pinned already, or on programs it loads, attaches, tries with
 * the canary and pins. In gate mode only what is about the network is in force then, and the rest
 * with the caller's gate. On failure what was in force stays. Messages have been printed.
 */
int enforce_start(struct enforce_options *options, const struct policy *policy,
		  struct kernel **ret_kernel);

/* The same on an open @kernel: the swap alone. @facts: what was learnt so far, or NULL. */
int enforce_swap(struct kernel *kernel, const struct enforce_options *options,
		 const struct policy *policy, const struct policy_facts *facts);

/* Does the policy ask for more than digests, names and addresses: for a controller that classifies? */
bool enforce_needs_hold(const struct policy *policy);
bool enforce_needs_places(const struct policy *policy);
bool enforce_needs_certificates(const struct policy *policy);

/* Matchers, as bits, of rules that take such a controller. */
unsigned int enforce_matchers_held(void);

/* What the ban asks for and will not get, in words; NULL: nothing. */
const char *enforce_unkept(const struct enforce_options *options, const struct policy *policy,
			   const struct policy_ban *ban);

/* Does a ban say `unclassified: deny`, or `on_controller_loss: deny`? */
bool enforce_refuses_unknown(const struct policy *policy);

/* -EPERM after a message when @policy would lose most of what is in force as @generation, unless forced. */
int enforce_refuse_shrunk(const struct enforce_options *options, const struct policy *policy,
			  uint32_t generation);

/*
 * What @policy needs now of the programs and @kernel has not, @missing, is loaded and attached, where that
 * can be done by and by; -ENOTSUP after a message where it cannot.
 */
int enforce_add(struct kernel *kernel, const struct enforce_options *options, unsigned int missing);

/* Which parts (enum kernel_part) of the programs the policy needs, in kernel mode. */
unsigned int enforce_parts(const struct policy *policy);

#define ENFORCE_LINE_MAX 128

/*
 * @policy as tables with what was learnt, exceptions by cgroup as the ids these have now. Quiet: a
 * swap has said already what is wrong.
 */
int enforce_compile(const struct policy *policy, const struct policy_facts *facts,
		    struct policy_tables **ret_tables);

/* What is in force now, in one line without an end. Returns @buf. */
const char *enforce_line(struct kernel *kernel, char buf[ENFORCE_LINE_MAX]);

/* The same on stdout, after what was done. */
void enforce_tell(struct kernel *kernel, const char *verb, bool json);

#endif
