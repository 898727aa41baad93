/* SPDX-License-Identifier: MIT */
/* Events of the network: which name or address, at which layer, by which socket's owner. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "loader/report.h"
#include "policy/cleanup.h"

/*
 * "\3www\7example" as "www.example", from byte @at on. A dot or a backslash inside a label would
 * make another name of it, and is written as DNS writes it in text.
 */
static void name_format(const struct debar_net_event *event, size_t at, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	while (at < event->name_len && event->name[at]) {
		size_t label = event->name[at], end = at + 1 + label;

		if (used && used + 1 < size)
			buf[used++] = '.';
		for (at++; at < end && at < event->name_len && used + 2 < size; at++) {
			if (event->name[at] == '.' || event->name[at] == '\\')
				buf[used++] = '\\';
			buf[used++] = (char)event->name[at];
		}
		at = end;
	}
	buf[used] = '\0';
}

static json_t *address_json(const struct debar_address *address)
{
	char text[INET6_ADDRSTRLEN];

	if ((address->family != 4 && address->family != 6) ||
	    !inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, text,
		       sizeof(text)))
		return NULL;
	return json_string(text);
}

static const char *transport_name(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	default:
		return NULL;
	}
}

static json_t *side_json(const struct debar_address *address, __u16 port, const char *domain)
{
	json_t *json = json_pack("{s:o*}", "ip", address_json(address));

	if (json && port)
		json_object_set_new(json, "port", json_integer(port));
	if (json && domain)
		json_object_set_new(json, "domain", report_string(domain, strlen(domain)));
	return json;
}

/* What the rule named: the name from its border on, or the address. */
static json_t *matched_json(const struct debar_net_event *event)
{
	char name[4 * sizeof(event->name)];

	if (!(event->flags & DEBAR_NETEV_NAME))
		return json_pack("{s:s, s:o*}", "kind", "network", "value",
				 address_json(&event->remote));
	name_format(event, event->matched, name, sizeof(name));
	return json_pack("{s:s, s:o}", "kind", "domain", "value",
			 report_string(name, sizeof(name)));
}

static json_t *debar_json(const struct debar_net_event *event, const struct report_context *context)
{
	json_t *json = json_pack(
		"{s:I, s:s*, s:s*, s:I, s:i}", "generation", (json_int_t)event->generation, "hook",
		report_hook_name(event->hook), "mode", context->mode, "lost",
		(json_int_t)context->lost, "count", context->count ? (int)context->count : 1);
	struct policy_rule_info rule;
	char place[POLICY_VALUE_MAX];

	if (!json)
		return NULL;
	if (event->error)
		json_object_set_new(json, "errno", json_integer(event->error));
	if (event->because != DEBAR_BECAUSE_RULE) {
		json_object_set_new(json, "because",
				    json_string(report_because_name(event->because)));
		return json;
	}
	json_object_set_new(json, "matched", matched_json(event));
	if (event->flags & DEBAR_NETEV_LEARNED)
		json_object_set_new(json, "learned", json_true());
	if (context->book && !policy_book_rule(context->book, event->match.rule, &rule)) {
		snprintf(place, sizeof(place), "%s:%u:%u", rule.place.file, rule.place.line,
			 rule.place.column);
		json_object_set_new(json, "place", report_string(place, sizeof(place)));
	}
	return json;
}

int report_net_json(const struct debar_net_event *event, const struct report_context *context,
		    char **ret_line)
{
	cleanup(json_decrefp) json_t *json = NULL;
	json_t *remote, *local = NULL, *rule = NULL, *container = NULL, *process = NULL,
			*user = NULL, *dns = NULL, *network = NULL;
	bool named, inward;
	char name[4 * sizeof(event->name)];

	if (event->size != sizeof(*event) || event->hook >= DEBAR_HOOK_MAX ||
	    event->outcome >= DEBAR_OUTCOME_MAX || event->because >= DEBAR_BECAUSE_MAX)
		return -EPROTO;
	named = event->flags & DEBAR_NETEV_NAME;
	inward = event->flags & DEBAR_NETEV_INGRESS;
	if (named)
		name_format(event, 0, name, sizeof(name));
	if (named && event->hook == DEBAR_HOOK_DNS)
		dns = json_pack("{s:{s:o}}", "question", "name", report_string(name, sizeof(name)));
	remote = side_json(&event->remote, event->port,
			   named && event->hook != DEBAR_HOOK_DNS ? name : NULL);
	if (event->local.family)
		local = side_json(&event->local, event->local_port, NULL);
	if (event->because == DEBAR_BECAUSE_RULE)
		rule = report_rule_part(&event->match, context);
	if (context->container)
		container = json_pack("{s:s}", "id", context->container);
	if (event->actor.pid) { /* of an older socket the owner is not known */
		process = report_process_part(&event->actor, context);
		user = json_pack("{s:o}", "id", json_sprintf("%u", event->actor.uid));
	}
	if (transport_name(event->protocol))
		network = json_pack("{s:s}", "transport", transport_name(event->protocol));
	json = json_pack("{s:o, s:{s:s}, s:o, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o}",
			 "@timestamp", report_instant(event->when), "ecs", "version",
			 REPORT_ECS_VERSION, "event",
			 report_event_part(event->hook, event->outcome), "process", process, "user",
			 user, "dns", dns, inward ? "source" : "destination", remote,
			 inward ? "destination" : "source", local, "network", network, "container",
			 container, "rule", rule, "debar", debar_json(event, context));
	if (!json)
		return -ENOMEM;
	*ret_line = json_dumps(json, JSON_COMPACT);
	return *ret_line ? 0 : -ENOMEM;
}

void report_net_essence(const struct debar_net_event *event, struct debar_net_event *ret_essence)
{
	struct debar_net_event e = *event;
	size_t len = e.name_len;

	e.when = 0;
	e.actor.pid = e.actor.ppid = 0;
	e.cookie = 0;
	memset(&e.question, 0, sizeof(e.question));
	e.local_port = 0; /* every new socket has another */
	memset(e.actor.comm + strnlen(e.actor.comm, sizeof(e.actor.comm)), 0,
	       sizeof(e.actor.comm) - strnlen(e.actor.comm, sizeof(e.actor.comm)));
	memset(e.name + len, 0, sizeof(e.name) - len);
	*ret_essence = e;
}
