/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Two kinds of programs share what stands here. To those that attach by the kernel's own types (tp_btf, fexit), its
 * pointers are what they are: fields are read as in C, and what is known of a socket or a task hangs on it. To those of
 * plain tracepoints (PLAIN_POINTERS) a pointer is a number: each field is read by a helper, and what is known is kept in
 * hashes. Those use nothing that is newer than kernel 5.8, and need no types in the kernel. */
#pragma once

#include "kernel.h"

#ifdef PLAIN_POINTERS
/* The pointer is taken out of the macro, which would look in the kernel for every field that leads to it. */
#define READ(pointer, field)                 \
    ({                                       \
        typeof(pointer) from_ = (pointer);   \
        BPF_CORE_READ(from_, field);         \
    })
#define TRACEPOINT(name) SEC("raw_tp/" name)
#else
#define READ(pointer, field) ((pointer)->field)
#define TRACEPOINT(name) SEC("tp_btf/" name)
#endif

static __always_inline struct task_struct *current_task(void)
{
#ifdef PLAIN_POINTERS
    return (struct task_struct *)bpf_get_current_task();
#else
    return bpf_get_current_task_btf();
#endif
}

static __always_inline struct tcp_sock *tcp_of(struct sock *sk)
{
#ifdef PLAIN_POINTERS
    return (struct tcp_sock *)sk;
#else
    return bpf_skc_to_tcp_sock(sk);
#endif
}

/* Who makes the system call that data is moved by. */
struct caller {
    struct task_struct *task;
#ifdef PLAIN_POINTERS
    /* What the call was given. */
    struct pt_regs *regs;
    /* Number of the socket's inode, which tells it from others at its address; 0: has been looked at. */
    __u64 inode;
    /* Which one of a call's messages it is about. */
    __u32 message;
    /* It is about all of several messages. */
    bool is_scattered;
#endif
};

static __always_inline struct pt_regs *regs_of(const struct caller *caller)
{
#ifdef PLAIN_POINTERS
    return caller->regs;
#else
    return (struct pt_regs *)bpf_task_pt_regs(caller->task);
#endif
}
