/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The backend for kernels that tell of every send and receive by a tracepoint of their own (6.3 and newer): a system
 * call that touches no socket pays nothing. */
#include "lifetime.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sock_send_length")
int BPF_PROG(sent, struct sock *sk, int ret, int flags)
{
    return on_socket(sk, ret, SENT, flags);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(received, struct sock *sk, int ret, int flags)
{
    return on_socket(sk, ret, RECEIVED, flags);
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(arrived, struct sock *sk)
{
    return on_arrival(sk);
}

/* Attached to the root of cgroups, where there is such a place (6.7 and newer), and behind all other programs: who is seen
 * to connect is heard from his first byte on. */
SEC("cgroup/connect_unix")
int unix_connects(struct bpf_sock_addr *context)
{
    struct bpf_sock *sk = context->sk;

    if (sk)
        on_unix_connect(bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE));
    return 1;
}
