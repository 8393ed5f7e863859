/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Which connections are watched at all. Of each kind of filter one must fit, where there are any. */
#pragma once

#include "maps.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, __u32);
    __type(value, __u8);
} filter_pids SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, char[TASK_COMM_LEN]);
    __type(value, __u8);
} filter_comms SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, __u64);
    __type(value, __u8);
} filter_cgroups SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, __u16);
    __type(value, __u8);
} filter_ports SEC(".maps");

struct prefix {
    __u32 bits;
    /* IPv4 as IPv4-mapped IPv6. */
    __u8 ip[16];
};

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, 1024);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct prefix);
    __type(value, __u8);
} filter_addresses SEC(".maps");

static __always_inline bool passes_address(__u8 family, const __u8 *ip)
{
    const __u32 *from = (const __u32 *)ip;
    struct prefix prefix = {.bits = 128};
    __u32 *to = (__u32 *)prefix.ip;

    if (family == 4) {
        to[2] = __builtin_bswap32(0xffff);
        to[3] = from[0];
    } else {
        __builtin_memcpy(prefix.ip, ip, 16);
    }
    return bpf_map_lookup_elem(&filter_addresses, &prefix);
}

/* Whether a process passes all filters of processes. */
static __always_inline bool passes_who(const struct who *who)
{
    __u32 filters = settings.filters;

    if (filters & FILTER_PID && !bpf_map_lookup_elem(&filter_pids, &who->pid))
        return false;
    if (filters & FILTER_COMM && !bpf_map_lookup_elem(&filter_comms, who->comm))
        return false;
    return !(filters & FILTER_CGROUP) || bpf_map_lookup_elem(&filter_cgroups, &who->cgroup);
}

/* Whether a connection is to be watched: either of its processes may pass, either of its ends. */
static __always_inline bool passes(const struct event_open *open)
{
    __u32 filters = settings.filters;

    if (!filters)
        return true;
    if (filters & FILTER_PORT && !bpf_map_lookup_elem(&filter_ports, &open->local_port) &&
        !bpf_map_lookup_elem(&filter_ports, &open->remote_port))
        return false;
    if (filters & FILTER_ADDRESS && !passes_address(open->family, open->local_ip) &&
        !passes_address(open->family, open->remote_ip))
        return false;
    return passes_who(&open->self) || (open->peer.pid && passes_who(&open->peer));
}
