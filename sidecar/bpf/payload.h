/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Finds the bytes of a call in the memory of the process that made it, and copies them. The socket's tracepoints tell
 * how many there were; where they lie stands in the registers of the system call. */
#pragma once

#include "maps.h"
#include "syscalls.h"

/* Buffers of one call that are looked at. Writers of responses use two or three; nobody known more than 64. */
#define BUFFERS_MAX 64

struct place {
    /* Of a buffer, or of a vector of them. */
    __u64 address;
    __u64 count;
    /* Where the message goes, if that was told. */
    __u64 name;
    bool is_vector;
    __u8 missing;
};

static __always_inline void of_message(struct place *place, __u64 address)
{
    struct user_msghdr message;

    place->is_vector = true;
    if (bpf_probe_read_user(&message, sizeof(message), (void *)address)) {
        place->missing = MISSING_UNREADABLE;
        return;
    }
    place->name = message.name;
    place->address = message.iov;
    place->count = message.iov_len;
}

/* The n-th message of the vector of a call: n counts how often the task has been here in this call. A vector is begun
 * anew when its last message is done or one failed; and when the kernel has not noted for the message before what it
 * gave, that was another call. */
static __always_inline void of_vector(struct place *place, struct task_struct *task, __u64 vector, __u64 count_all,
                                      int ret)
{
    struct task_state *state = bpf_task_storage_get(&tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    struct user_mmsghdr *messages = (struct user_mmsghdr *)vector;
    __u32 n, last = 0;

    if (!state || ret < 0) {
        place->missing = MISSING_SYSCALL;
        return;
    }
    n = state->vector == vector && state->next < count_all ? state->next : 0;
    if (n && (bpf_probe_read_user(&last, sizeof(last), &messages[n - 1].len) || last != state->last))
        n = 0;
    state->vector = n + 1 < count_all ? vector : 0;
    state->next = n + 1;
    state->last = ret;
    of_message(place, (__u64)&messages[n].message);
}

/* A call has failed: one of many messages ends with it. */
static __always_inline void end_vector(struct task_struct *task)
{
    struct task_state *state = bpf_task_storage_get(&tasks, task, 0, 0);

    if (state)
        state->vector = 0;
}

static __always_inline void find_place(struct place *place, struct task_struct *task, int ret)
{
    struct pt_regs *regs;

    place->address = 0;
    place->count = 0;
    place->name = 0;
    place->is_vector = false;
    place->missing = MISSING_NONE;
    if (task->flags & (PF_KTHREAD | PF_IO_WORKER)) {
        place->missing = task->flags & PF_KTHREAD ? MISSING_KERNEL : MISSING_SYSCALL;
        return;
    }
    if (IS_COMPAT(task)) {
        place->missing = MISSING_COMPAT;
        return;
    }
    /* What io_uring does, it does within any call of the task: the registers are none of it. */
    if (task->io_uring) {
        place->missing = MISSING_SYSCALL;
        return;
    }
    regs = (struct pt_regs *)bpf_task_pt_regs(task);
    switch (SYSCALL(regs)) {
    case SYS_sendto:
        place->name = ARGUMENT5(regs);
        place->address = ARGUMENT2(regs);
        return;
    case SYS_read:
    case SYS_write:
    case SYS_recvfrom:
        place->address = ARGUMENT2(regs);
        return;
    case SYS_readv:
    case SYS_writev:
    case SYS_preadv2:
    case SYS_pwritev2:
        place->address = ARGUMENT2(regs);
        place->count = ARGUMENT3(regs);
        place->is_vector = true;
        return;
    case SYS_recvmsg:
    case SYS_sendmsg:
        of_message(place, ARGUMENT2(regs));
        return;
    case SYS_recvmmsg:
        /* A call that ends when its time is over does so without a trace. */
        if (ARGUMENT5(regs)) {
            place->missing = MISSING_SYSCALL;
            return;
        }
        of_vector(place, task, ARGUMENT2(regs), ARGUMENT3(regs), ret);
        return;
    case SYS_sendmmsg:
        of_vector(place, task, ARGUMENT2(regs), ARGUMENT3(regs), ret);
        return;
    case SYS_sendfile:
    case SYS_splice:
        place->missing = MISSING_NO_MEMORY;
        return;
    default:
        place->missing = MISSING_SYSCALL;
    }
}

struct gathering {
    struct scratch *scratch;
    __u64 vector;
    __u64 count;
    __u32 done;
    __u32 wanted;
    __u8 missing;
};

/* Copies from the memory of the process. The bound, which always holds, is for the verifier: 64 bits wide, and right where
 * the number is used, since older ones forget it on the way through 32-bit registers. */
static __always_inline bool read_user(void *to, __u64 len, __u64 from)
{
    barrier_var(len);
    if (len > CAPTURE_MAX)
        return false;
    return bpf_probe_read_user(to, len, (void *)from) == 0;
}

static long gather_one(__u32 index, void *context)
{
    struct gathering *g = context;
    struct user_iovec piece;
    __u32 at = g->done, len = g->wanted - at;

    if (index >= g->count || at >= g->wanted)
        return 1;
    if (bpf_probe_read_user(&piece, sizeof(piece), (void *)(g->vector + index * sizeof(piece)))) {
        g->missing = MISSING_UNREADABLE;
        return 1;
    }
    if (piece.len < len)
        len = piece.len;
    if (at >= CAPTURE_MAX)
        return 1;
    if (!read_user(g->scratch->bytes + at, len, piece.base)) {
        g->missing = MISSING_UNREADABLE;
        return 1;
    }
    g->done = at + len;
    return 0;
}

/* Copies up to `wanted` bytes to the scratch; how many there are, and, if not all, why. */
static __always_inline __u32 gather(struct scratch *scratch, const struct place *place, __u32 wanted, __u8 *missing)
{
    *missing = place->missing;
    if (place->missing != MISSING_NONE)
        return 0;
    if (wanted > CAPTURE_MAX)
        wanted = CAPTURE_MAX;
    if (!place->is_vector) {
        if (read_user(scratch->bytes, wanted, place->address))
            return wanted;
        *missing = MISSING_UNREADABLE;
        return 0;
    }
    struct gathering g = {
        .scratch = scratch,
        .vector = place->address,
        .count = place->count,
        .wanted = wanted,
    };
    bpf_loop(BUFFERS_MAX, gather_one, &g, 0);
    *missing = g.done < wanted && !g.missing ? MISSING_BUFFERS : g.missing;
    return g.done;
}

/* Copies the bytes behind the head of the event, as many as are wanted of one call; how many there are, and why not
 * all. */
static __always_inline __u32 capture(struct scratch *scratch, const struct place *place, __u32 len, __u8 *missing)
{
    __u32 captured, wanted = len;

    if (wanted > settings.capture_max)
        wanted = settings.capture_max;
    captured = gather(scratch, place, wanted, missing);
    if (*missing == MISSING_NONE && captured < len)
        *missing = MISSING_LIMIT;
    if (*missing != MISSING_NONE)
        count(COUNTER_MISSING + *missing - MISSING_LIMIT);
    return captured;
}
