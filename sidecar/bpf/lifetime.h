/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The programs of every backend: how connections come and go. */
#pragma once

#include "datagram.h"

TRACEPOINT("inet_sock_set_state")
int BPF_PROG(state, struct sock *sk, int old, int new)
{
    return on_state(sk, old, new);
}

TRACEPOINT("tcp_destroy_sock")
int BPF_PROG(destroyed, struct sock *sk)
{
    return on_destroy(sk);
}

#ifndef PLAIN_POINTERS
/* Attached to the root of cgroups: no other place names the sender of a datagram. */
SEC("cgroup/recvmsg4")
int source4(struct bpf_sock_addr *context)
{
    return on_source(context, 4);
}

SEC("cgroup/recvmsg6")
int source6(struct bpf_sock_addr *context)
{
    return on_source(context, 6);
}
#endif
