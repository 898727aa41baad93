// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/kernel_net.h"
#include "loader/spared.h"
#include "policy/cleanup.h"
#include "policy/names.h"
#include "policy/networks.h"

struct spared {
	size_t count;
	struct debar_address addresses[DEBAR_SPARED_MAX];
};

static void add(struct spared *spared, __u8 family, const void *bytes)
{
	if (spared->count < DEBAR_SPARED_MAX)
		spared->addresses[spared->count++] = networks_address(family, bytes);
}

static void add_own(struct spared *spared)
{
	struct ifaddrs *list, *at;

	if (getifaddrs(&list))
		return;
	for (at = list; at; at = at->ifa_next) {
		if (!at->ifa_addr)
			continue;
		if (at->ifa_addr->sa_family == AF_INET)
			add(spared, 4, &((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr);
		else if (at->ifa_addr->sa_family == AF_INET6)
			add(spared, 6, &((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr);
	}
	freeifaddrs(list);
}

/* Of IPv4 the kernel prints the bytes of an address as one number in this machine's order. */
static void add_gateways_v4(struct spared *spared)
{
	cleanup(cleanup_file) FILE *file = fopen("/proc/net/route", "re");
	char line[512];
	__u32 gateway;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*x %x", &gateway) == 1 && gateway)
			add(spared, 4, &gateway);
}

static void add_gateways_v6(struct spared *spared)
{
	cleanup(cleanup_file) FILE *file = fopen("/proc/net/ipv6_route", "re");
	static const __u8 none[16];
	char line[512], word[33];
	__u8 bytes[16];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %*s %*s %32s", word) != 1 || strlen(word) != 32)
			continue;
		for (size_t i = 0; i < sizeof(bytes); i++)
			(void)sscanf(word + 2 * i, "%2hhx", &bytes[i]);
		if (memcmp(bytes, none, sizeof(bytes)))
			add(spared, 6, bytes);
	}
}

static void add_resolvers(struct spared *spared, const char *path)
{
	cleanup(cleanup_file) FILE *file = fopen(path, "re");
	char line[512], word[INET6_ADDRSTRLEN];
	__u8 bytes[16];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "nameserver %45s", word) != 1)
			continue;
		word[strcspn(word, "%")] = '\0';
		if (inet_pton(AF_INET, word, bytes) == 1)
			add(spared, 4, bytes);
		else if (inet_pton(AF_INET6, word, bytes) == 1)
			add(spared, 6, bytes);
	}
}

int spared_refresh(struct kernel *kernel)
{
	cleanup(cleanup_free) struct spared *spared = calloc(1, sizeof(*spared));

	if (!spared)
		return -ENOMEM;
	add_own(spared);
	add_gateways_v4(spared);
	add_gateways_v6(spared);
	add_resolvers(spared, "/etc/resolv.conf");
	add_resolvers(spared, "/run/systemd/resolve/resolv.conf"); /* those behind the stub */
	return kernel_net_spare(kernel, spared->addresses, spared->count);
}
