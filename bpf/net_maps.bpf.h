/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of the network programs; as in maps.bpf.h, which this page continues. */
#ifndef DEBAR_NET_MAPS_BPF_H
#define DEBAR_NET_MAPS_BPF_H

#include "bpf/abi_net.h"
#include "bpf/maps.bpf.h"

/* ---- networks in force: written by the controller ----------------------------------------- */

/* Element generation & 1, and so the slots of the outer maps below. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct debar_net_head);
} debar_nethead __weak SEC(".maps");

struct debar_netrule_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct debar_net_rule));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32); /* slot */
	__array(values, struct debar_netrule_map);
} debar_netrules __weak SEC(".maps");

struct debar_network_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct debar_network_key));
	__uint(value_size, sizeof(struct debar_network));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32); /* slot */
	__array(values, struct debar_network_map);
} debar_networks __weak SEC(".maps");

/* ---- learnt addresses ----------------------------------------------------------------------- */

/* Written and read by the programs, see learn.bpf.h. Full: the least recently used is forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct debar_address);
	__type(value, struct debar_learned);
} debar_learned __weak SEC(".maps");

/* Never learnt: this host's own, gateways, resolvers; by the controller. Full: the rest is not spared. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEBAR_SPARED_MAX);
	__type(key, struct debar_address);
	__type(value, __u32); /* a number of the last time it was seen */
} debar_spared __weak SEC(".maps");

/* ---- sockets: written and read by the programs, end with the socket ------------------------ */

/* No memory (optmem): each segment is parsed alone, and nobody remembers that it was refused. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct debar_socket);
} debar_sockets __weak SEC(".maps");

/* ---- counted ------------------------------------------------------------------------------- */

/* enum debar_net_counter -> number, per CPU; read by status. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DEBAR_NET_COUNTER_MAX);
	__type(key, __u32);
	__type(value, __u64);
} debar_netcount __weak SEC(".maps");

#endif
