/* SPDX-License-Identifier: GPL-2.0-only */
/* What a packet is: addresses, ports, and where its payload begins. The addresses are read apart, when
 * they are wanted: the kernel gives all functions together 512 bytes of stack. */
#ifndef DEBAR_HEADERS_BPF_H
#define DEBAR_HEADERS_BPF_H

#include "bpf/judge.bpf.h"

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

/*
 * Headers are zeroed before they are read, because 6.18's verifier fails over a stack that only a
 * helper writes to ("verifier bug: stack slot 4, total slots 0").
 */
#define EXTENSIONS_MAX 10  /* headers of IPv6 between the first and the payload's */
#define HEADERS_MAX 0x3fff /* bytes before TCP or UDP */
#define IPPROTO_UDP_LITE 136

struct packet {
	__u32 offset;	   /* of the payload */
	__u32 len;	   /* of the payload */
	__u32 seq;	   /* TCP */
	__u16 remote_port; /* host order; 0: the protocol has none */
	__u16 local_port;
	__u8 protocol;
	__u8 fragment; /* a later fragment: no ports, no payload to read */
	__u8 fin;      /* TCP: FIN or RST */
	__u8 ingress;
};

/* Headers are in the linear part nearly always; then they are read where they are. */
#define header_load(skb, offset, to)                                                               \
	({                                                                                         \
		__typeof__(to) at_ = (void *)(long)(skb)->data + (offset);                         \
		bool good_ = true;                                                                 \
		if ((void *)(at_ + 1) <= (void *)(long)(skb)->data_end)                            \
			*(to) = *at_;                                                              \
		else                                                                               \
			good_ = !bpf_skb_load_bytes((skb), (offset), (to), sizeof(*(to)));         \
		good_;                                                                             \
	})

static __always_inline bool packet_v4(struct __sk_buff *skb, struct packet *packet)
{
	struct iphdr ip = {};

	if (!header_load(skb, 0, &ip) || ip.version != 4 || ip.ihl < 5)
		return false;
	packet->protocol = ip.protocol;
	packet->offset = ip.ihl * 4;
	packet->fragment = !!(ip.frag_off & bpf_htons(0x1fff));
	return true;
}

struct extension_walk {
	struct __sk_buff *skb;
	__u32 offset;
	__u8 next;
	__u8 fragment;
	__u8 bad;
};

/* bpf_loop body: one header of IPv6 that is not the payload's. */
static long packet_extension(__u32 i, struct extension_walk *walk)
{
	__u8 header[4]; /* next, length, and of a fragment its offset */

	switch (walk->next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_FRAGMENT:
		break;
	default:
		return 1;
	}
	if (i == EXTENSIONS_MAX || bpf_skb_load_bytes(walk->skb, walk->offset, header, 4)) {
		walk->bad = 1;
		return 1;
	}
	if (walk->next == IPPROTO_FRAGMENT) {
		walk->fragment |= header[2] || header[3] & 0xf8;
		walk->offset += 8;
	} else {
		walk->offset += 8 + header[1] * 8;
	}
	walk->next = header[0];
	return !!walk->fragment;
}

static __always_inline bool packet_v6(struct __sk_buff *skb, struct packet *packet)
{
	struct ipv6hdr ip = {};
	struct extension_walk walk = { .skb = skb, .offset = sizeof(ip) };

	if (!header_load(skb, 0, &ip) || ip.version != 6)
		return false;
	walk.next = ip.nexthdr;
	if (walk.next != IPPROTO_TCP && walk.next != IPPROTO_UDP)
		bpf_loop(EXTENSIONS_MAX + 1, packet_extension, &walk, 0);
	packet->protocol = walk.next;
	packet->offset = walk.offset;
	packet->fragment = walk.fragment;
	return !walk.bad;
}

