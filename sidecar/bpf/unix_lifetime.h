/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* How Unix sockets come and go where trampolines may be had. Included behind all other programs, so that who is seen to
 * connect is heard from his first byte on. */
#pragma once

#include "unix.h"

SEC("fentry/unix_stream_connect")
int BPF_PROG(unix_connects, struct socket *socket)
{
    on_unix_connect(new_conn(socket->sk));
    return 0;
}

/* Nobody has the socket open any more. */
SEC("fentry/unix_release")
int BPF_PROG(unix_released, struct socket *socket)
{
    struct sock *sk = socket->sk;

    if (sk)
        end_unix(sk);
    return 0;
}
