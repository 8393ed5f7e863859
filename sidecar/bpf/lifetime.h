/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The programs of every backend: how connections come and go. */
#pragma once

#include "connection.h"

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state, struct sock *sk, int old, int new)
{
    return on_state(sk, old, new);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroyed, struct sock *sk)
{
    return on_destroy(sk);
}