static __always_inline bool packet_tcp_set(struct packet *packet, const struct tcphdr *tcp)
{
	packet->remote_port = bpf_ntohs(packet->ingress ? tcp->source : tcp->dest);
	packet->local_port = bpf_ntohs(packet->ingress ? tcp->dest : tcp->source);
	packet->seq = bpf_ntohl(tcp->seq) + tcp->syn;
	packet->fin = tcp->fin || tcp->rst;
	packet->offset += tcp->doff * 4;
	return tcp->doff >= 5;
}

static __always_inline bool packet_tcp(struct __sk_buff *skb, struct packet *packet)
{
	struct tcphdr tcp = {};
	__u32 offset = packet->offset;

	opaque(offset);
	if (offset > HEADERS_MAX || !header_load(skb, offset, &tcp))
		return false;
	return packet_tcp_set(packet, &tcp);
}

static __always_inline void packet_udp_set(struct packet *packet, const struct udphdr *udp)
{
	packet->remote_port = bpf_ntohs(packet->ingress ? udp->source : udp->dest);
	packet->local_port = bpf_ntohs(packet->ingress ? udp->dest : udp->source);
	packet->offset += sizeof(*udp);
}

static __always_inline bool packet_udp(struct __sk_buff *skb, struct packet *packet)
{
	struct udphdr udp = {};
	__u32 offset = packet->offset;

	opaque(offset);
	if (offset > HEADERS_MAX || !header_load(skb, offset, &udp))
		return false;
	packet_udp_set(packet, &udp);
	return true;
}

/*
 * IPv4 as nearly all of it is, without options, TCP or UDP behind it and all of it in the linear part:
 * read where it stands. False: have a closer look.
 */
static __always_inline bool packet_plain(struct __sk_buff *skb, struct packet *packet)
{
	const struct iphdr *ip = (void *)(long)skb->data;
	const struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)(tcp + 1) > (void *)(long)skb->data_end ||
	    skb->protocol != bpf_htons(ETH_P_IP) || *(const __u8 *)ip != 0x45 ||
	    ip->frag_off & bpf_htons(0x1fff))
		return false;
	packet->protocol = ip->protocol;
	packet->offset = sizeof(*ip);
	if (packet->protocol == IPPROTO_TCP)
		return packet_tcp_set(packet, tcp);
	if (packet->protocol != IPPROTO_UDP)
		return false;
	packet_udp_set(packet, (const void *)tcp);
	return true;
}

/* The other side's address (of an egress packet where it goes), or this side's. */
static __noinline int packet_address(struct __sk_buff *skb, struct debar_address *address,
				     bool source)
{
	struct ipv6hdr v6 = {};
	struct iphdr v4 = {};
	__u32 *words;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (!header_load(skb, 0, &v4))
			return -EINVAL;
		address_v4(address, source ? v4.saddr : v4.daddr);
		return 0;
	}
	if (!header_load(skb, 0, &v6))
		return -EINVAL;
	words = source ? v6.saddr.in6_u.u6_addr32 : v6.daddr.in6_u.u6_addr32;
	address_v6(address, words[0], words[1], words[2], words[3]);
	return 0;
}

/* False: headers that cannot be walked. */
static __noinline bool packet_read(struct __sk_buff *skb, struct packet *packet)
{
	bool good = packet_plain(skb, packet);

	if (good) {
		packet->len = skb->len > packet->offset ? skb->len - packet->offset : 0;
		return true;
	}
	if (skb->protocol == bpf_htons(ETH_P_IP))
		good = packet_v4(skb, packet);
	else
		good = packet_v6(skb, packet);
	if (!good || packet->fragment)
		return good;
	if (packet->protocol == IPPROTO_TCP)
		good = packet_tcp(skb, packet);
	else if (packet->protocol == IPPROTO_UDP || packet->protocol == IPPROTO_UDP_LITE)
		good = packet_udp(skb, packet);
	packet->len = skb->len > packet->offset ? skb->len - packet->offset : 0;
	return good;
}

#endif
