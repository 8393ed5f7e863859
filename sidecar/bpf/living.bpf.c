/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Which sockets there are of those that user space was told of: it forgets the others, whose end it was not told of. Runs
 * when it is read. */
#include "maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("iter/bpf_sk_storage_map")
int living(struct bpf_iter__bpf_sk_storage_map *context)
{
    struct conn *conn = context->value;
    struct sock *sk = context->sk;
    __u64 cookie;

    if (!sk || !conn || !conn->opened)
        return 0;
    cookie = bpf_get_socket_cookie(sk);
    bpf_seq_write(context->meta->seq, &cookie, sizeof(cookie));
    return 0;
}
