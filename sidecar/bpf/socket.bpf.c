/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What applications send, told by the tracepoint that follows every send (kernel 6.3 and newer). */
#include "kernel.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6

enum counter {
    COUNTER_SENDS,
    COUNTERS,
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, COUNTERS);
    __type(key, __u32);
    __type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 which)
{
    __u64 *value = bpf_map_lookup_elem(&counters, &which);
    if (value)
        *value += 1;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(sent, struct sock *sk, int ret, int flags)
{
    __u16 family = sk->__sk_common.skc_family;
    if (ret > 0 && (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_TCP)
        count(COUNTER_SENDS);
    return 0;
}
