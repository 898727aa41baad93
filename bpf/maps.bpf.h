/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map: what its key and value are, who writes it, who reads it, and what happens when it is
 * full. The definitions are weak, so that every program may include this page and the linker keeps
 * one of each.
 */
#ifndef DEBAR_MAPS_BPF_H
#define DEBAR_MAPS_BPF_H

#include "bpf/kernel.bpf.h"

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

/* ---- the policy in force: written by the controller, read by every hook -------------------- */

/* Key 0: the generation in force and what stands above it. The controller stores word by word. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct debar_state);
} debar_state __weak SEC(".maps");

/* Slot of a generation, generation & 1 -> what it is. For those who read back, and flags for hooks. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct debar_head);
} debar_heads __weak SEC(".maps");

/*
 * Slot * DEBAR_BANS_MAX + index of the ban -> the ban. The hooks write `entered`, see verdict.bpf.h;
 * the controller the rest. Elements above the policy's number of bans have no phases.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * DEBAR_BANS_MAX);
	__type(key, __u32);
	__type(value, struct debar_ban);
} debar_bans __weak SEC(".maps");

/*
 * The tables of a generation hang in outer maps of two slots, generation & 1. The inner maps
 * are made for the policy's size, so they are never too small; a slot is emptied as soon as the
 * next generation is published, so that two generations exist only while one replaces the other.
 * They are allocated beforehand: a sleepable program may not use the other kind on 6.1.
 * Sizes instead of types: clang 14 leaves the types of an inner map incomplete.
 */
struct debar_key_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct debar_key));
	__uint(value_size, sizeof(struct debar_match));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32); /* slot */
	__array(values, struct debar_key_map);
} debar_keys __weak SEC(".maps");

/* Key: what is excepted, with the ban in `nth`. Value: until when. */
struct debar_except_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct debar_key));
	__uint(value_size, sizeof(struct debar_except));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32); /* slot */
	__array(values, struct debar_except_map);
} debar_excepts __weak SEC(".maps");

/* ---- what files are ------------------------------------------------------------------------ */

/*
 * Digest of a file's content as long as nobody opened it for writing; written and read by the
 * hooks, ends with the inode. No memory: the file is hashed each time (FACT_STORAGE).
 */
struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct debar_file);
} debar_files __weak SEC(".maps");

/*
 * Digest of a content -> its other keys, whatever the policy; bound by the exec hook, or written by
 * the controller for bytes it hashed itself. 65,536 of 632 bytes, about 42 MB. Full: the least
 * recently used content is unknown again, and asked for; what the policy matches is not in here.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct debar_digest);
	__type(value, struct debar_file_keys);
} debar_contents __weak SEC(".maps");

/* Cookie -> what the controller found; see DEBAR_ANSWER_LATE. Full: the exec is unclassified. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct debar_answer);
} debar_answers __weak SEC(".maps");

/*
 * Digest of a content that this machine cannot do without -> 1: init, the loader and the C library,
 * rescue shells, debar. Written by the controller, which keeps the set across policies; looked up
 * only when such a content would be refused. Full: what does not fit is refused like the rest, and that is told.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEBAR_NEVER_MAX);
	__type(key, struct debar_digest);
	__type(value, __u8);
} debar_never __weak SEC(".maps");

/*
 * Address of an overlay's real inode -> epoch of its content: made by the first hook that looks at
 * the file through an overlay, ended by every open for writing of the real inode. Full: the least
 * recently used goes, and that file is hashed once more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} debar_epochs __weak SEC(".maps");

/*
 * Epoch -> digest of that content, for mprotect, which up to 6.x is told the real inode and cannot
 * hash. An epoch is never used twice, so an element never changes. Full: as above.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct debar_digest);
} debar_ovldigest __weak SEC(".maps");

/* ---- what is told -------------------------------------------------------------------------- */

/* struct debar_event from the hooks to whoever reads. Full: the event is lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DEBAR_RING_SIZE);
} debar_ring __weak SEC(".maps");

/* enum debar_counter -> number, per CPU; written by the hooks, read by status. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DEBAR_COUNTER_MAX);
	__type(key, __u32);
	__type(value, __u64);
} debar_counters __weak SEC(".maps");

#endif
