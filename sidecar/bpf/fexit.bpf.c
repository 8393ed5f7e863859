/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The backend for kernels that have no tracepoint for sends and receives (before 6.3, Debian 12's among them): programs
 * that run as the protocols' own functions return. Sockets alone pay for them here too. */
#include "lifetime.h"

struct msghdr;
struct page;

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("fexit/inet_sendmsg")
int BPF_PROG(inet_sent, struct socket *socket, struct msghdr *message, __u64 size, int ret)
{
    return on_socket(socket->sk, ret, SENT, 0);
}

SEC("fexit/inet6_sendmsg")
int BPF_PROG(inet6_sent, struct socket *socket, struct msghdr *message, __u64 size, int ret)
{
    return on_socket(socket->sk, ret, SENT, 0);
}

/* What sendfile and splice send; gone in 6.5, where they send as everybody does. */
SEC("fexit/inet_sendpage")
int BPF_PROG(page_sent, struct socket *socket, struct page *page, int offset, __u64 size, int flags, long ret)
{
    return on_socket(socket->sk, ret, SENT, 0);
}

SEC("fexit/inet_recvmsg")
int BPF_PROG(inet_received, struct socket *socket, struct msghdr *message, __u64 size, int flags, int ret)
{
    return on_socket(socket->sk, ret, RECEIVED, flags);
}

SEC("fexit/inet6_recvmsg")
int BPF_PROG(inet6_received, struct socket *socket, struct msghdr *message, __u64 size, int flags, int ret)
{
    return on_socket(socket->sk, ret, RECEIVED, flags);
}

SEC("fentry/sock_def_readable")
int BPF_PROG(arrived, struct sock *sk)
{
    return on_arrival(sk);
}

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(unix_sent, struct socket *socket, struct msghdr *message, __u64 size, int ret)
{
    return on_socket(socket->sk, ret, SENT, 0);
}

SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(unix_received, struct socket *socket, struct msghdr *message, __u64 size, int flags, int ret)
{
    return on_socket(socket->sk, ret, RECEIVED, flags);
}

#include "unix_lifetime.h"
